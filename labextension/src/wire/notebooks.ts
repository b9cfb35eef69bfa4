/** Wire, notebooks: compiled in hand, their forms, their runs, and the live stream. */

import { IDiagnostic, IStepState, Json, Status } from './common';
import { IParameterField, IRunRow } from './runs';
import { IGraph } from './tasks';

/** A cell of a notebook as the editor has it; all but `source` is optional. */
export interface ICompileCell {
  source?: string;
  kind?: 'code' | 'markdown' | 'raw';
  tags?: string[];
  id?: string;
}

/**
 * A notebook that need not be saved. `path` is relative to the server's root.
 *
 * With `code`, the compiled code of each step is wanted too.
 */
export interface ICompileRequest {
  path?: string;
  cells?: ICompileCell[];
  variants?: Record<string, string>;
  code?: boolean;
}

/**
 * A step's module and its hash: equal to a node's `code` in a run of the same code.
 *
 * Both are null where a diagnostic is an error, or where the code was not asked for.
 */
export interface ICompiledStep {
  name: string;
  code: string | null;
  text: string | null;
}

/** What a notebook compiles to. `cell_steps` has the step of each cell, null for none. */
export interface ICompiled {
  flow: string;
  graph: IGraph;
  diagnostics: IDiagnostic[];
  parameters: IParameterField[];
  steps: ICompiledStep[];
  cell_steps: (string | null)[];
  seconds: number;
}

/** A step in one run: for the badge of its cell and the history behind it. */
export interface IStepRun {
  run: string;
  status: Status;
  created: number;
  started: number | null;
  finished: number | null;
  engine: string;
  code: string;
}

/** A step of a notebook over its newest runs, newest first. */
export interface INotebookStep {
  name: string;
  runs: IStepRun[];
}

/** What the runs of a notebook say of its steps; for the badges of its cells. */
export interface INotebookState {
  path: string;
  store: string;
  runs: IRunRow[];
  steps: INotebookStep[];
}

/** One execution of a step's cell by hand. `made` has its small values, others by their kind. */
export interface IInteractiveTask {
  id: number;
  status: Status;
  started: number;
  finished: number;
  code: string;
  made: Record<string, Json>;
  shown: string;
}

/** What a user tried of a step, cell by cell, in any kernel, newest first. */
export interface IInteractiveTasks {
  step: string;
  tasks: IInteractiveTask[];
}

/** The form to start a saved notebook with. */
export interface IParameters {
  flow: string;
  notebook: string;
  parameters: IParameterField[];
  variants: Record<string, string[]>;
  diagnostics: IDiagnostic[];
}

/**
 * A message of the live stream; `seq` counts up by one for each of this server.
 *
 * `hello` comes first and has the last `seq`; `run` has a run that is new or has changed;
 * `steps` those steps of a run that have changed; `deleted` names a run that is gone;
 * `reset` says that anything may have changed: ask again.
 */
export interface IChange {
  seq: number;
  kind: 'hello' | 'run' | 'steps' | 'deleted' | 'reset';
  store: string;
  path: string | null;
  run: IRunRow | null;
  steps: IStepState[];
}

/** The changes after a `seq`; `reset` where they are too many or too old to tell. */
export interface IChanges {
  seq: number;
  reset: boolean;
  changes: IChange[];
}
