/** What of a preview is shown below the first rows of a table, and of an array in a line. */

import { Json } from '../wire';
import { value } from './format';

type Stats = Record<string, Json>;

/**
 * The statistics of a table as rows of texts, one for each column; without those that say nothing.
 * Of columns of one name, the statistics are the first one's.
 */
export function footer(
  columns: readonly (readonly [string, string])[],
  stats: Record<string, Stats>
): [string, string[]][] {
  const names = columns.map(([name]) => name);
  const own = names.map((name, at) =>
    names.indexOf(name) === at ? stats[name] : undefined
  );
  return ['min', 'mean', 'max', 'distinct', 'missing']
    .map((name): [string, string[]] => [
      name,
      own.map(one => value(one?.[name] || name !== 'missing' ? one?.[name] : undefined))
    ])
    .filter(([, texts]) => texts.some(Boolean));
}

/** The first values of an array, and whether there are more. */
export function head(values: readonly Json[], shape: readonly number[]): string {
  const more = shape.reduce((size, length) => size * length, 1) > values.length;
  return [...values.map(value), ...(more ? ['…'] : [])].join('  ');
}
