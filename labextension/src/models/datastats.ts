/** What compared data differ in: rows, and of each column its mean, spread and missing values. */

import { ICompareRow, Json } from '../wire';

type Facts = Map<string, Json>;

/** Statistics of one value that are shown at most: those that moved most. */
const MANY = 12;

/**
 * A row for each statistic of a compared value, in its runs' order; what moved most comes first.
 * With `all`, also those that are the same in all runs.
 */
export function statistics(row: ICompareRow, all: boolean): ICompareRow[] {
  const held = row.values.map((value, index) =>
    row.present[index] ? facts(value) : new Map<string, Json>()
  );
  const names = [...new Set(held.flatMap(one => [...one.keys()]))];
  const found = names.map(name => {
    const values = held.map(one => one.get(name) ?? null);
    return {
      name,
      values,
      present: held.map(one => one.has(name)),
      differs: new Set(values.map(value => JSON.stringify(value))).size > 1
    };
  });
  const moved = found.filter(one => one.differs);
  moved.sort((a, b) => movement(b) - movement(a));
  const same = all ? found.filter(one => !one.differs) : [];
  return [...moved, ...same].slice(0, MANY);
}

/** How far the values lie apart, held against their size; a change of kind counts most. */
function movement(row: ICompareRow): number {
  const numbers = row.values.map(value =>
    typeof value === 'number' ? value : parseFloat(String(value))
  );
  if (row.name === 'rows' || row.name === 'shape' || !numbers.every(isFinite)) {
    return Infinity;
  }
  const spread = Math.max(...numbers) - Math.min(...numbers);
  return spread / (Math.max(...numbers.map(Math.abs)) || 1);
}

/** The statistics in a value's preview by name: `rows`, `age: mean`, `age: missing`. */
function facts(value: Json): Facts {
  const out: Facts = new Map();
  const preview = field(value, 'preview');
  const shape = field(preview, 'shape');
  const frame = ['frame', 'series'].includes(String(field(preview, 'kind')));
  const rows = frame && Array.isArray(shape) ? Number(shape[0]) : null;
  if (rows !== null) {
    out.set('rows', rows);
  } else if (Array.isArray(shape)) {
    out.set('shape', shape.join(' × '));
  }
  const stats = field(preview, 'stats');
  if (stats === null || typeof stats !== 'object' || Array.isArray(stats)) {
    return out;
  }
  if (!frame) {
    note(out, '', stats, null);
    return out;
  }
  for (const [column, held] of Object.entries(stats)) {
    note(out, `${column}: `, held, rows);
  }
  return out;
}

function note(out: Facts, before: string, stats: Json, rows: number | null): void {
  for (const name of ['dtype', 'mean', 'std', 'min', 'max', 'distinct']) {
    const value = field(stats, name);
    if (value !== null) {
      out.set(before + name, value);
    }
  }
  const missing = field(stats, 'missing');
  const looked = field(stats, 'sampled') ?? rows;
  if (typeof missing === 'number' && typeof looked === 'number' && looked > 0) {
    out.set(`${before}missing`, `${Number(((100 * missing) / looked).toPrecision(3))} %`);
  } else if (typeof missing === 'number') {
    out.set(`${before}missing`, missing);
  }
}

function field(json: Json | undefined, name: string): Json {
  return json !== null && typeof json === 'object' && !Array.isArray(json)
    ? (json[name] ?? null)
    : null;
}
