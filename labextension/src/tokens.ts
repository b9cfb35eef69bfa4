/** What the plugins share: the service they stand on, and the names of commands. */

import { TranslationBundle } from '@jupyterlab/translation';
import { Token } from '@lumino/coreutils';

import { Api } from './api';
import { Live } from './live';
import { RunList } from './models/runlist';

/** The one connection to the server, and the list of runs that everything shows. */
export interface INbflow {
  readonly api: Api;
  readonly live: Live;
  readonly runs: RunList;
  readonly trans: TranslationBundle;
}

export const INbflow = new Token<INbflow>(
  '@nbflow/labextension:INbflow',
  'Runs of notebook flows: the server’s routes, live changes, the list of runs.'
);

export namespace CommandIDs {
  export const showRuns = 'nbflow:show-runs';
  export const refresh = 'nbflow:refresh';
  export const openRun = 'nbflow:open-run';
  export const compare = 'nbflow:compare';
  export const cancel = 'nbflow:cancel-run';
  export const resume = 'nbflow:resume-run';
  export const tag = 'nbflow:tag-run';
  export const remove = 'nbflow:delete-run';
  export const copyPath = 'nbflow:copy-run-path';
  export const startAgain = 'nbflow:start-again';
  export const runFlow = 'nbflow:run-flow';
  export const exportFlow = 'nbflow:export-flow';
  export const openLatest = 'nbflow:open-latest-run';
  export const showGraph = 'nbflow:show-graph';
  export const goToCell = 'nbflow:go-to-cell';
  export const insertCell = 'nbflow:insert-cell';
  export const debugTask = 'nbflow:debug-task';
}
