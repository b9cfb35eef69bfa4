/** The plugins of the extension. */

import { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { Api } from './api';
import { Live } from './live';
import { RunList } from './models/runlist';
import { notebooks } from './notebook/plugin';
import { pages } from './pages/plugin';
import { sidebar } from './sidebar';
import { INbflow } from './tokens';

const service: JupyterFrontEndPlugin<INbflow> = {
  id: '@nbflow/labextension:service',
  description: 'The connection to the runs of notebook flows.',
  autoStart: true,
  provides: INbflow,
  optional: [ITranslator],
  activate: (app: JupyterFrontEnd, translator: ITranslator | null): INbflow => {
    const api = new Api(app.serviceManager.serverSettings);
    const runs: RunList = new RunList((filter, cursor, limit) =>
      api.at(runs.store).runs(filter, cursor, limit)
    );
    return {
      api,
      live: new Live(api),
      runs,
      trans: (translator ?? nullTranslator).load('nbflow')
    };
  }
};

export default [service, sidebar, pages, notebooks];
export { INbflow };
