/** Wire, what all share: statuses, diagnostics, errors, the state of a step. */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export type RunStatus =
  'pending' | 'running' | 'succeeded' | 'failed' | 'cancelled' | 'lost';

export type Status = RunStatus | 'skipped' | 'cached';

export type Part = 'main' | 'items';

/** One finding, as the compiler says it. */
export interface IDiagnostic {
  code: string;
  severity: 'error' | 'warning' | 'info';
  message: string;
  cell: number | null;
  line: number | null;
  column: number | null;
  fix: string | null;
}

/** The body of every answer whose status is 400 or more. */
export interface IProblem {
  message: string;
  diagnostics: IDiagnostic[];
}

/**
 * A store that this server can show: `name` is its folder below the server's root.
 *
 * Every request takes `store=NAME`; without it, the default one is meant.
 */
export interface IStoreInfo {
  name: string;
  exists: boolean;
  default: boolean;
}

/** The stores there are; `serving` is the one of the notebook that was asked for. */
export interface IStores {
  stores: IStoreInfo[];
  serving: string | null;
}

/** An engine to start runs on. */
export interface IEngineInfo {
  name: string;
  title: string;
}

/** What the front end has to know first. */
export interface IInfo {
  version: string;
  api: number;
  stores: IStoreInfo[];
  engines: IEngineInfo[];
}

/** An error in short. */
export interface IErrorNote {
  step: string;
  task: string;
  cell: number | null;
  line: number | null;
  type: string;
  message: string;
}

/** An error in full. `cell` and `line` are those of the notebook that ran. */
export interface IRunError {
  step: string;
  task: string;
  cell: number | null;
  line: number | null;
  type: string;
  message: string;
  traceback: string;
}

/** A step of a run as it stands. `total` is null while a fan-out's items are unknown. */
export interface IStepState {
  name: string;
  status: Status;
  counts: Record<string, number>;
  done: number;
  total: number | null;
  started: number | null;
  finished: number | null;
  waits: string | null;
}
