/** What the plots of a comparison are drawn from: scales, ticks, columns of numbers. */

import { ICompareRow, Json } from '../wire';

export interface IColumn {
  name: string;
  /** A number for each run; null where it has none. */
  values: (number | null)[];
  /** For names instead of numbers: what each number stands for. */
  labels: string[] | null;
  kind: 'parameter' | 'metric';
}

/** Rows of a comparison that can be drawn: numbers, or a few different texts. */
export function columns(rows: readonly ICompareRow[], kind: IColumn['kind']): IColumn[] {
  const out: IColumn[] = [];
  for (const row of rows) {
    const present = row.values.filter(
      (value, index) => row.present[index] && value !== null
    );
    if (present.length && present.every(isNumber)) {
      out.push({
        name: row.name,
        kind,
        labels: null,
        values: row.values.map(value => (isNumber(value) ? Number(value) : null))
      });
      continue;
    }
    const named = present.every(
      value => typeof value === 'string' || typeof value === 'boolean'
    );
    const labels = [...new Set(present.map(value => JSON.stringify(value)))].sort();
    if (named && labels.length > 1 && labels.length <= 12) {
      out.push({
        name: row.name,
        kind,
        labels: labels.map(label => label.replace(/^"|"$/g, '')),
        values: row.values.map((value, index) =>
          row.present[index] ? labels.indexOf(JSON.stringify(value)) : null
        )
      });
    }
  }
  return out;
}

function isNumber(value: Json): boolean {
  return typeof value === 'number' && isFinite(value);
}

/** From values to pixels. */
export interface IScale {
  (value: number): number;
  ticks: number[];
}

/** A linear scale with round ends. */
export function linear(
  values: readonly (number | null)[],
  from: number,
  to: number
): IScale {
  const numbers = values.filter((value): value is number => value !== null);
  let low = numbers.length ? Math.min(...numbers) : 0;
  let high = numbers.length ? Math.max(...numbers) : 1;
  if (low === high) {
    const room = Math.abs(low) * 0.1 || 0.5;
    low -= room;
    high += room;
  }
  const whole = numbers.every(Number.isInteger);
  const step = Math.max(nice((high - low) / 5), whole ? 1 : 0);
  low = Math.floor(low / step + 1e-9) * step;
  high = Math.ceil(high / step - 1e-9) * step;
  const scale = ((value: number) =>
    from + ((value - low) / (high - low)) * (to - from)) as IScale;
  scale.ticks = [];
  for (let at = 0; low + at * step <= high + step / 2; at++) {
    scale.ticks.push(Number((low + at * step).toPrecision(12)));
  }
  return scale;
}

/** The nearest of 1, 2, 5 times a power of ten above. */
function nice(step: number): number {
  const power = 10 ** Math.floor(Math.log10(step));
  return [1, 2, 5, 10].map(times => times * power).find(size => size >= step - 1e-12)!;
}
