/** The plugin of notebooks: badges, diagnostics, the graph beside, the toolbar. */

import {
  ILabShell,
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import {
  CommandToolbarButton,
  ICommandPalette,
  Notification
} from '@jupyterlab/apputils';
import {
  EditorExtensionRegistry,
  IEditorExtensionRegistry
} from '@jupyterlab/codemirror';
import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ReactWidget } from '@jupyterlab/ui-components';
import React from 'react';

import { complain, exportNotebook, startNotebook } from '../actions';
import { History } from '../components/History';
import { flowIcon } from '../icons';
import { activatePage, showPage } from '../pages/place';
import { PLUGIN_ID } from '../sidebar';
import { CommandIDs, INbflow } from '../tokens';
import { cellMarks } from './marks';
import { NotebookFlow } from './model';
import { debugHere, goToCell, insertCell, openNotebook, serverPath } from './places';
import { popover } from './popover';
import { GraphPanel } from './GraphPanel';

const NO_ARGS = { args: { type: 'object', properties: {} } } as const;

export const notebooks: JupyterFrontEndPlugin<void> = {
  id: '@nbflow/labextension:notebooks',
  description: 'What cells are to a flow: badges, diagnostics, a graph, a toolbar.',
  autoStart: true,
  requires: [INbflow, INotebookTracker, IEditorExtensionRegistry],
  optional: [ISettingRegistry, ICommandPalette, ILabShell],
  activate: (
    app: JupyterFrontEnd,
    nbflow: INbflow,
    tracker: INotebookTracker,
    editors: IEditorExtensionRegistry,
    settings: ISettingRegistry | null,
    palette: ICommandPalette | null,
    lab: ILabShell | null
  ) => {
    const { trans, api } = nbflow;
    const { commands, shell } = app;
    const flows = new Map<NotebookPanel, NotebookFlow>();
    const choices = { badges: true, diagnostics: true, delay: 350, engine: '' };

    const attach = (panel: NotebookPanel) => {
      const flow = new NotebookFlow(panel, nbflow, choices);
      flows.set(panel, flow);
      panel.disposed.connect(() => {
        flow.dispose();
        flows.delete(panel);
      });
      // Notebook 7 fills the toolbar only when the notebook is there
      void panel.revealed.then(() => panel.isDisposed || toolbar(panel, flow));
    };
    const toolbar = (panel: NotebookPanel, flow: NotebookFlow) => {
      const add = (name: string, id: string, label: string) => {
        const button = new CommandToolbarButton({ commands, id, label });
        button.addClass('jp-nbflow-Toolbar');
        panel.toolbar.insertBefore('spacer', name, button);
        const show = () => button.setHidden(!flow.isFlow);
        flow.changed.connect(show);
        show();
      };
      add('nbflow-run', CommandIDs.runFlow, trans.__('Run flow'));
      add('nbflow-graph', CommandIDs.showGraph, trans.__('Graph'));
      add('nbflow-export', CommandIDs.exportFlow, trans.__('Export'));
      add('nbflow-latest', CommandIDs.openLatest, trans.__('Last run'));
    };
    const current = () => {
      const panel = tracker.currentWidget;
      return panel ? (flows.get(panel) ?? null) : null;
    };

    editors.addExtension({
      name: 'nbflow:marks',
      factory: options => {
        const shared = options.model.sharedModel;
        if (!options.inline || !('cell_type' in shared)) {
          return null;
        }
        const id = (shared as unknown as { id: string }).id;
        return EditorExtensionRegistry.createImmutableExtension(
          cellMarks({
            trans,
            find: () => {
              for (const flow of flows.values()) {
                const index = flow.indexOf(id);
                if (index >= 0) {
                  return { flow, index };
                }
              }
              return null;
            },
            any: NotebookFlow.anyChanged,
            history: (badge, flow, step) => {
              const { store } = flow;
              popover(badge, trans.__('Runs of %1', step), close => {
                const then = (id: string, args = {}) => {
                  close();
                  void commands.execute(id, args);
                };
                return React.createElement(History, {
                  step,
                  state: flow.badge(step).state,
                  ...flow.history(step),
                  trans,
                  onOpen: run => then(CommandIDs.openRun, { run, step, store }),
                  onDebug: run => then(CommandIDs.debugTask, { run, step, store }),
                  onRun: () => then(CommandIDs.runFlow),
                  notes: flow.notesOf(step),
                  tried: () => flow.tried(step),
                  onInsert: source => {
                    const notebook = flow.path;
                    then(CommandIDs.insertCell, { source, notebook, run: false });
                  }
                });
              });
            }
          })
        );
      }
    });
    tracker.widgetAdded.connect((_, panel) => attach(panel));
    tracker.forEach(attach);

    settings
      ?.load(PLUGIN_ID)
      .then(loaded => {
        const take = () => {
          Object.assign(choices, {
            badges: loaded.composite.badges,
            diagnostics: loaded.composite.diagnostics,
            delay: loaded.composite.delay,
            engine: loaded.composite.engine
          });
          flows.forEach(flow => flow.redraw());
        };
        take();
        loaded.changed.connect(take);
      })
      .catch((reason: unknown) => console.warn('nbflow: no settings', reason));

    commands.addCommand(CommandIDs.runFlow, {
      label: trans.__('Run Notebook as a Flow…'),
      caption: trans.__('Save the notebook and run its steps as a flow'),
      icon: flowIcon,
      describedBy: NO_ARGS,
      isEnabled: () => tracker.currentWidget !== null,
      execute: async () => {
        const panel = tracker.currentWidget;
        if (!panel) {
          Notification.info(trans.__('Open the notebook that is to run.'));
          return;
        }
        await panel.context.save();
        await startNotebook(
          app,
          nbflow,
          serverPath(panel.context.path),
          {},
          choices.engine
        );
      }
    });
    commands.addCommand(CommandIDs.openLatest, {
      label: trans.__('Open Last Run of Notebook'),
      describedBy: NO_ARGS,
      isEnabled: () => tracker.currentWidget !== null,
      execute: async () => {
        const run = current()?.latest;
        if (run) {
          await commands.execute(CommandIDs.openRun, { run, store: current()?.store });
        } else {
          Notification.info(trans.__('This notebook has not run as a flow yet.'));
        }
      }
    });
    commands.addCommand(CommandIDs.exportFlow, {
      label: trans.__('Export Notebook as a Package…'),
      caption: trans.__(
        'The Python package that the notebook compiles to, as a zip file'
      ),
      describedBy: NO_ARGS,
      isEnabled: () => tracker.currentWidget !== null,
      execute: async () => {
        const panel = tracker.currentWidget;
        if (panel) {
          await panel.context.save();
          await exportNotebook(app, nbflow, serverPath(panel.context.path));
        }
      }
    });
    commands.addCommand(CommandIDs.showGraph, {
      label: trans.__('Show Graph of Notebook'),
      describedBy: NO_ARGS,
      isEnabled: () => tracker.currentWidget !== null,
      execute: () => {
        const flow = current();
        if (!flow) {
          return;
        }
        const id = `nbflow-graph-${flow.panel.id}`;
        const area = lab ? 'main' : 'right';
        const shown = [...shell.widgets(area)].find(widget => widget.id === id);
        if (shown) {
          activatePage(app, shown);
          return;
        }
        const widget = ReactWidget.create(
          React.createElement(GraphPanel, { flow, trans })
        );
        widget.id = id;
        widget.addClass('jp-nbflow-GraphPanel');
        widget.title.label = trans.__('Graph of %1', flow.panel.title.label);
        widget.title.icon = flowIcon;
        widget.title.closable = true;
        showPage(app, lab, widget, {
          mode: 'split-right',
          ref: flow.panel.id,
          narrow: true
        });
        flow.panel.disposed.connect(() => widget.dispose());
      }
    });
    commands.addCommand(CommandIDs.goToCell, {
      label: trans.__('Go to Cell'),
      describedBy: {
        args: {
          type: 'object',
          properties: {
            notebook: { type: 'string' },
            cell: { type: 'integer' },
            line: { type: 'integer' },
            step: { type: 'string' }
          }
        }
      },
      isVisible: () => false,
      execute: args =>
        goToCell(app, tracker, {
          notebook: String(args.notebook),
          cell: Number(args.cell),
          line: args.line === undefined ? null : Number(args.line),
          step: String(args.step ?? ''),
          source: null
        })
    });
    commands.addCommand(CommandIDs.insertCell, {
      label: trans.__('Insert a Cell'),
      describedBy: {
        args: {
          type: 'object',
          properties: {
            source: { type: 'string' },
            notebook: { type: 'string' },
            run: { type: 'boolean' }
          }
        }
      },
      isVisible: () => false,
      execute: async args => {
        const panel =
          (args.notebook ? openNotebook(tracker, String(args.notebook)) : null) ??
          tracker.currentWidget;
        if (!panel) {
          Notification.info(trans.__('Open a notebook to load into.'));
          return;
        }
        const source = String(args.source);
        await insertCell(app, panel, source, args.run !== false).catch(complain);
      }
    });
    commands.addCommand(CommandIDs.debugTask, {
      label: trans.__('Debug Task Here'),
      describedBy: {
        args: {
          type: 'object',
          properties: {
            run: { type: 'string' },
            step: { type: 'string' },
            key: { type: 'string' },
            store: { type: 'string' }
          }
        }
      },
      isVisible: () => false,
      execute: async args => {
        const of = {
          run: String(args.run),
          step: String(args.step),
          key: args.key === undefined ? null : String(args.key)
        };
        await debugHere(app, tracker, api.at(String(args.store ?? '')), of).catch(
          complain
        );
      }
    });
    const category = trans.__('Flows');
    for (const command of [
      CommandIDs.runFlow,
      CommandIDs.openLatest,
      CommandIDs.exportFlow,
      CommandIDs.showGraph
    ]) {
      palette?.addItem({ command, category });
    }
  }
};
