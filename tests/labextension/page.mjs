/**
 * A JupyterLab in a real browser, and what the scripts beside this one do with it.
 *
 * Each is started as `node SCRIPT URL TOKEN FOLDER` and prints a line of JSON for each scenario.
 * Screenshots and, where something failed, the page as it was then go to FOLDER.
 */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export const [url, token, folder] = process.argv.slice(2);
const require = createRequire(
  new URL('../../labextension/package.json', import.meta.url)
);
const { chromium } = require('playwright-core');
const axe = require('axe-core').source;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-dev-shm-usage',
    '--disable-gpu',
    '--font-render-hinting=none'
  ]
});
export const page = await browser.newPage({
  viewport: { width: 1440, height: 900 }
});
page.setDefaultTimeout(45000);
const complaints = [];
/** Errors in the page that are not ours, by what they say. */
export const known = [];
page.on('pageerror', error => {
  if (!known.includes(error.message)) {
    complaints.push(error.stack);
  }
});
page.on('response', answer => {
  // 503: the server shuts down, as a scenario has it do
  const failed = answer.status() >= 500 && answer.status() !== 503;
  if (failed && answer.url().includes('/nbflow/')) {
    complaints.push(`${answer.status()} ${answer.url()}`);
  }
});

export async function load(query = '&reset', app = 'lab') {
  await page.goto(`${url}/${app}?token=${token}${query}`);
  await page.waitForFunction(() => window.jupyterapp?.restored);
  await page.evaluate(() => window.jupyterapp.restored);
}

/** Execute a command and wait for its end, which has to come within a minute. */
export const command = (id, args = {}) =>
  page.evaluate(
    ([id, args]) =>
      Promise.race([
        window.jupyterapp.commands.execute(id, args).then(() => null),
        new Promise((_, fail) =>
          setTimeout(() => fail(new Error(`${id} does not end`)), 60000)
        )
      ]),
    [id, args]
  );
/** Begin a command that a dialog holds until it is answered. */
export const begin = (id, args = {}) =>
  page.evaluate(
    ([id, args]) => void window.jupyterapp.commands.execute(id, args),
    [id, args]
  );
export const shot = name => page.screenshot({ path: join(folder, `${name}.png`) });
export const shown = selector => page.locator(`${selector}:visible`);
export const rows = () => page.locator('.jp-nbflow-Row');
export const badge = step => shown(`.jp-nbflow-Badge[data-step=${step}]`).first();
export const open = async (run, args = {}) => {
  await command('nbflow:open-run', { run, ...args });
  await shown(`.jp-nbflow-Page[data-run="${run}"]`).waitFor();
};
export const tab = name => shown(`.jp-nbflow-Page [data-tab="${name}"]`).click();
export const openNotebook = async (path = 'churn.ipynb') => {
  await command('docmanager:open', { path, factory: 'Notebook' });
  await shown('.jp-Notebook').waitFor();
};
export const until = async (doing, what, seconds = 45) => {
  const end = Date.now() + seconds * 1000;
  while (!(await doing())) {
    assert.ok(Date.now() < end, `never: ${what}`);
    await page.waitForTimeout(100);
  }
};
/** Open a step's tab of a run, and wait until it has loaded what it shows. */
export async function openTab(run, state) {
  await open(run, state);
  const here = `.jp-nbflow-Page[data-run="${run}"]`;
  await shown(`${here} .jp-nbflow-Chip:has-text("${state.step}")`).waitFor();
  await shown(`${here} [data-tab="${state.tab}"][aria-selected=true]`).waitFor();
  await until(async () => {
    const text = await shown(`${here} .jp-nbflow-Page-body`).textContent();
    return text !== '' && !text.includes('Loading…');
  }, `${state.tab} of ${state.step}`);
}

/** Where an element is, as soon as it stays there. */
export async function still(locator) {
  let before = null;
  let box = null;
  await until(async () => {
    before = box;
    box = await locator.boundingBox();
    return box !== null && JSON.stringify(box) === JSON.stringify(before);
  }, 'an element that stays where it is');
  return box;
}
/** Where the cursor is in the notebook that is in front: the cell and the line, from 0. */
export const cursor = () =>
  page.evaluate(() => {
    const content = window.jupyterapp.shell.currentWidget?.content;
    const line = content?.activeCell?.editor?.getCursorPosition().line;
    return `${content?.activeCellIndex}:${line}`;
  });
/** The text of the notebook's cells. */
export const sources = () =>
  page.evaluate(() => {
    const all = [...window.jupyterapp.shell.widgets('main')];
    const panel = all.find(widget => widget.content?.widgets?.[0]?.model?.sharedModel);
    return panel.content.widgets.map(cell => cell.model.sharedModel.getSource());
  });

/** Change the source of a cell of the notebook. */
export async function edit(cell, change) {
  const source = (await sources())[cell];
  await page.evaluate(
    ([cell, text]) => {
      const all = [...window.jupyterapp.shell.widgets('main')];
      const panel = all.find(
        widget => widget.content?.widgets?.[cell]?.model?.sharedModel
      );
      panel.content.widgets[cell].model.sharedModel.setSource(text);
    },
    [cell, change(source)]
  );
}

/** Nothing of ours breaks a rule of accessibility that matters. */
export async function check(where, selector) {
  await page.evaluate(source => window.axe ?? (0, eval)(source), axe);
  const found = await page.evaluate(async selector => {
    const { violations } = await window.axe.run(
      { include: [[selector]], exclude: [['.jp-nbflow-Output']] },
      { resultTypes: ['violations'] }
    );
    return violations
      .filter(one => ['serious', 'critical'].includes(one.impact))
      .map(
        one =>
          `${one.id}: ${one.nodes
            .slice(0, 3)
            .map(node => `${node.html.slice(0, 160)} ${node.any[0]?.message ?? ''}`)
            .join(' | ')}`
      );
  }, selector);
  assert.deepEqual(found, [], where);
}

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** Have the server stopped or started, and wait until that is done. */
export async function server(what) {
  console.log(JSON.stringify({ do: what }));
  await lines.next();
}

/** Play the scenarios one after the other, and close the browser. */
export async function play(scenarios) {
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
  process.exit();
}
