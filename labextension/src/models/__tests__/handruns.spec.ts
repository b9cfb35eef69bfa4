/** Steps run by hand. */

import { HandRuns, withHand } from '../handruns';
import { IStepRun } from '../../wire';

const CELLS = [
  { id: 'a', source: 'x = 1' },
  { id: 'b', source: 'y = x' }
];

function ran(...ends: [string, boolean][]): HandRuns {
  const hand = new HandRuns();
  ends.forEach(([id, ok], at) => {
    hand.begin(id, CELLS.find(cell => cell.id === id)!.source, 10 * at);
    hand.end(id, ok, 10 * at + 5);
  });
  return hand;
}

describe('a step run by hand', () => {
  it('is run when all its cells are', () => {
    expect(ran(['a', true]).of(CELLS, 'now')).toBeNull();
    expect(ran(['a', true], ['b', true]).of(CELLS, 'now')).toEqual({
      run: '',
      status: 'succeeded',
      created: 10,
      started: 0,
      finished: 15,
      engine: 'kernel',
      code: 'now'
    });
  });

  it('fails with one of them, and runs while one does', () => {
    expect(ran(['a', false]).of(CELLS, 'now')?.status).toBe('failed');
    const hand = ran(['a', true]);
    hand.begin('b', 'y = x', 20);
    expect(hand.of(CELLS, 'now')?.status).toBe('running');
  });

  it('has other code once a cell was edited', () => {
    const edited = [CELLS[0], { id: 'b', source: 'y = 2' }];
    expect(ran(['a', true], ['b', true]).of(edited, 'now')?.code).toBe('');
  });

  it('is forgotten with the kernel', () => {
    const hand = ran(['a', true], ['b', true]);
    hand.clear();
    expect(hand.of(CELLS, 'now')).toBeNull();
  });
});

describe('runs and what was done by hand', () => {
  const run = (name: string, created: number, engine = 'dask'): IStepRun => ({
    run: name,
    status: 'succeeded',
    created,
    started: created,
    finished: created,
    engine,
    code: 'c'
  });
  const hand = run('', 50, 'kernel');

  it('stand in the order of time', () => {
    const names = (runs: IStepRun[]) => withHand(runs, hand).map(one => one.run);
    expect(names([run('f/2', 60), run('f/1', 40)])).toEqual(['f/2', '', 'f/1']);
  });

  it('stay as they are without one', () => {
    const held = [run('f/3', 50), run('f/1', 40)];
    expect(withHand(held, null)).toEqual(held);
  });
});
