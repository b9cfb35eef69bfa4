/** The whole story, with the demo notebook on Dask: by hand, as a flow, an error, a comparison. */
import assert from 'node:assert/strict';

import {
  badge,
  begin,
  check,
  command,
  cursor,
  edit,
  known,
  load,
  open,
  openNotebook,
  page,
  play,
  rows,
  server,
  shot,
  shown,
  sources,
  tab,
  until
} from './page.mjs';

const NOTEBOOK = 'digits.ipynb';
const state = step => badge(step).getAttribute('data-state');
const ended = (run, status) =>
  page
    .locator(`.jp-nbflow-Page[data-run="${run}"][data-status=${status}]`)
    .waitFor({ timeout: 120000 });

/** Run cells of the notebook in its kernel, and wait for them. */
async function runCells(...cells) {
  await until(
    () =>
      page.evaluate(() => {
        const panel = window.jupyterapp.shell.currentWidget;
        return panel.sessionContext?.session?.kernel?.status === 'idle';
      }),
    'an idle kernel',
    60
  );
  for (const cell of cells) {
    await command('nbflow:go-to-cell', { notebook: NOTEBOOK, cell });
    await command('notebook:run-cell');
  }
}

/** Do something with the notebook in front; `doing` gets its panel and ``given``. */
const inNotebook = (doing, given = null) =>
  page.evaluate(
    `(${doing})(window.jupyterapp.shell.currentWidget, ${JSON.stringify(given)})`
  );
const remove = cell =>
  inNotebook((panel, cell) => panel.content.model.sharedModel.deleteCell(cell), cell);
const metadata = cell =>
  inNotebook((panel, cell) => panel.content.widgets[cell].model.metadata, cell);
const dirty = () => inNotebook(panel => panel.context.model.dirty);
/** Add code cells at the end. */
const append = (...added) =>
  inNotebook((panel, added) => {
    const { sharedModel } = panel.content.model;
    for (const source of added) {
      sharedModel.insertCell(sharedModel.cells.length, { cell_type: 'code', source });
    }
  }, added);

/** Start the flow from the toolbar, with two families of models. */
async function start() {
  await openNotebook(NOTEBOOK);
  await page.locator('.jp-NotebookPanel-toolbar:visible >> text="Run flow"').click();
  const form = page.locator('.jp-nbflow-Form');
  await form.locator('[data-parameter=families] input').fill('["neighbours", "vectors"]');
  await form.locator('[data-parameter=folds] input').fill('2');
  await page.locator('.jp-Dialog .jp-mod-accept').click();
}

const scenarios = {
  async cells_by_hand() {
    await openNotebook(NOTEBOOK);
    await until(async () => (await badge('load').count()) > 0, 'badges');
    assert.equal(await state('load'), 'never');
    await runCells(1, 3, 5, 7);
    await shown('.jp-OutputArea-output:has-text("1797 images of 64 pixels")').waitFor({
      timeout: 60000
    });
    // the step has another cell
    assert.equal(await state('load'), 'never');
    await runCells(8);
    await until(
      async () => (await state('load')) === 'fresh',
      'fresh, as it was run by hand',
      60
    );
    await edit(7, source =>
      source.replace('{len(pixels)} images', '{len(pixels)} pictures')
    );
    await until(async () => (await state('load')) === 'stale', 'stale, as it was edited');
    await edit(7, source =>
      source.replace('{len(pixels)} pictures', '{len(pixels)} images')
    );
    await until(async () => (await state('load')) === 'fresh', 'fresh again');
    await badge('load').click();
    // what was tried is remembered, with its code
    const tried = page.getByRole('dialog').locator('[data-tried]');
    await tried.first().waitFor();
    assert.equal(await tried.count(), 2);
    await tried.last().locator('summary').click();
    await tried.last().locator('.jp-nbflow-Python:has-text("%%step load")').waitFor();
    await shot('tried');
    await check('tried by hand', '.jp-nbflow-Popover');
    const before = (await sources()).length;
    await tried.last().locator('button:has-text("Insert as a cell")').click();
    await until(async () => (await sources()).length === before + 1, 'one more cell');
    const added = (await sources()).findLastIndex(text => text.startsWith('%%step load'));
    await remove(added);
  },

  async what_the_kernel_knows() {
    const first = (await sources()).length;
    const add = first + 1;
    await append(
      '%%step first\ncount = 1',
      '%%step add\ncount = count + 1',
      '%%step after\nmore = count'
    );
    await runCells(first, add, first + 2);
    await until(async () => (await state('after')) === 'fresh', 'three steps', 60);
    const mark = shown('.jp-nbflow-Badge[data-step=add] .jp-nbflow-Badge-notes');
    const held = async () => (await metadata(add)).nbflow?.diagnostics[0].code;
    assert.equal(await mark.count(), 0);
    await runCells(add);
    await mark.waitFor();
    assert.equal(await held(), 'NBF307');
    await until(async () => (await state('after')) === 'stale', 'stale by the kernel');
    await badge('add').click();
    const dialog = page.getByRole('dialog');
    await dialog
      .locator('.jp-nbflow-Note:has-text("is what this cell itself made")')
      .waitFor();
    await dialog.locator('[data-tried]').nth(1).waitFor();
    await shot('kernel-knows');
    await page.keyboard.press('Escape');
    // it is kept in the file, and reading it changes nothing
    await command('docmanager:save');
    await command('docmanager:reload');
    await mark.waitFor();
    assert.equal(await dirty(), false);
    // it goes with the code that it was found of, and where it holds no more
    await edit(add, source => source.replace('+ 1', '+ 2'));
    await mark.waitFor({ state: 'detached' });
    await until(async () => (await held()) === undefined, 'no note of other code');
    await runCells(add);
    await mark.waitFor();
    await runCells(first, add);
    await mark.waitFor({ state: 'detached' });
    assert.equal(await held(), undefined);
    for (const cell of [first + 2, add, first]) {
      await remove(cell);
    }
    await command('docmanager:save');
  },

  async run_on_dask() {
    await start();
    await shown('.jp-nbflow-Page[data-run="digits/1"]').waitFor({
      timeout: 60000
    });
    // it is watched live: the fan-out fills up, in the graph and in the sidebar
    await command('nbflow:show-runs');
    const seen = new Set();
    await until(
      async () => {
        seen.add(
          await shown('.jp-nbflow-Graph-node[data-step=train]').getAttribute(
            'data-status'
          )
        );
        seen.add(await rows().first().getAttribute('data-status'));
        return (await shown('.jp-nbflow-Page[data-status=succeeded]').count()) > 0;
      },
      'the end of the run',
      120
    );
    assert.ok(seen.has('running'), [...seen].join());
    await shown('.jp-nbflow-Graph-node[data-step=train]:has-text("12/12")').waitFor();
    await shot('story-run');
    await shown('.jp-nbflow-Graph-node[data-step=choose]').click();
    await tab('outputs');
    await shown('.jp-nbflow-Output img').waitFor();
    await tab('log');
    await shown('.jp-nbflow-Log-line:has-text("best of 12")').waitFor();
    await openNotebook(NOTEBOOK);
    for (const step of ['load', 'train', 'mistakes']) {
      await command('nbflow:go-to-cell', {
        notebook: NOTEBOOK,
        cell: 14,
        step
      });
      await until(async () => (await state(step)) === 'fresh', `${step} is fresh`);
    }
  },

  async error_to_cell_and_fix() {
    await openNotebook(NOTEBOOK);
    await edit(19, source =>
      source.replace('confusion = ', 'predicted / 0 + "x"\nconfusion = ')
    );
    await start();
    await shown('.jp-nbflow-Page[data-run="digits/2"]').waitFor({
      timeout: 60000
    });
    await ended('digits/2', 'failed');
    await shot('story-failed');
    await shown('.jp-nbflow-Page[data-run="digits/2"] .jp-nbflow-Error-place').click();
    await until(
      async () => (await cursor()) === '19:3',
      'the cursor on the line that failed'
    );
    await until(async () => (await state('evaluate')) === 'failed', 'a failed badge');
    await edit(19, source => source.replace('predicted / 0 + "x"\n', ''));
    await until(async () => (await state('evaluate')) === 'stale', 'a stale badge');
    await start();
    await shown('.jp-nbflow-Page[data-run="digits/3"]').waitFor({
      timeout: 60000
    });
    await ended('digits/3', 'succeeded');
    // what had been computed was taken over
    await shown(
      '.jp-nbflow-Page[data-run="digits/3"] .jp-nbflow-Page-header:has-text("cached")'
    ).waitFor();
  },

  async compare_and_load() {
    await command('nbflow:show-runs');
    for (const run of ['digits/1', 'digits/3']) {
      await page.locator(`.jp-nbflow-Row[data-run="${run}"] .jp-nbflow-Row-sign`).click();
    }
    await page.locator('.jp-nbflow-Runs-chosen button:has-text("Compare")').click();
    await shown('.jp-nbflow-CompareTable').waitFor();
    await shown('.jp-nbflow-Compare [data-tab=data]').click();
    await shown('.jp-nbflow-CompareTable').waitFor();
    await openNotebook(NOTEBOOK);
    await open('digits/3', { step: 'load', tab: 'artifacts' });
    await shown('[data-artifact=pixels] button:has-text("Load")').click();
    await page
      .locator('.jp-Notebook .jp-OutputArea-output table:visible:has-text("pixel_0_0")')
      .first()
      .waitFor({ timeout: 60000 });
  },

  async server_restart() {
    // JupyterLab's debugger asks the notebook's kernel, which has ended with its server
    known.push('Kernel is dead');
    // JupyterLab says so, whenever it notices
    const lost = page.locator('.jp-Dialog[aria-label*="Server Connection Error"]');
    await page.addLocatorHandler(lost, () => lost.locator('button').last().click());
    await open('digits/3');
    await begin('nbflow:start-again', { run: 'digits/3' });
    await page.locator('.jp-Dialog .jp-mod-accept').click();
    await shown('.jp-nbflow-Page[data-run="digits/4"]').waitFor({
      timeout: 60000
    });
    // the run is a process of its own: it goes on, and ends, without the server
    await server('stop');
    await server('run_ended');
    await server('start');
    await ended('digits/4', 'succeeded');
    await until(
      async () => (await rows().first().getAttribute('data-status')) === 'succeeded',
      'the row of the run'
    );
    assert.deepEqual(
      await rows().evaluateAll(all => all.slice(0, 4).map(row => row.dataset.run)),
      ['digits/4', 'digits/3', 'digits/2', 'digits/1']
    );
    // the stream is there again: the next run is told without asking
    await openNotebook(NOTEBOOK);
    await shot('story-restarted');
    await start();
    await shown('.jp-nbflow-Page[data-run="digits/5"]').waitFor({
      timeout: 60000
    });
    await ended('digits/5', 'succeeded');
  }
};

await load();
await play(scenarios);
