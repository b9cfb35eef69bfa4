/** What a kernel tells of a cell, kept with it. */

import { inKernel, stepBadge } from '../cellstates';
import { kept, told, toKeep } from '../cellnotes';
import { IDiagnostic, IStepRun } from '../../wire';

const FOUND: IDiagnostic = {
  code: 'NBF202',
  severity: 'warning',
  message: '`rows` comes from an untagged cell (In [1]), which a run leaves out.',
  cell: null,
  line: null,
  column: null,
  fix: 'Tag that cell.'
};

describe('what a kernel tells', () => {
  it('is our part of the payload', () => {
    const payload = [
      { source: 'page', data: {} },
      {
        source: 'nbflow',
        diagnostics: [FOUND],
        steps: { load: { state: 'fresh', cells: ['a'] }, train: { state: 'stale' } }
      }
    ];
    expect(told(payload)).toEqual({
      diagnostics: [FOUND],
      steps: new Map([
        ['load', 'fresh'],
        ['train', 'stale']
      ])
    });
  });

  it.each([undefined, null, 'text', [], [{ source: 'page' }], [null]])(
    'is nothing where %p came',
    payload => expect(told(payload)).toBeNull()
  );
});

describe('what is kept with a cell', () => {
  it('comes back as long as the source is the same', () => {
    const metadata = toKeep([FOUND], 'x = rows');
    expect(kept(metadata, 'x = rows')).toEqual([FOUND]);
    expect(kept(metadata, 'x = row')).toEqual([]);
    expect(kept(JSON.parse(JSON.stringify(metadata)), 'x = rows')).toEqual([FOUND]);
  });

  it('is nothing where nothing was found', () => {
    expect(toKeep([], 'x = 1')).toBeNull();
  });

  it.each([undefined, null, 3, [], {}, { ran: 1, diagnostics: 'x' }])(
    'is nothing where the metadata is %p',
    metadata => expect(kept(metadata, 'x = 1')).toEqual([])
  );

  it('is only what has the form of a finding', () => {
    const metadata = toKeep([FOUND], 'x') as { diagnostics: unknown[] };
    metadata.diagnostics.push(
      null,
      { code: 1 },
      { code: 'A', message: 'b', severity: 9 }
    );
    expect(kept(metadata, 'x').map(one => [one.code, one.severity])).toEqual([
      ['NBF202', 'warning'],
      ['A', 'warning']
    ]);
  });
});

describe('a step whose inputs were made anew in its kernel', () => {
  const run: IStepRun = {
    run: '',
    status: 'succeeded',
    created: 1,
    started: 1,
    finished: 2,
    engine: 'kernel',
    code: 'c'
  };
  const badge = (engine: string, state?: string) =>
    inKernel(stepBadge({ name: 's', runs: [{ ...run, engine }] }, 'c'), state).state;

  it('is stale where it ran by hand last', () => {
    expect(badge('kernel', 'stale')).toBe('stale');
    expect(badge('kernel', 'fresh')).toBe('fresh');
    expect(badge('kernel')).toBe('fresh');
    expect(badge('dask', 'stale')).toBe('fresh');
  });
});
