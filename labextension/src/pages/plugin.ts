/** The plugin of pages in the main area: a run, and runs side by side. */

import {
  ILabShell,
  ILayoutRestorer,
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import {
  Clipboard,
  ICommandPalette,
  MainAreaWidget,
  WidgetTracker
} from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { Widget } from '@lumino/widgets';

import { compareIcon, flowIcon } from '../icons';
import { IPageState } from '../models/runpage';
import { goToCell, openNotebook, stepOf } from '../notebook/places';
import { CommandIDs, INbflow } from '../tokens';
import type { ComparePage } from './compare';
import { activatePage, showPage } from './place';
import type { RunPageWidget } from './run';

type PageArgs = Partial<IPageState> & { run?: string; store?: string };

export const pages: JupyterFrontEndPlugin<void> = {
  id: '@nbflow/labextension:pages',
  description: 'Pages of runs and of comparisons.',
  autoStart: true,
  requires: [INbflow, IRenderMimeRegistry],
  optional: [INotebookTracker, ILayoutRestorer, ICommandPalette, ILabShell],
  activate: (
    app: JupyterFrontEnd,
    nbflow: INbflow,
    rendermime: IRenderMimeRegistry,
    notebooks: INotebookTracker | null,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    lab: ILabShell | null
  ) => {
    const { commands } = app;
    const { trans, api, live } = nbflow;
    const runPages = new WidgetTracker<MainAreaWidget<RunPageWidget>>({
      namespace: 'nbflow-run'
    });
    const comparisons = new WidgetTracker<MainAreaWidget<ComparePage>>({
      namespace: 'nbflow-compare'
    });
    runPages.currentChanged.connect((_, page) => {
      const model = page?.content.model;
      if (model?.api.store === nbflow.runs.store) {
        nbflow.runs.setCurrent(model.path);
      }
    });
    // two openings of one page while its code is on the way give one page
    const opening = new Map<string, Promise<Widget>>();
    const once = async (id: string, make: () => Promise<Widget>) => {
      const known = [
        ...runPages.filter(() => true),
        ...comparisons.filter(() => true)
      ].find((widget: Widget) => widget.id === id);
      if (known) {
        activatePage(app, known);
        return known;
      }
      const made = opening.get(id) ?? make().finally(() => opening.delete(id));
      opening.set(id, made);
      return made;
    };
    const show = (widget: Widget, id: string) => {
      widget.id = id;
      widget.title.closable = true;
      showPage(app, lab, widget);
    };

    const runLabel = trans.__('Open Run');
    commands.addCommand(CommandIDs.openRun, {
      label: runLabel,
      icon: flowIcon,
      describedBy: {
        args: {
          type: 'object',
          properties: {
            run: { type: 'string' },
            store: { type: 'string' },
            step: { type: 'string' },
            key: { type: 'string' },
            tab: { type: 'string' },
            view: { type: 'string' }
          }
        }
      },
      execute: async args => {
        const { run: given, store = nbflow.runs.store, ...state } = args as PageArgs;
        const run =
          given ??
          app.contextMenuHitTest(node => node.classList.contains('jp-nbflow-Row'))
            ?.dataset.run ??
          nbflow.runs.runs[0]?.run;
        if (!run) {
          return undefined;
        }
        const id = `nbflow-run-${store}:${run}`;
        const widget = (await once(id, async () => {
          const { RunPageWidget } = await import('./run');
          const content = new RunPageWidget({
            app,
            api: api.at(store),
            live,
            trans,
            rendermime,
            run,
            state,
            go: place => notebooks && void goToCell(app, notebooks, place),
            insert: source => void commands.execute(CommandIDs.insertCell, { source }),
            copy: text => Clipboard.copyToSystem(text),
            current: (notebook, step) => {
              const panel = notebooks && openNotebook(notebooks, notebook);
              return panel
                ? panel.content.widgets
                    .filter(cell => stepOf(cell) === step)
                    .map(cell => cell.model.sharedModel.getSource())
                : null;
            }
          });
          const page = new MainAreaWidget({ content });
          page.toolbar.hide();
          page.title.label = run;
          page.title.icon = flowIcon;
          page.title.caption = trans.__('Run %1', run);
          show(page, id);
          await runPages.add(page);
          content.model.stateChanged.connect(() => void runPages.save(page));
          return page;
        })) as MainAreaWidget<RunPageWidget>;
        if (state.step !== undefined || state.tab !== undefined) {
          widget.content.model.select(state);
        }
        return widget;
      }
    });
    commands.addCommand(CommandIDs.compare, {
      label: trans.__('Compare Selected Runs'),
      icon: compareIcon,
      describedBy: {
        args: {
          type: 'object',
          properties: {
            runs: { type: 'array', items: { type: 'string' } },
            store: { type: 'string' }
          }
        }
      },
      isEnabled: args => Array.isArray(args.runs) || nbflow.runs.selected.size > 1,
      execute: async args => {
        const runs = (args.runs as string[] | undefined) ?? [...nbflow.runs.selected];
        const store = (args.store as string | undefined) ?? nbflow.runs.store;
        const id = `nbflow-compare-${store}:${runs.join('+')}`;
        return once(id, async () => {
          const { ComparePage } = await import('./compare');
          const content = new ComparePage({
            api: api.at(store),
            trans,
            runs,
            open: run => void commands.execute(CommandIDs.openRun, { run, store })
          });
          const page = new MainAreaWidget({ content });
          page.toolbar.hide();
          page.title.label = trans._n('%1 run', '%1 runs', runs.length);
          page.title.icon = compareIcon;
          page.title.caption = runs.join(', ');
          show(page, id);
          await comparisons.add(page);
          return page;
        });
      }
    });
    palette?.addItem({ command: CommandIDs.openRun, category: trans.__('Flows') });
    palette?.addItem({ command: CommandIDs.compare, category: trans.__('Flows') });

    if (restorer) {
      void restorer.restore(runPages, {
        command: CommandIDs.openRun,
        args: page => ({
          run: page.content.model.path,
          store: page.content.model.api.store,
          ...page.content.model.state
        }),
        name: page => page.id
      });
      void restorer.restore(comparisons, {
        command: CommandIDs.compare,
        args: page => ({ runs: page.content.runs, store: page.content.store }),
        name: page => page.id
      });
    }
  }
};
