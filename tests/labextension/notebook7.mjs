/** The same extension in Notebook 7, whose pages show one document each. */
import {
  badge,
  begin,
  command,
  known,
  load,
  page,
  play,
  rows,
  shot,
  shown,
  tab,
  until
} from './page.mjs';

// Notebook 7.6 says so by itself, without any extension
known.push("Cannot read properties of undefined (reading 'schema')");

/** A page below the document has come, and can be seen. */
async function below(run) {
  const area = shown(`.jp-nbflow-Page[data-run="${run}"]`);
  await area.waitFor();
  await until(async () => (await area.boundingBox()).height > 300, 'room for the page');
}

const scenarios = {
  async sidebar_of_the_file_list() {
    await load('', 'tree');
    await command('nbflow:show-runs');
    await until(async () => (await rows().count()) >= 3, 'the runs');
    await rows().first().click();
    await below('churn/3');
    await shown('.jp-nbflow-Page .jp-nbflow-Graph-node').first().waitFor();
    await shot('notebook7-tree');
  },

  async notebook_with_badges() {
    await load('', 'notebooks/churn.ipynb');
    await shown('.jp-Notebook').waitFor();
    await until(
      async () => (await badge('report').getAttribute('data-state')) === 'fresh',
      'a fresh step'
    );
    await page.locator('.jp-NotebookPanel-toolbar:visible >> text="Graph"').click();
    await shown('.jp-nbflow-GraphPanel .jp-nbflow-Graph-node').first().waitFor();
    await shot('notebook7');
  },

  async run_pages_below() {
    await command('nbflow:show-runs');
    await page.locator('.jp-nbflow-Row[data-run="churn/1"]').click();
    await shown('.jp-nbflow-Page[data-run="churn/1"] .jp-nbflow-Error').first().waitFor();
    await page.locator('.jp-nbflow-Row[data-run="churn/3"]').click();
    await below('churn/3');
    await tab('environment');
    await page.locator('.jp-nbflow-Row[data-run="churn/1"]').click();
    await shown('.jp-nbflow-Page[data-run="churn/1"] .jp-nbflow-Error-place')
      .first()
      .click();
    await until(
      () =>
        page.evaluate(() => {
          const content = window.jupyterapp.shell.currentWidget?.content;
          const line = content?.activeCell?.editor?.getCursorPosition().line;
          return content?.activeCellIndex === 5 && line === 7;
        }),
      'the cursor on line 8 of cell 5'
    );
    await command('nbflow:compare', { runs: ['churn/2', 'churn/3'] });
    await shown('.jp-nbflow-CompareTable').waitFor();
    await shot('notebook7-compare');
  },

  async runs_a_flow() {
    await load('', 'notebooks/seven/churn.ipynb');
    await until(async () => (await badge('report').count()) > 0, 'badges');
    await begin('nbflow:run-flow');
    const form = page.locator('.jp-nbflow-Form');
    await form.locator('[data-parameter=countries] input').fill('["FI", "DK"]');
    await form.getByLabel('Engine').fill('inline');
    await page.locator('.jp-Dialog .jp-mod-accept').click();
    await page
      .locator('.jp-nbflow-Page[data-run^="churn/"][data-status=succeeded]:visible')
      .waitFor({ timeout: 60000 });
    await until(
      async () => (await rows().first().getAttribute('data-status')) === 'succeeded',
      'the row of the new run'
    );
  }
};

await play(scenarios);
