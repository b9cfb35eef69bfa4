/** Whether a step's last run still stands for the code that the notebook has now. */

import { INotebookStep, IStepRun } from '../wire';
import { KERNEL } from './handruns';

export type CellState = 'never' | 'fresh' | 'stale' | 'running' | 'failed';

export interface IStepBadge {
  state: CellState;
  /** The run that the state is taken from. */
  last: IStepRun | null;
}

/** What ran by hand and is fresh by its code is stale where its kernel knows better. */
export function inKernel(badge: IStepBadge, state: string | undefined): IStepBadge {
  return badge.state === 'fresh' && badge.last?.engine === KERNEL && state === 'stale'
    ? { ...badge, state }
    : badge;
}

/** The state of a step; `code` is the hash of its code now, null where it does not compile. */
export function stepBadge(
  step: INotebookStep | undefined,
  code: string | null
): IStepBadge {
  const newest = step?.runs[0];
  if (!newest) {
    return { state: 'never', last: null };
  }
  if (newest.status === 'running') {
    return { state: 'running', last: newest };
  }
  const finished = step.runs.find(run => run.status !== 'pending');
  if (!finished) {
    return { state: 'never', last: newest };
  }
  if (code !== null && finished.code !== code) {
    return { state: 'stale', last: finished };
  }
  switch (finished.status) {
    case 'failed':
    case 'lost':
      return { state: 'failed', last: finished };
    case 'cancelled':
      return { state: 'never', last: finished };
    default:
      // a notebook that does not compile can't be compared: say what is known to be true
      return { state: code === null ? 'stale' : 'fresh', last: finished };
  }
}
