/** Wire, runs: lists, one run, starting, tagging, comparing. */

import { IErrorNote, IRunError, IStepState, Json, RunStatus } from './common';

/**
 * A run in a list. Long values of `params` and `metrics` are cut to a short text.
 *
 * `notebook` is relative to the server's root, null where it lies outside. `steps` is filled
 * for active runs only. `flags` counts what is a warning among the flags of a run that has ended.
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
  flags: number;
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

/** Everything recorded of a run as a whole; `lost` says of a lost one what became of it. */
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
  lost: string | null;
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
