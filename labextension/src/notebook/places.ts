/** Places in notebooks: open a cell, put a new one in, read what a cell has now. */

import { JupyterFrontEnd } from '@jupyterlab/application';
import { Cell } from '@jupyterlab/cells';
import { INotebookTracker, NotebookActions, NotebookPanel } from '@jupyterlab/notebook';

import { cellTag } from '../models/cells';

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
): Promise<void> {
  const opened = openNotebook(tracker, place.notebook);
  const panel =
    opened ??
    ((await app.commands.execute('docmanager:open', {
      path: place.notebook,
      factory: 'Notebook'
    })) as NotebookPanel);
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
}

/** Put a code cell below the active one and run it. */
export async function insertCell(
  app: JupyterFrontEnd,
  panel: NotebookPanel,
  source: string
): Promise<void> {
  app.shell.activateById(panel.id);
  await panel.context.ready;
  NotebookActions.insertBelow(panel.content);
  panel.content.activeCell?.model.sharedModel.setSource(source);
  await NotebookActions.run(panel.content, panel.sessionContext);
}
