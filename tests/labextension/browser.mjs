/** What a user does with runs and notebooks in JupyterLab. */
import assert from 'node:assert/strict';

import {
  badge,
  begin,
  check,
  command,
  cursor,
  edit,
  load,
  open,
  openNotebook,
  openTab,
  page,
  play,
  rows,
  shot,
  shown,
  sources,
  still,
  tab,
  until,
  url
} from './page.mjs';

const scenarios = {
  async sidebar() {
    await command('nbflow:show-runs');
    await until(async () => (await rows().count()) === 3, 'three runs');
    assert.deepEqual(await rows().evaluateAll(all => all.map(row => row.dataset.run)), [
      'churn/3',
      'churn/2',
      'churn/1'
    ]);
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
    await until(
      async () => (await shown('.jp-nbflow-Table-row').count()) === 5,
      'five tasks'
    );
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
    await until(
      async () => (await shown('.jp-nbflow-Timeline-bar').count()) >= 7,
      'bars of seven tasks'
    );
    await shot('timeline');
    await shown('.jp-nbflow-Page [data-tab="graph"]').click();
  },

  async error_to_cell() {
    await open('churn/1');
    await shown('.jp-nbflow-Error:has-text("no rows of FR")').waitFor();
    await page.locator('.jp-nbflow-Row[data-run="churn/1"][data-active=true]').waitFor();
    await shot('failed');
    await shown('.jp-nbflow-Error-place').click();
    await until(async () => (await cursor()) === '5:7', 'the cursor on line 8 of cell 5');
  },

  async notebook() {
    await openNotebook();
    await until(
      async () => (await badge('report').getAttribute('data-state')) === 'fresh',
      'a fresh step'
    );
    await command('nbflow:show-graph');
    await shown('.jp-nbflow-GraphPanel .jp-nbflow-Graph-node').first().waitFor();
    await shown('.jp-nbflow-GraphPanel [data-step=choose]').click();
    await until(
      () =>
        page.evaluate(() => {
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

  async history() {
    await openNotebook();
    await badge('train').click();
    const popover = page.getByRole('dialog', { name: 'Runs of train' });
    await popover.locator('li button').first().waitFor();
    assert.deepEqual(
      await popover
        .locator('li button')
        .evaluateAll(all => all.map(one => one.dataset.run)),
      ['churn/3', 'churn/2', 'churn/1']
    );
    await shot('history');
    await check('history', '.jp-nbflow-Popover');
    await page.keyboard.press('Escape');
    await popover.waitFor({ state: 'detached' });
    await badge('train').click();
    await popover.locator('li button').first().and(page.locator(':focus')).waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await shown('.jp-nbflow-Page[data-run="churn/2"]').waitFor();
    await popover.waitFor({ state: 'detached' });
  },

  async start_a_run() {
    await openNotebook();
    await begin('nbflow:run-flow');
    const form = page.locator('.jp-nbflow-Form');
    await form.waitFor();
    await shot('form');
    await form.locator('[data-parameter=alpha] input').fill('0.3');
    await form.locator('[data-parameter=countries] input').fill('5');
    await form.getByLabel('Tags').fill('typed');
    await page.locator('.jp-Dialog .jp-mod-accept').click();
    // what cannot be is told in the form, which has what was typed
    await form.locator('[role=alert]:has-text("countries")').waitFor();
    assert.equal(await form.locator('[data-parameter=alpha] input').inputValue(), '0.3');
    assert.equal(await form.getByLabel('Tags').inputValue(), 'typed');
    await shot('form-problem');
    await form.locator('[data-parameter=countries] input').fill('["FI", "DK"]');
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

  async drag_into_notebook() {
    await openNotebook();
    await page.evaluate(async () => {
      const { commands, shell } = window.jupyterapp;
      const ref = shell.currentWidget.id;
      await commands.execute('nbflow:open-run', {
        run: 'churn/3',
        step: 'load',
        tab: 'artifacts'
      });
      shell.add(shell.currentWidget, 'main', { mode: 'split-right', ref });
    });
    const before = (await sources()).length;
    const from = await still(shown('[data-artifact=df] > header > b'));
    const to = await still(shown('.jp-Notebook').first());
    await page.mouse.move(from.x + 5, from.y + 5);
    await page.mouse.down();
    await page.mouse.move(from.x + 40, from.y + 30, { steps: 4 });
    await page.mouse.move(to.x + 80, to.y + 200, { steps: 8 });
    await page.mouse.up();
    await until(async () => (await sources()).length === before + 1, 'one more cell');
    assert.ok(
      (await sources()).includes(
        'import nbflow\ndf = nbflow.Run("churn/3")["load"].df\ndf'
      )
    );
    await page.evaluate(() =>
      window.jupyterapp.commands.execute('notebook:undo-cell-action')
    );
  },

  async debug_here() {
    await openNotebook();
    await open('churn/1');
    await shown('button:has-text("Debug this task here")').first().click();
    await until(
      async () =>
        (await sources()).includes('%load_ext nbflow\n%nbflow load churn/1/train/5'),
      'a cell that loads the inputs'
    );
    await until(
      async () => (await sources()).some(text => text.startsWith('# churn/1/train/5\n')),
      'a cell with the body of the step',
      60
    );
    await until(
      async () => (await cursor()) === '7:7',
      'the cursor on the line that failed'
    );
    await shot('debug');
    for (const cell of [7, 6]) {
      await page.evaluate(cell => {
        const panel = window.jupyterapp.shell.currentWidget;
        panel.content.model.sharedModel.deleteCell(cell);
      }, cell);
    }
  },

  async export() {
    await openNotebook();
    await begin('nbflow:export-flow');
    await page.locator('.jp-Dialog button:has-text("Save as churn.zip")').click();
    await until(
      () =>
        page.evaluate(async () => {
          const { contents } = window.jupyterapp.serviceManager;
          const { content } = await contents.get('');
          return content.some(one => one.name === 'churn.zip' && one.size > 1000);
        }),
      'the package beside the notebook'
    );
    await begin('nbflow:export-flow');
    const download = page.waitForEvent('download');
    await page.locator('.jp-Dialog button:has-text("Download")').click();
    assert.equal((await download).suggestedFilename(), 'churn.zip');
  },

  async compare() {
    await command('nbflow:show-runs');
    await page
      .locator('.jp-nbflow-Row[data-run="churn/2"]')
      .click({ modifiers: ['Control'] });
    await page
      .locator('.jp-nbflow-Row[data-run="churn/3"]')
      .click({ modifiers: ['Control'] });
    await page.locator('.jp-nbflow-Runs-chosen button:has-text("Compare")').click();
    await shown(
      '.jp-nbflow-CompareTable tr[data-differs=true]:has-text("alpha")'
    ).waitFor();
    await shot('compare');
    await shown('.jp-nbflow-Compare [data-tab=plots]').click();
    await until(
      async () => (await shown('.jp-nbflow-Plot circle').count()) === 2,
      'two runs in the plot'
    );
    await shot('plots');
    await shown('.jp-nbflow-Compare [data-tab=time]').click();
    await shown('.jp-nbflow-Plot-trend').waitFor();
    await page.locator('.jp-nbflow-Runs-chosen button:has-text("Clear")').click();
  },

  async tag_and_delete() {
    await begin('nbflow:tag-run', { run: 'churn/4' });
    await page.locator('.jp-Dialog input').fill('throwaway');
    await page.locator('.jp-Dialog .jp-mod-accept').click();
    await page
      .locator('.jp-nbflow-Row[data-run="churn/4"] .jp-nbflow-Tag:has-text("throwaway")')
      .waitFor();
    await begin('nbflow:delete-run', { run: 'churn/4' });
    await page.locator('.jp-Dialog .jp-mod-accept').click();
    await page
      .locator('.jp-nbflow-Row[data-run="churn/4"]')
      .waitFor({ state: 'detached' });
  },

  async another_folder() {
    await page.getByLabel('Folder', { exact: true }).selectOption('team');
    await page.locator('.jp-nbflow-Row .jp-nbflow-Tag:has-text("ours")').waitFor();
    assert.equal(await rows().count(), 2);
    await page.locator('.jp-nbflow-Row[data-run="churn/1"]').click();
    await shown(
      '.jp-nbflow-Page[data-run="churn/1"] .jp-nbflow-Tag:has-text("ours")'
    ).waitFor();
    await page.getByLabel('Folder', { exact: true }).selectOption('');
    await until(async () => (await rows().count()) === 3, 'the runs of the first folder');
  },

  async twenty_thousand_tasks() {
    await open('wide/1', { store: 'team' });
    const here = selector => shown(`.jp-nbflow-Page[data-run="wide/1"] ${selector}`);
    await here('.jp-nbflow-Graph-node:has-text("20,000/20,000")').waitFor();
    await open('wide/1', { store: 'team', step: 'train', tab: 'tasks' });
    await here('.jp-nbflow-Table-row[data-task="train/0"]').waitFor();
    await until(async () => {
      await here('.jp-nbflow-Table-body').evaluate(
        node => (node.scrollTop = node.scrollHeight)
      );
      const last = here('.jp-nbflow-Table-row').last();
      return Number(await last.getAttribute('aria-rowindex')) > 1000;
    }, 'tasks further on');
    assert.ok((await here('.jp-nbflow-Table-row').count()) < 80, 'few rows are drawn');
    await here('.jp-nbflow-Table-head button:has-text("Task")').click();
    await here('.jp-nbflow-Table-row[data-task="train/19999"]').waitFor();
    await here('[data-tab="timeline"]').click();
    await here('.jp-nbflow-Timeline-bar').first().waitFor();
    assert.ok(
      (await here('.jp-nbflow-Timeline-bar').count()) < 3000,
      'few bars are drawn'
    );
    await shot('wide');
  },

  async hostile_html() {
    await page.evaluate(() => (window.pwned = undefined));
    await page.getByLabel('Folder', { exact: true }).selectOption('hostile');
    await page.locator('.jp-nbflow-Row[data-run="hostile/1"]').waitFor();
    const show = state => openTab('hostile/1', { store: 'hostile', ...state });
    for (const name of ['overview', 'log', 'artifacts', 'code']) {
      await show({ step: 'show', tab: name });
    }
    await show({ step: 'fail', tab: 'overview' });
    await show({ step: 'show', tab: 'outputs' });
    const framed = () => page.frames().find(one => one.url().includes('output.html'));
    await until(framed, 'HTML with code is in a frame');
    const frame = framed();
    await until(
      async () => (await frame.locator('#told').textContent()).includes('fetch'),
      'what the hostile page could do'
    );
    assert.deepEqual(JSON.parse(await frame.locator('#told').textContent()), {
      cookies: 'refused',
      parent: 'refused',
      storage: 'refused',
      app: 'refused',
      fetch: 'refused'
    });
    await shot('hostile');
    assert.equal(
      await page.evaluate(() => window.pwned),
      undefined,
      'nothing ran in the page'
    );
    assert.ok(page.url().startsWith(`${url}/lab`), 'the page is where it was');
    await page.getByLabel('Folder', { exact: true }).selectOption('');
    await until(async () => (await rows().count()) === 3, 'the runs of the first folder');
  },

  async reload() {
    await open('churn/1', { step: 'train', tab: 'tasks' });
    // the workspace is saved a while after the last change
    await until(
      () =>
        page.evaluate(async () => {
          const { data } =
            await window.jupyterapp.serviceManager.workspaces.fetch('default');
          const id = 'nbflow-run:nbflow-run-:churn/1';
          const front = data['layout-restorer:data']?.main?.current;
          return front === id && data[id]?.data.tab === 'tasks';
        }),
      'the workspace with the page'
    );
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
        await openTab(run, state);
        if (dark) {
          await shot(`dark-${state.tab}`);
        }
        await check(
          `${theme}, ${run} ${state.tab}`,
          '.jp-nbflow-RunPage:not(.lm-mod-hidden)'
        );
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
      run: `many/${id}`,
      id,
      flow: 'many',
      number: id,
      status: 'succeeded',
      created: 1.7e9 + id,
      started: 1.7e9 + id,
      finished: 1.7e9 + id + 5,
      engine: 'dask',
      branch: null,
      tags: [],
      user: 'u',
      version: '0+1',
      notebook: null,
      params: {},
      metrics: { score: id / count },
      error: null,
      cancelling: false,
      steps: []
    });
    await page.route(/\/nbflow\/api\/runs\?/, route => {
      const query = new URL(route.request().url()).searchParams;
      const first = Number(query.get('cursor') ?? count);
      const limit = Number(query.get('limit'));
      const runs = Array.from({ length: Math.min(limit, first) }, (_, at) =>
        row(first - at)
      );
      const next = first > limit ? String(first - limit) : null;
      return route.fulfill({ json: { runs, next, total: count, seq: 1 } });
    });
    await command('nbflow:show-runs');
    await command('nbflow:refresh');
    await page.locator('.jp-nbflow-Row[data-run="many/100000"]').waitFor();
    const list = page.locator('.jp-nbflow-Runs-list');
    await until(async () => {
      await list.evaluate(node => (node.scrollTop = node.scrollHeight));
      return Number(await rows().last().getAttribute('aria-posinset')) > 1000;
    }, 'runs further down');
    const drawn = await rows().count();
    assert.ok(drawn < 60, `${drawn} rows are drawn`);
    await page.unroute(/\/nbflow\/api\/runs\?/);
    await command('nbflow:refresh');
  }
};

await load();
await play(scenarios);
