/** Where pages go: the main area, and beside it where that holds a single document. */

import { ILabShell, JupyterFrontEnd } from '@jupyterlab/application';
import { DocumentRegistry } from '@jupyterlab/docregistry';
import { SplitPanel, TabPanel, Widget } from '@lumino/widgets';

/** A panel below that is lower than this, in pixels, shows nothing of a page. */
const LOW = 200;

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
  // the panel below shows itself, not the tab that is meant, and may be no higher than its tabs
  const tabs = page.parent?.parent;
  if (tabs instanceof TabPanel) {
    tabs.currentWidget = page;
    if (tabs.parent instanceof SplitPanel && page.node.clientHeight < LOW) {
      tabs.parent.setRelativeSizes([2, 3]);
    }
  }
}
