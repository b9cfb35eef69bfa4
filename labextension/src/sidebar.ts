/** The plugin of the sidebar: the list of runs, and what can be done with one. */

import {
  ILayoutRestorer,
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { Clipboard, ICommandPalette } from '@jupyterlab/apputils';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ReactWidget } from '@jupyterlab/ui-components';
import React from 'react';

import { addRunCommands } from './actions';
import { RunListView } from './components/RunListView';
import { flowIcon } from './icons';
import { CommandIDs, INbflow } from './tokens';
import { IChange } from './wire';

export const PLUGIN_ID = '@nbflow/labextension:plugin';
const PANEL_ID = 'nbflow-runs';

export const sidebar: JupyterFrontEndPlugin<void> = {
  id: PLUGIN_ID,
  description: 'The sidebar of runs, and the commands on runs.',
  autoStart: true,
  requires: [INbflow],
  optional: [ISettingRegistry, ICommandPalette, ILayoutRestorer],
  activate: (
    app: JupyterFrontEnd,
    nbflow: INbflow,
    settings: ISettingRegistry | null,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null
  ) => {
    const { runs, live, api, trans } = nbflow;
    const { commands } = app;
    const panel = ReactWidget.create(
      React.createElement(RunListView, {
        list: runs,
        trans,
        facets: () => api.at(runs.store).facets(),
        stores: async () =>
          (await api.stores()).stores.filter(
            store => store.exists || store.name === runs.store
          ),
        onOpen: run => void commands.execute(CommandIDs.openRun, { run }),
        onCompare: chosen => void commands.execute(CommandIDs.compare, { runs: chosen }),
        onStart: () => void commands.execute(CommandIDs.runFlow),
        onCancel: run => void commands.execute(CommandIDs.cancel, { run }),
        onDelete: chosen => void commands.execute(CommandIDs.remove, { runs: chosen }),
        onRefresh: () => void runs.refresh()
      })
    );
    panel.id = PANEL_ID;
    panel.addClass('jp-nbflow-Sidebar');
    panel.title.icon = flowIcon;
    panel.title.caption = trans.__('Runs of flows');
    panel.node.setAttribute('role', 'region');
    panel.node.setAttribute('aria-label', trans.__('Runs of flows'));

    const put = (side: string) =>
      app.shell.add(panel, side, { rank: 250, type: 'nbflow' });
    put('left');
    restorer?.add(panel, PANEL_ID);
    settings
      ?.load(PLUGIN_ID)
      .then(loaded => {
        const place = () => {
          if (loaded.composite.side === 'right') {
            put('right');
          }
        };
        place();
        loaded.changed.connect(place);
      })
      .catch((reason: unknown) => console.warn('nbflow: no settings', reason));

    live.changed.connect((_, change: IChange) => {
      if (change.kind !== 'reset' && change.store !== runs.store) {
        return;
      }
      if (change.kind === 'deleted' && change.path) {
        runs.remove(change.path);
      } else if (change.kind === 'reset' || (change.run && !runs.merge(change.run))) {
        void runs.refresh();
      } else if (change.kind === 'steps' && change.path) {
        const known = runs.runs.find(run => run.run === change.path);
        if (known) {
          const states = new Map(known.steps.map(step => [step.name, step]));
          change.steps.forEach(step => states.set(step.name, step));
          runs.merge({ ...known, steps: [...states.values()] });
        }
      }
    });
    void runs.begin(api.stores().then(({ stores }) => stores));

    commands.addCommand(CommandIDs.showRuns, {
      label: trans.__('Show Runs of Flows'),
      icon: flowIcon,
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () => app.shell.activateById(PANEL_ID)
    });
    commands.addCommand(CommandIDs.refresh, {
      label: trans.__('Refresh Runs'),
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () => runs.refresh()
    });
    commands.addCommand(CommandIDs.copyPath, {
      label: trans.__('Copy Path of Run'),
      describedBy: { args: { type: 'object', properties: { run: { type: 'string' } } } },
      execute: args => {
        const run = (args.run as string | undefined) ?? hit(app);
        if (run) {
          Clipboard.copyToSystem(run);
        }
      }
    });
    addRunCommands(app, nbflow, () => hit(app));

    const category = trans.__('Flows');
    for (const command of [CommandIDs.showRuns, CommandIDs.refresh]) {
      palette?.addItem({ command, category });
    }
    [
      CommandIDs.openRun,
      CommandIDs.startAgain,
      CommandIDs.resume,
      CommandIDs.cancel,
      CommandIDs.tag,
      CommandIDs.copyPath,
      CommandIDs.remove
    ].forEach((command, rank) =>
      app.contextMenu.addItem({ command, selector: '.jp-nbflow-Row', rank })
    );
  }
};

/** The run whose row was clicked with the other button. */
function hit(app: JupyterFrontEnd): string | null {
  return (
    app.contextMenuHitTest(node => node.classList.contains('jp-nbflow-Row'))?.dataset
      .run ?? null
  );
}
