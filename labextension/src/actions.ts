/** What can be done with a run, as commands: cancel, resume, tag, delete, start again. */

import { JupyterFrontEnd } from '@jupyterlab/application';
import { Dialog, InputDialog, Notification, showDialog } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { ApiError } from './api';
import { startForm } from './components/StartForm';
import { bytes } from './models/format';
import { isFinal } from './models/runpage';
import { CommandIDs, INbflow } from './tokens';
import { IRunRow, IStarted, IStartRequest, Json } from './wire';

const RUN = {
  args: { type: 'object', properties: { run: { type: 'string' } } }
} as const;

/** What went wrong, in a sentence, with the place and the way out where they are known. */
function told(reason: unknown): string {
  const first = reason instanceof ApiError ? reason.diagnostics[0] : undefined;
  if (!first) {
    return reason instanceof Error ? reason.message : String(reason);
  }
  const place =
    first.cell !== null ? ` (cell ${first.cell}, line ${first.line ?? 1})` : '';
  return `${first.code}: ${first.message}${place} ${first.fix ?? ''}`;
}

/** Say what went wrong where everybody sees it. */
export function complain(reason: unknown): void {
  Notification.error(told(reason), { autoClose: 12000 });
}

/** Ask how to run a notebook, start it, and open the run; ask again where it cannot be so. */
export async function startNotebook(
  app: JupyterFrontEnd,
  nbflow: INbflow,
  notebook: string,
  values: Readonly<Record<string, Json>> = {},
  engine = ''
): Promise<void> {
  const { api, trans } = nbflow;
  try {
    const [form, info] = await Promise.all([api.parameters(notebook), api.info()]);
    const errors = form.diagnostics.filter(found => found.severity === 'error');
    if (errors.length) {
      throw new ApiError(400, errors[0].message, errors);
    }
    let body = startForm({ form, engines: info.engines, engine, values, trans });
    let started: IStarted | null = null;
    while (!started) {
      const answer = await showDialog<IStartRequest>({
        title: trans.__('Run %1', form.flow),
        body,
        buttons: [
          Dialog.cancelButton({ label: trans.__('Cancel') }),
          Dialog.okButton({ label: trans.__('Run') })
        ]
      });
      if (!answer.button.accept || !answer.value) {
        return;
      }
      const starting = Notification.emit(
        trans.__('Starting a run of %1 …', form.flow),
        'in-progress',
        { autoClose: false }
      );
      try {
        started = await api.start(answer.value);
      } catch (reason) {
        body = body.again(told(reason));
      } finally {
        Notification.dismiss(starting);
      }
    }
    const { run, store } = started;
    await nbflow.runs.setStore(store);
    await nbflow.runs.refresh();
    await app.commands.execute(CommandIDs.openRun, { run, store });
  } catch (reason) {
    complain(reason);
  }
}

/** Ask where the package of a saved notebook is to go, and put it there. */
export async function exportNotebook(
  app: JupyterFrontEnd,
  nbflow: INbflow,
  notebook: string
): Promise<void> {
  const { api, trans } = nbflow;
  try {
    const { name, data } = await api.package(notebook);
    const beside = PathExt.join(PathExt.dirname(notebook), name);
    const save = trans.__('Save as %1', beside);
    const answer = await showDialog({
      title: trans.__('Export as a package'),
      body: trans.__(
        'The Python package that the notebook compiles to, %1. It runs without nbflow.',
        bytes(data.size)
      ),
      buttons: [
        Dialog.cancelButton({ label: trans.__('Cancel') }),
        Dialog.createButton({ label: save }),
        Dialog.okButton({ label: trans.__('Download') })
      ]
    });
    if (!answer.button.accept) {
      return;
    }
    if (answer.button.label === save) {
      await app.serviceManager.contents.save(beside, {
        type: 'file',
        format: 'base64',
        content: await base64(data)
      });
      Notification.success(trans.__('Saved as %1', beside), { autoClose: 5000 });
    } else {
      const link = document.createElement('a');
      link.href = URL.createObjectURL(data);
      link.download = name;
      link.click();
      URL.revokeObjectURL(link.href);
    }
  } catch (reason) {
    complain(reason);
  }
}

function base64(data: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result).split(',')[1]);
    reader.onerror = () => reject(reader.error ?? new Error('unreadable'));
    reader.readAsDataURL(data);
  });
}

/** Register the commands; `hit` gives the run of a context menu. */
export function addRunCommands(
  app: JupyterFrontEnd,
  nbflow: INbflow,
  hit: () => string | null
): void {
  const { runs, trans } = nbflow;
  const { commands } = app;
  const at = (args: ReadonlyPartialJSONObject) =>
    nbflow.api.at((args.store as string | undefined) ?? runs.store);
  const path = (args: ReadonlyPartialJSONObject) =>
    (args.run as string | undefined) ?? hit();
  const row = (args: ReadonlyPartialJSONObject): IRunRow | undefined => {
    const run = path(args);
    return runs.runs.find(other => other.run === run);
  };
  const attempt = async (doing: () => Promise<unknown>) => {
    try {
      await doing();
    } catch (reason) {
      complain(reason);
    }
  };

  commands.addCommand(CommandIDs.cancel, {
    label: trans.__('Cancel Run'),
    describedBy: RUN,
    isVisible: args => {
      const run = row(args);
      return !run || !isFinal(run.status);
    },
    execute: args => attempt(async () => path(args) && at(args).cancel(path(args)!))
  });
  commands.addCommand(CommandIDs.resume, {
    label: trans.__('Resume Run'),
    caption: trans.__('Go on from what the run has finished'),
    describedBy: RUN,
    isVisible: args => {
      const run = row(args);
      return !run || isFinal(run.status);
    },
    execute: args =>
      attempt(async () => {
        const run = path(args);
        if (run) {
          const started = await at(args).resume(run);
          await runs.refresh();
          await commands.execute(CommandIDs.openRun, { ...started });
        }
      })
  });
  commands.addCommand(CommandIDs.tag, {
    label: trans.__('Tag Run…'),
    describedBy: RUN,
    execute: args =>
      attempt(async () => {
        const run = path(args);
        if (!run) {
          return;
        }
        const before = (await at(args).run(run)).row.tags;
        const answer = await InputDialog.getText({
          title: trans.__('Tags of %1', run),
          label: trans.__('Words, with spaces between them'),
          text: before.join(' ')
        });
        if (answer.button.accept) {
          const after = (answer.value ?? '').split(/[\s,]+/).filter(Boolean);
          await at(args).tag(run, {
            add: after.filter(tag => !before.includes(tag)),
            remove: before.filter(tag => !after.includes(tag))
          });
          await runs.refresh();
        }
      })
  });
  commands.addCommand(CommandIDs.remove, {
    label: trans.__('Delete Run…'),
    describedBy: {
      args: {
        type: 'object',
        properties: {
          run: { type: 'string' },
          runs: { type: 'array', items: { type: 'string' } }
        }
      }
    },
    execute: args =>
      attempt(async () => {
        const one = path(args);
        const chosen = (args.runs as string[] | undefined) ?? (one ? [one] : []);
        if (!chosen.length) {
          return;
        }
        const answer = await showDialog({
          title: trans._n('Delete %1 run?', 'Delete %1 runs?', chosen.length),
          body: trans.__('%1. Their values and logs go with them.', chosen.join(', ')),
          buttons: [
            Dialog.cancelButton({ label: trans.__('Cancel') }),
            Dialog.warnButton({ label: trans.__('Delete') })
          ]
        });
        if (answer.button.accept) {
          for (const run of chosen) {
            await at(args).remove(run);
            runs.remove(run);
          }
        }
      })
  });
  commands.addCommand(CommandIDs.startAgain, {
    label: trans.__('Run Again…'),
    caption: trans.__('Start the notebook of this run with its parameters'),
    describedBy: RUN,
    execute: args =>
      attempt(async () => {
        const run = path(args);
        if (!run) {
          return;
        }
        const { row: of, parameters } = await at(args).run(run);
        if (of.notebook) {
          const values = Object.fromEntries(
            parameters.map(field => [field.name, field.value])
          );
          await startNotebook(app, nbflow, of.notebook, values, of.engine);
        }
      })
  });
}
