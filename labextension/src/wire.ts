/**
 * The JSON shapes of the server's routes, as `jupyter_ext/nbflow_jupyter/wire/` has them.
 *
 * Each shape has the name it has there with an `I` before it, and the same fields; a test
 * compares the two. Times are seconds since the epoch, sizes are bytes, cells count from 0 and
 * lines from 1.
 */

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
}

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

/**
 * A run in a list. Long values of `params` and `metrics` are cut to a short text.
 *
 * `notebook` is relative to the server's root, null where it lies outside. `steps` is filled
 * for active runs only.
 */
export interface IRunRow {
  run: string;
  id: number;
  flow: string;
  number: number;
  status: RunStatus;
  created: number;
  started: number | null;
  finished: number | null;
  engine: string;
  branch: string | null;
  tags: string[];
  user: string;
  version: string;
  notebook: string | null;
  params: Record<string, Json>;
  metrics: Record<string, Json>;
  error: IErrorNote | null;
  cancelling: boolean;
  steps: IStepState[];
}

/** Runs, newest first. `total` is null where counting would cost more than it tells. */
export interface IRunPage {
  runs: IRunRow[];
  next: string | null;
  total: number | null;
  seq: number;
}

/** What the runs of a store can be filtered by. */
export interface IFacets {
  flows: string[];
  tags: string[];
  branches: string[];
  engines: string[];
}

/**
 * A parameter as a form shows it. `schema` is a JSON Schema of its values.
 *
 * `value` is the default, or what the run had. `source` is the default as the notebook has it.
 */
export interface IParameterField {
  name: string;
  type: string;
  annotation: string | null;
  source: string;
  value: Json;
  schema: Record<string, Json>;
  help: string;
  cell: number | null;
  line: number | null;
}

/** Everything recorded of a run as a whole. */
export interface IRunDetail {
  row: IRunRow;
  parameters: IParameterField[];
  environment: Record<string, Json>;
  options: Record<string, Json>;
  git: string | null;
  dirty: boolean;
  host: string;
  seed: number | null;
  parent: string | null;
  error: IRunError | null;
}

/**
 * One thing that is far from what it was. `message` has names between backticks.
 *
 * `kind` is one of `empty nan columns type failed rows shape missing metric constant skipped tasks
 * mean new duration`. `name` is null where it is the step itself. `weight`, from about 1 to 12,
 * tells how much it matters; from 7 on it is a warning. `also` names columns, or variables as
 * `step/name`, to which the same has happened.
 */
export interface IFlag {
  kind: string;
  step: string;
  name: string | null;
  column: string | null;
  message: string;
  weight: number;
  also: string[];
}

/** What else has changed since an earlier run; `code` are the steps whose code has. */
export interface ISince {
  run: string;
  parameters: string[];
  code: string[];
  packages: string[];
}

/**
 * What is out of the ordinary in a run, what matters most first.
 *
 * `against` are the paths of the runs that it was held against, newest first; `since` is about the
 * newest. All are empty while the run goes on.
 */
export interface IFlags {
  run: string;
  against: string[];
  flags: IFlag[];
  since: ISince | null;
}

/**
 * Start a run of a notebook; `notebook` is relative to the server's root. The rest is optional.
 *
 * `params` are JSON values by name.
 */
export interface IStartRequest {
  notebook?: string;
  params?: Record<string, Json>;
  engine?: string | null;
  max_workers?: number | null;
  tags?: string[];
  branch?: string | null;
  variants?: Record<string, string>;
  cache?: boolean;
  start_from?: string | null;
}

/** Go on from what a run has finished. All is optional. */
export interface IResumeRequest {
  params?: Record<string, Json>;
  engine?: string | null;
  max_workers?: number | null;
}

/** The run that was started, and the store it is in. */
export interface IStarted {
  run: string;
  store: string;
}

/** Whether the run was still going on and has been asked to stop. */
export interface ICancelled {
  cancelling: boolean;
}

/** Tags to add and to take away. */
export interface ITagRequest {
  add?: string[];
  remove?: string[];
}

/** The run's tags as they are now. */
export interface ITags {
  tags: string[];
}

/** One name over the compared runs, in their order; null with `present` false: it has none. */
export interface ICompareRow {
  name: string;
  values: Json[];
  present: boolean[];
  differs: boolean;
}

/** A module's unified diff from the first run to each; empty where they are the same. */
export interface ICodeDiff {
  name: string;
  diffs: string[];
}

/**
 * Runs side by side; the first one is the baseline.
 *
 * A value of `data` is `{"type", "size", "text", "preview"}`.
 */
export interface ICompare {
  runs: IRunRow[];
  params: ICompareRow[];
  metrics: ICompareRow[];
  environment: ICompareRow[];
  data: ICompareRow[];
  code: ICodeDiff[];
}

/** A name that a step reads, and the steps that may have written it, nearest first. */
export interface INodeInput {
  name: string;
  sources: string[];
  kind: string;
}

/** A step in the graph. `line` are the fan-outs that its tasks are in, outermost first. */
export interface IGraphNode {
  name: string;
  cells: number[];
  doc: string;
  foreach: string | null;
  when: string | null;
  each: string | null;
  line: string[];
  inputs: INodeInput[];
  parameters: string[];
  outputs: string[];
  crossing: string[];
  resources: Record<string, Json>;
  options: Record<string, Json>;
  code: string;
}

/** What passes from one step to another; no names where it is order alone. */
export interface IGraphEdge {
  source: string;
  target: string;
  names: string[];
}

/** Steps and edges in notebook order; `states` is empty for a notebook that has not run. */
export interface IGraph {
  nodes: IGraphNode[];
  edges: IGraphEdge[];
  states: IStepState[];
}

/** The states of a run's steps, in notebook order. */
export interface ISteps {
  status: RunStatus;
  steps: IStepState[];
}

/**
 * All tasks of a step in few bytes, in key order: a column each.
 *
 * `status` has one letter a task (`LETTERS`). `keys` is null where they are 0, 1, 2, …
 * `start` is seconds after the run's start, null for a cached task, which took no time.
 * `total` counts tasks that have no record yet too.
 */
export interface IHeatStrip {
  step: string;
  count: number;
  total: number | null;
  status: string;
  keys: string[] | null;
  start: (number | null)[];
  seconds: (number | null)[];
}

/** A task in a list. `values` are its small values, long ones left out. */
export interface ITaskRow {
  step: string;
  key: string;
  part: Part;
  path: string;
  status: Status;
  attempt: number;
  item: Json;
  started: number | null;
  finished: number | null;
  worker: string | null;
  cached_from: string | null;
  reason: string | null;
  values: Record<string, Json>;
  error: IErrorNote | null;
}

/** Tasks as sorted and filtered; `total` counts all that match. */
export interface ITaskPage {
  tasks: ITaskRow[];
  next: string | null;
  total: number;
}

/** An earlier attempt of a task, which failed. Its log is had by its number. */
export interface IAttempt {
  attempt: number;
  part: Part;
  status: Status;
  started: number | null;
  finished: number | null;
  worker: string | null;
  error: IRunError | null;
}

/**
 * A kept value, shown without loading it. `text` is it in short; `preview` has a `kind`.
 *
 * `image` says that `…/image` serves a picture of it.
 */
export interface IArtifactInfo {
  name: string;
  path: string;
  type: string;
  size: number;
  codec: string;
  oid: string;
  text: string;
  plain: boolean;
  preview: Record<string, Json> | null;
  image: boolean;
}

/** Everything recorded of a task. `log` and `outputs` say whether there are any. */
export interface ITaskDetail {
  row: ITaskRow;
  error: IRunError | null;
  attempts: IAttempt[];
  artifacts: IArtifactInfo[];
  inputs: INodeInput[];
  changed: string[];
  cells: number[];
  log: number | null;
  outputs: boolean;
}

/**
 * The bytes `start` to `end` of a log, as text. Ask again from `end` until `complete`.
 *
 * `size` is how much there is now. No character is torn apart.
 */
export interface ILogChunk {
  start: number;
  end: number;
  size: number;
  complete: boolean;
  text: string;
}

/** A shown output. It stands for the bytes `start` to `end` of the log. */
export interface IOutputItem {
  start: number;
  end: number;
  data: Record<string, Json>;
  metadata: Record<string, Json>;
}

/** What a task has shown, in order. */
export interface IOutputs {
  outputs: IOutputItem[];
}

/** A cell of the notebook that ran. */
export interface ICellSource {
  cell: number;
  kind: string;
  source: string;
}

/** The module of a step beside its cells. A row of `lines`: line in it, cell, line in that. */
export interface IStepCode {
  step: string;
  path: string;
  text: string;
  cells: ICellSource[];
  lines: number[][];
}

/** A file of the compiled package. */
export interface ICodeFile {
  path: string;
  text: string;
}

/** A version's code. `files` are those that belong to no single step. */
export interface ICode {
  version: string;
  package: string;
  steps: IStepCode[];
  files: ICodeFile[];
}
