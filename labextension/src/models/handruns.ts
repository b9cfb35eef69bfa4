/** Steps that were run by hand, cell by cell: what is known of them until the kernel is gone. */

import { IStepRun } from '../wire';

/** How a cell of a step went when it was last run. */
interface IExecution {
  source: string;
  status: 'running' | 'succeeded' | 'failed';
  started: number;
  finished: number | null;
}

/** The engine of what ran in the notebook's own kernel. */
export const KERNEL = 'kernel';

/** The executions of one notebook's cells, by the cells' ids. Times are seconds. */
export class HandRuns {
  /** A cell begins to run, or waits for its turn. */
  begin(cell: string, source: string, now: number): void {
    this.cells.set(cell, { source, status: 'running', started: now, finished: null });
  }

  /** A cell has ended. */
  end(cell: string, ok: boolean, now: number): void {
    const execution = this.cells.get(cell);
    if (execution) {
      this.cells.set(cell, {
        ...execution,
        status: ok ? 'succeeded' : 'failed',
        finished: now
      });
    }
  }

  /** Nothing in the kernel is left of what ran. */
  clear(): void {
    this.cells.clear();
  }

  /**
   * A step as it was run by hand; null where not all its cells were. `cells` are its cells as they
   * are now, and `code` is the hash of what they compile to.
   */
  of(
    cells: readonly { id: string; source: string }[],
    code: string | null
  ): IStepRun | null {
    const held = cells.map(cell => this.cells.get(cell.id));
    const begun = held.filter(one => one !== undefined);
    const running = begun.find(one => one.status === 'running');
    const failed = begun.find(one => one.status === 'failed');
    if (!begun.length || (begun.length < cells.length && !running && !failed)) {
      return null;
    }
    const same = cells.every((cell, index) => held[index]?.source === cell.source);
    const started = Math.min(...begun.map(one => one.started));
    return {
      run: '',
      status: running ? 'running' : failed ? 'failed' : 'succeeded',
      created: Math.max(...begun.map(one => one.started)),
      started,
      finished: running ? null : Math.max(...begun.map(one => one.finished ?? 0)),
      engine: KERNEL,
      code: same || failed ? (code ?? '') : ''
    };
  }

  private readonly cells = new Map<string, IExecution>();
}

/** A step's runs with the one by hand in its place. */
export function withHand(runs: readonly IStepRun[], hand: IStepRun | null): IStepRun[] {
  return hand ? [hand, ...runs].sort((a, b) => b.created - a.created) : [...runs];
}
