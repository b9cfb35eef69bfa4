/** What a visitor of the Binder does first: open the demo, run it, look at the run. */
import { badge, command, load, page, play, shot, shown, tab, until } from './page.mjs';

const scenarios = {
  async the_demo_is_open() {
    await load('', 'lab/tree/examples/digits.ipynb');
    await shown('.jp-Notebook').waitFor();
    await until(async () => (await badge('load').count()) > 0, 'badges');
    await page.locator('.jp-NotebookPanel-toolbar:visible >> text="Run flow"').waitFor();
  },

  async the_demo_runs() {
    await page.locator('.jp-NotebookPanel-toolbar:visible >> text="Run flow"').click();
    await page.locator('.jp-Dialog .jp-mod-accept').click();
    await shown('.jp-nbflow-Page[data-run="digits/1"]').waitFor({
      timeout: 90000
    });
    await page
      .locator('.jp-nbflow-Page[data-run="digits/1"][data-status=succeeded]')
      .waitFor({ timeout: 180000 });
    await shown('.jp-nbflow-Graph-node[data-step=choose]').click();
    await tab('outputs');
    await shown('.jp-nbflow-Output img').waitFor();
    await command('nbflow:show-runs');
    await page.locator('.jp-nbflow-Row[data-run="digits/1"]').waitFor();
    await shot('binder');
  }
};

await play(scenarios);
