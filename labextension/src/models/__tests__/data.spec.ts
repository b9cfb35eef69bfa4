/** What compared data differ in, and the cells that bring something into a notebook. */

import { statistics } from '../datastats';
import { footer, head } from '../previews';
import { artifactSource, inputsSource } from '../snippets';
import { Json } from '../../wire';

function frame(rows: number, age: Record<string, Json>): Json {
  return {
    type: 'pandas.DataFrame',
    size: 1,
    text: `DataFrame ${rows} x 1`,
    preview: { kind: 'frame', shape: [rows, 1], stats: { age } }
  };
}

function row(...values: Json[]) {
  return {
    name: 'load/df',
    values,
    present: values.map(value => value !== null),
    differs: true
  };
}

describe('statistics of compared data', () => {
  const one = frame(1000, { dtype: 'float64', mean: 40, std: 10, min: 1, missing: 0 });
  const two = frame(500, { dtype: 'float64', mean: 44, std: 10.1, min: 1, missing: 50 });

  it('begin with rows, then what moved most', () => {
    expect(statistics(row(one, two), false)).toEqual([
      { name: 'rows', values: [1000, 500], present: [true, true], differs: true },
      {
        name: 'age: missing',
        values: ['0 %', '10 %'],
        present: [true, true],
        differs: true
      },
      { name: 'age: mean', values: [40, 44], present: [true, true], differs: true },
      { name: 'age: std', values: [10, 10.1], present: [true, true], differs: true }
    ]);
  });

  it('can have what stayed', () => {
    expect(statistics(row(one, two), true).map(found => found.name)).toEqual([
      'rows',
      'age: missing',
      'age: mean',
      'age: std',
      'age: dtype',
      'age: min'
    ]);
  });

  it('are those of the runs that have any', () => {
    expect(statistics(row(one, null), false)[0]).toEqual({
      name: 'rows',
      values: [1000, null],
      present: [true, false],
      differs: true
    });
  });

  it('of arrays have their shape', () => {
    const array = (shape: number[], mean: number): Json => ({
      preview: { kind: 'array', shape, stats: { mean } }
    });
    expect(statistics(row(array([2, 3], 1), array([2, 4], 1.5)), false)).toEqual([
      { name: 'shape', values: ['2 × 3', '2 × 4'], present: [true, true], differs: true },
      { name: 'mean', values: [1, 1.5], present: [true, true], differs: true }
    ]);
  });

  it('of other values are none', () => {
    expect(
      statistics(row({ preview: { kind: 'object', repr: 'SVC()' } }, null), true)
    ).toEqual([]);
  });
});

describe('cells', () => {
  it('load a value', () => {
    expect(artifactSource('churn/4/train/3/score', 'score')).toBe(
      'import nbflow\nscore = nbflow.Run("churn/4")["train"].task("3").score\nscore'
    );
  });

  it('load inputs', () => {
    expect(inputsSource('churn/4', 'train', '3')).toBe(
      '%load_ext nbflow\n%nbflow load churn/4/train/3'
    );
  });
});

describe('previews', () => {
  const numbers = { min: 1, mean: 2, max: 3, missing: 0 };

  it('show the statistics that there are, each column its own', () => {
    const columns = [
      ['a', 'int64'],
      ['b', 'str'],
      ['a', 'int64']
    ] as const;
    const stats = { a: numbers, b: { missing: 4, distinct: 1234 } };
    expect(footer(columns, stats)).toEqual([
      ['min', ['1', '', '']],
      ['mean', ['2', '', '']],
      ['max', ['3', '', '']],
      ['distinct', ['', '1,234', '']],
      ['missing', ['', '4', '']]
    ]);
    expect(footer([['c', 'object']], { c: { missing: 0 } })).toEqual([]);
  });

  it('say of an array where there is more of it', () => {
    expect(head([1, 2], [2])).toBe('1  2');
    expect(head([1, 2], [2, 2])).toBe('1  2  …');
    expect(head([], [0])).toBe('');
    expect(head([3], [])).toBe('3');
  });
});
