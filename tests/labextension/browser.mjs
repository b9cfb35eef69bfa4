/**
 * What a user does in JupyterLab, in a real browser.
 *
 * `node browser.mjs URL TOKEN FOLDER` prints a line of JSON for each scenario. Screenshots and,
 * where something failed, the page as it was then go to FOLDER.
 */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [url, token, folder] = process.argv.slice(2);
const require = createRequire(new URL('../../labextension/package.json', import.meta.url));
const { chromium } = require('playwright-core');
const axe = require('axe-core').source;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', '--font-render-hinting=none']
});
const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
page.setDefaultTimeout(20000);
const complaints = [];
page.on('pageerror', error => complaints.push(error.message));
page.on('response', answer => {
  if (answer.status() >= 500 && answer.url().includes('/nbflow/')) {
    complaints.push(`${answer.status()} ${answer.url()}`);
  }
});

async function load(query = '&reset') {
  await page.goto(`${url}/lab?token=${token}${query}`);
  await page.waitForFunction(() => window.jupyterapp?.restored);
  await page.evaluate(() => window.jupyterapp.restored);
}

const command = (id, args = {}) =>
  page.evaluate(([id, args]) => window.jupyterapp.commands.execute(id, args).then(() => null), [
    id,
    args
  ]);
const shot = name => page.screenshot({ path: join(folder, `${name}.png`) });
const shown = selector => page.locator(`${selector}:visible`);
const rows = () => page.locator('.jp-nbflow-Row');
const open = async (run, args = {}) => {
  await command('nbflow:open-run', { run, ...args });
  await shown(`.jp-nbflow-Page[data-run="${run}"]`).waitFor();
};
const tab = name => shown(`.jp-nbflow-Page [data-tab="${name}"]`).click();
const openNotebook = async () => {
  await command('docmanager:open', { path: 'churn.ipynb', factory: 'Notebook' });
  await shown('.jp-Notebook').waitFor();
};
const until = async (doing, what) => {
  const end = Date.now() + 20000;
  while (!(await doing())) {
    assert.ok(Date.now() < end, `never: ${what}`);
    await page.waitForTimeout(100);
  }
};

const scenarios = {
  async sidebar() {
    await command('nbflow:show-runs');
    await until(async () => (await rows().count()) === 3, 'three runs');
    assert.deepEqual(
      await rows().evaluateAll(all => all.map(row => row.dataset.run)),
      ['churn/3', 'churn/2', 'churn/1']
    );
    await page.getByLabel('Status', { exact: true }).first().selectOption('failed');
    await until(async () => (await rows().count()) === 1, 'only the failed run');
    assert.equal(await rows().first().getAttribute('data-run'), 'churn/1');
    await page.getByLabel('Status', { exact: true }).first().selectOption('');
    await page.getByLabel('Search runs').fill('nightly');
    await until(async () => (await rows().count()) === 1, 'only the tagged run');
    await page.getByLabel('Search runs').fill('');
    await until(async () => (await rows().count()) === 3, 'all runs again');
    // the keyboard walks and opens
    await page.locator('.jp-nbflow-Runs-list').focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await shown('.jp-nbflow-Page[data-run="churn/3"]').waitFor();
  },

  async run_page() {
    await open('churn/3');
    assert.equal(await shown('.jp-nbflow-Graph-node').count(), 4);
    assert.match(
      await shown('.jp-nbflow-Graph-node[data-step=train]').innerHTML(),
      /5\/5/,
      'a fan-out is one node with its counts'
    );
    await shot('run');
    await shown('.jp-nbflow-Graph-node[data-step=train]').click();
    await tab('tasks');
    await until(async () => (await shown('.jp-nbflow-Table-row').count()) === 5, 'five tasks');
    await shown('.jp-nbflow-Table-head button:has-text("Duration")').click();
    await shot('tasks');
    await shown('.jp-nbflow-Table-row[data-task="train/2"]').click();
    await tab('log');
    await shown('.jp-nbflow-Log-line:has-text("NO: ")').waitFor();
    await shown('.jp-nbflow-Log input').fill('epoch 3');
    await shown('.jp-nbflow-Log mark').waitFor();
    await tab('code');
    await shown('.jp-nbflow-Python:has-text("def train")').first().waitFor();
    await shot('code');
    await shown('.jp-nbflow-Graph-node[data-step=load]').click();
    await tab('outputs');
    await shown('.jp-nbflow-Output table').waitFor();
    await tab('artifacts');
    await shown('[data-artifact=df] table').waitFor();
    await shot('artifacts');
    await shown('.jp-nbflow-Page [data-tab="timeline"]').click();
    assert.ok((await shown('.jp-nbflow-Timeline-bar').count()) >= 7);
    await shot('timeline');
    await shown('.jp-nbflow-Page [data-tab="graph"]').click();
  },

  async error_to_cell() {
    await open('churn/1');
    await shown('.jp-nbflow-Error:has-text("no rows of FR")').waitFor();
    await shot('failed');
    await shown('.jp-nbflow-Error-place').click();
    await until(
      () =>
        page.evaluate(() => {
          const content = window.jupyterapp.shell.currentWidget?.content;
          const editor = content?.activeCell?.editor;
          return content?.activeCellIndex === 5 && editor?.getCursorPosition().line === 7;
        }),
      'the cursor on line 8 of cell 5'
    );
  },

  async notebook() {
    await openNotebook();
    const badge = step => shown(`.jp-nbflow-Badge[data-step=${step}]`);
    await until(
      async () => (await badge('report').getAttribute('data-state')) === 'fresh',
      'a fresh step'
    );
    await command('nbflow:show-graph');
    await shown('.jp-nbflow-GraphPanel .jp-nbflow-Graph-node').first().waitFor();
    await shown('.jp-nbflow-GraphPanel [data-step=choose]').click();
    await until(
      () => page.evaluate(() => {
        const all = [...window.jupyterapp.shell.widgets('main')];
        return all.some(widget => widget.content?.activeCellIndex === 6);
      }),
      'the cell of the selected node'
    );
    await edit(7, source => source.replace('winner, ', 'winer, '));
    await shown('.jp-nbflow-Finding[data-code=NBF201]').waitFor();
    await shown('.jp-nbflow-Finding').hover();
    await shown('.jp-nbflow-Message:has-text("Did you mean")').waitFor();
    await shot('notebook');
    assert.equal(await badge('load').getAttribute('data-state'), 'fresh');
    await edit(7, source => source.replace('winer, ', 'winner, '));
    await until(
      async () => (await badge('report').getAttribute('data-state')) === 'fresh',
      'fresh again'
    );
  },

  async start_a_run() {
    await openNotebook();
    // the dialog holds the command until it is answered
    await page.evaluate(() => void window.jupyterapp.commands.execute('nbflow:run-flow'));
    const form = page.locator('.jp-nbflow-Form');
    await form.waitFor();
    await shot('form');
    await form.locator('[data-parameter=countries] input').fill('["FI", "DK"]');
    await form.locator('[data-parameter=alpha] input').fill('0.3');
    await form.getByLabel('Engine').fill('inline');
    await page.locator('.jp-Dialog .jp-mod-accept').click();
    await shown('.jp-nbflow-Page[data-run="churn/4"]').waitFor();
    await page
      .locator('.jp-nbflow-Page[data-run="churn/4"][data-status=succeeded]')
      .waitFor({ timeout: 60000 });
    await until(
      async () => (await rows().first().getAttribute('data-status')) === 'succeeded',
      'the row of the new run'
    );
  },

  async load_into_notebook() {
    await openNotebook();
    await open('churn/2', { step: 'load', tab: 'artifacts' });
    await shown('[data-artifact=df] button:has-text("Load")').click();
    await page
      .locator('.jp-Notebook .jp-OutputArea-output table:visible')
      .first()
      .waitFor({ timeout: 60000 });
  },

  async compare() {
    await command('nbflow:show-runs');
    await page.locator('.jp-nbflow-Row[data-run="churn/2"]').click({ modifiers: ['Control'] });
    await page.locator('.jp-nbflow-Row[data-run="churn/3"]').click({ modifiers: ['Control'] });
    await page.locator('.jp-nbflow-Runs-chosen button:has-text("Compare")').click();
    await shown('.jp-nbflow-CompareTable tr[data-differs=true]:has-text("alpha")').waitFor();
    await shot('compare');
    await shown('.jp-nbflow-Compare [data-tab=plots]').click();
    assert.equal(await shown('.jp-nbflow-Plot circle').count(), 2);
    await shot('plots');
    await shown('.jp-nbflow-Compare [data-tab=time]').click();
    await shown('.jp-nbflow-Plot-trend').waitFor();
    await page.locator('.jp-nbflow-Runs-chosen button:has-text("Clear")').click();
  },

  async tag_and_delete() {
    await page.evaluate(
      () => void window.jupyterapp.commands.execute('nbflow:tag-run', { run: 'churn/4' })
    );
    await page.locator('.jp-Dialog input').fill('throwaway');
    await page.locator('.jp-Dialog .jp-mod-accept').click();
    await page.locator('.jp-nbflow-Row[data-run="churn/4"] .jp-nbflow-Tag').waitFor();
    await page.evaluate(
      () => void window.jupyterapp.commands.execute('nbflow:delete-run', { run: 'churn/4' })
    );
    await page.locator('.jp-Dialog .jp-mod-accept').click();
    await page.locator('.jp-nbflow-Row[data-run="churn/4"]').waitFor({ state: 'detached' });
  },

  async another_folder() {
    await page.getByLabel('Folder', { exact: true }).selectOption('team');
    await page.locator('.jp-nbflow-Row .jp-nbflow-Tag:has-text("ours")').waitFor();
    assert.equal(await rows().count(), 1);
    await rows().first().click();
    await shown('.jp-nbflow-Page[data-run="churn/1"] .jp-nbflow-Tag:has-text("ours")').waitFor();
    await page.getByLabel('Folder', { exact: true }).selectOption('');
    await until(async () => (await rows().count()) === 3, 'the runs of the first folder');
  },

  async reload() {
    await open('churn/1', { step: 'train', tab: 'tasks' });
    await page.waitForTimeout(1500); // the workspace is saved a while after the last change
    await load('');
    await page
      .locator('.jp-nbflow-Page[data-run="churn/1"] [data-tab=tasks][aria-selected=true]')
      .waitFor({ timeout: 30000 });
    await page.locator('.jp-nbflow-Row').first().waitFor();
  },

  async accessible_in_both_themes() {
    await load();
    await command('nbflow:show-runs');
    for (const theme of ['JupyterLab Light', 'JupyterLab Dark']) {
      await command('apputils:change-theme', { theme });
      const dark = theme.endsWith('Dark');
      for (const [run, state] of [
        ['churn/1', { step: 'train', tab: 'overview' }],
        ['churn/3', { step: 'load', tab: 'artifacts' }],
        ['churn/3', { step: 'train', tab: 'tasks' }]
      ]) {
        await open(run, state);
        await page.waitForTimeout(700);
        if (dark) {
          await shot(`dark-${state.tab}`);
        }
        await check(`${theme}, ${run} ${state.tab}`, '.jp-nbflow-RunPage:not(.lm-mod-hidden)');
      }
      await check(theme, '#nbflow-runs');
      await command('nbflow:compare', { runs: ['churn/2', 'churn/3'] });
      await shown('.jp-nbflow-CompareTable').waitFor();
      await check(`${theme}, compare`, '.jp-nbflow-Compare');
    }
    await command('apputils:change-theme', { theme: 'JupyterLab Light' });
  },

  async a_hundred_thousand_runs() {
    const count = 100000;
    const row = id => ({
      run: `many/${id}`, id, flow: 'many', number: id, status: 'succeeded', created: 1.7e9 + id,
      started: 1.7e9 + id, finished: 1.7e9 + id + 5, engine: 'dask', branch: null, tags: [],
      user: 'u', version: '0+1', notebook: null, params: {}, metrics: { score: id / count },
      error: null, cancelling: false, steps: []
    });
    await page.route(/\/nbflow\/api\/runs\?/, route => {
      const query = new URL(route.request().url()).searchParams;
      const first = Number(query.get('cursor') ?? count);
      const limit = Number(query.get('limit'));
      const runs = Array.from({ length: Math.min(limit, first) }, (_, at) => row(first - at));
      const next = first > limit ? String(first - limit) : null;
      return route.fulfill({ json: { runs, next, total: count, seq: 1 } });
    });
    await command('nbflow:show-runs');
    await command('nbflow:refresh');
    await page.locator('.jp-nbflow-Row[data-run="many/100000"]').waitFor();
    const list = page.locator('.jp-nbflow-Runs-list');
    for (let turn = 0; turn < 25; turn++) {
      await list.evaluate(node => (node.scrollTop = node.scrollHeight));
      await page.waitForTimeout(40);
    }
    const drawn = await rows().count();
    assert.ok(drawn < 60, `${drawn} rows are drawn`);
    const last = await rows().last().getAttribute('aria-posinset');
    assert.ok(Number(last) > 1000, `scrolled to row ${last} only`);
    await page.unroute(/\/nbflow\/api\/runs\?/);
    await command('nbflow:refresh');
  }
};

/** Change the source of a cell of the notebook. */
async function edit(cell, change) {
  const source = await page.evaluate(cell => {
    const all = [...window.jupyterapp.shell.widgets('main')];
    const panel = all.find(widget => widget.content?.widgets?.[cell]?.model?.sharedModel);
    return panel.content.widgets[cell].model.sharedModel.getSource();
  }, cell);
  await page.evaluate(
    ([cell, text]) => {
      const all = [...window.jupyterapp.shell.widgets('main')];
      const panel = all.find(widget => widget.content?.widgets?.[cell]?.model?.sharedModel);
      panel.content.widgets[cell].model.sharedModel.setSource(text);
    },
    [cell, change(source)]
  );
}

/** Nothing of ours breaks a rule of accessibility that matters. */
async function check(where, selector) {
  await page.evaluate(source => window.axe ?? (0, eval)(source), axe);
  const found = await page.evaluate(
    async selector => {
      const { violations } = await window.axe.run(
        { include: [[selector]], exclude: [['.jp-nbflow-Output']] },
        { resultTypes: ['violations'] }
      );
      return violations
        .filter(one => ['serious', 'critical'].includes(one.impact))
        .map(one => `${one.id}: ${one.nodes.slice(0, 3).map(node => `${node.html.slice(0, 160)} ${node.any[0]?.message ?? ''}`).join(' | ')}`);
    },
    selector
  );
  assert.deepEqual(found, [], where);
}

await load();
for (const [name, scenario] of Object.entries(scenarios)) {
  const begun = Date.now();
  let error = null;
  complaints.length = 0;
  try {
    await scenario();
    assert.deepEqual(complaints, [], 'errors in the page');
  } catch (reason) {
    error = reason.message;
    await shot(`failed-${name}`).catch(() => undefined);
  }
  console.log(JSON.stringify({ name, error, seconds: (Date.now() - begun) / 1000 }));
}
await browser.close();
