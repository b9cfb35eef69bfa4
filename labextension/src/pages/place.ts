/** Where pages go: the main area, and beside it where that holds a single document. */

import { ILabShell, JupyterFrontEnd } from '@jupyterlab/application';
import { DocumentRegistry } from '@jupyterlab/docregistry';
import { TabPanel, Widget } from '@lumino/widgets';

/**
 * Show a page in the main area; in Notebook 7, whose main area is the notebook's, below it or, if
 * it is `narrow`, at its right.
 */
export function showPage(
  app: JupyterFrontEnd,
  lab: ILabShell | null,
  page: Widget,
  options: DocumentRegistry.IOpenOptions & { narrow?: boolean } = {}
): void {
  const { narrow, ...rest } = options;
  const area = lab ? 'main' : narrow ? 'right' : 'down';
  app.shell.add(page, area, lab ? { ...rest, type: 'nbflow' } : {});
  activatePage(app, page);
}

/** Bring a page that is shown to the front. */
export function activatePage(app: JupyterFrontEnd, page: Widget): void {
  app.shell.activateById(page.id);
  // the panel below shows itself, not the tab that is meant
  const tabs = page.parent?.parent;
  if (tabs instanceof TabPanel) {
    tabs.currentWidget = page;
  }
}
