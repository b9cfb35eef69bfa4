/** Places in notebooks: open a cell, put a new one in, read what a cell has now. */

import { JupyterFrontEnd } from '@jupyterlab/application';
import { Cell } from '@jupyterlab/cells';
import { INotebookTracker, NotebookActions, NotebookPanel } from '@jupyterlab/notebook';

import { Api } from '../api';
import { cellTag } from '../models/cells';
import { inputsSource } from '../models/snippets';

/** A server path without the name of a drive. */
export function serverPath(path: string): string {
  return path.replace(/^[A-Za-z-]+:/, '');
}

/** The open notebook of that path, if any. */
export function openNotebook(
  tracker: INotebookTracker,
  path: string
): NotebookPanel | null {
  return tracker.find(panel => serverPath(panel.context.path) === path) ?? null;
}

/** The tags of a cell's metadata. */
export function tagsOf(cell: Cell): string[] {
  const tags = cell.model.getMetadata('tags') as unknown;
  return Array.isArray(tags) ? tags.map(String) : [];
}

/** The name of the step that a cell belongs to. */
export function stepOf(cell: Cell): string | null {
  if (cell.model.type !== 'code') {
    return null;
  }
  const tag = cellTag(cell.model.sharedModel.getSource(), tagsOf(cell));
  return tag?.kind === 'step' ? tag.name : null;
}

/**
 * The cell that ran as number `index`, though the notebook may have changed since: the one with
 * the same source, else of the same step, else at the same place.
 */
export function findCell(
  panel: NotebookPanel,
  index: number,
  step: string,
  source: string | null
): number {
  const cells = panel.content.widgets;
  const same = (at: number) =>
    source !== null && cells[at]?.model.sharedModel.getSource() === source;
  if (same(index)) {
    return index;
  }
  const moved = cells.findIndex((_, at) => same(at));
  if (moved >= 0) {
    return moved;
  }
  if (cells[index] && (!step || stepOf(cells[index]) === step)) {
    return index;
  }
  const named = cells.findIndex(cell => stepOf(cell) === step);
  return named >= 0 ? named : Math.min(index, cells.length - 1);
}

/** Open a notebook at a cell, with the cursor on a line of it. */
export async function goToCell(
  app: JupyterFrontEnd,
  tracker: INotebookTracker,
  place: {
    notebook: string;
    cell: number;
    line: number | null;
    step: string;
    source: string | null;
  }
): Promise<NotebookPanel | null> {
  const opened = openNotebook(tracker, place.notebook);
  const panel =
    opened ??
    ((await app.commands.execute('docmanager:open', {
      path: place.notebook,
      factory: 'Notebook'
    })) as NotebookPanel | undefined);
  if (!panel) {
    // it opens in a window of its own
    return null;
  }
  app.shell.activateById(panel.id);
  await panel.context.ready;
  await panel.revealed;
  const index = findCell(panel, place.cell, place.step, place.source);
  const notebook = panel.content;
  notebook.deselectAll();
  notebook.activeCellIndex = index;
  const cell = notebook.widgets[index];
  await notebook.scrollToItem(index, 'center');
  await cell.ready;
  if (place.line !== null && cell.editor) {
    const line = Math.min(place.line - 1, cell.editor.lineCount - 1);
    notebook.mode = 'edit';
    cell.editor.focus();
    cell.editor.setCursorPosition({ line, column: 0 });
    cell.editor.setSelection({
      start: { line, column: 0 },
      end: { line, column: cell.editor.getLine(line)?.length ?? 0 }
    });
  }
  cell.node.classList.add('jp-nbflow-mod-shown');
  window.setTimeout(() => cell.node.classList.remove('jp-nbflow-mod-shown'), 1800);
  return panel;
}

/** Put a code cell below the active one and, unless it is only to be there, run it. */
export async function insertCell(
  app: JupyterFrontEnd,
  panel: NotebookPanel,
  source: string,
  run = true
): Promise<void> {
  app.shell.activateById(panel.id);
  await panel.context.ready;
  NotebookActions.insertBelow(panel.content);
  panel.content.activeCell?.model.sharedModel.setSource(source);
  if (run) {
    await NotebookActions.run(panel.content, panel.sessionContext);
  }
}

/**
 * Bring a task of a run to where its code was written: below the step's cell comes a cell that
 * loads the task's exact inputs. It is run, and gives a cell with the step's body; the cursor
 * goes to the line of it that failed.
 */
export async function debugHere(
  app: JupyterFrontEnd,
  tracker: INotebookTracker,
  api: Api,
  of: { run: string; step: string; key: string | null }
): Promise<void> {
  const { row, error } = await api.run(of.run);
  const key = of.key ?? (error?.step === of.step ? error.task : '');
  const failed = (await api.task(of.run, { step: of.step, key })).error;
  const { cells } = (await api.code(of.run)).steps.find(one => one.step === of.step)!;
  const ran = cells.find(cell => cell.cell === failed?.cell) ?? cells[0];
  if (!row.notebook || !ran) {
    throw new Error(`The notebook of ${of.run} is not below the server’s folder.`);
  }
  const panel = await goToCell(app, tracker, {
    notebook: row.notebook,
    cell: ran.cell,
    line: null,
    step: of.step,
    source: ran.source
  });
  if (!panel) {
    return;
  }
  const { content } = panel;
  content.mode = 'command';
  await insertCell(app, panel, inputsSource(of.run, of.step, key));
  const text = ran.source.split('\n')[(failed?.line ?? 0) - 1];
  const cell = content.widgets[content.activeCellIndex + 1];
  const body = cell?.model.sharedModel.getSource().split('\n') ?? [];
  if (body[0]?.startsWith(`# ${of.run}/${of.step}`)) {
    content.activeCellIndex += 1;
    content.mode = 'edit';
    await cell.ready;
    cell.editor?.focus();
    cell.editor?.setCursorPosition({ line: Math.max(0, body.indexOf(text)), column: 0 });
  }
}
