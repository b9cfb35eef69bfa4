/** Wire, tasks: the graph of a run, its tasks, what they printed, showed and kept, its code. */

import {
  IErrorNote,
  IRunError,
  IStepState,
  Json,
  Part,
  RunStatus,
  Status
} from './common';

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
