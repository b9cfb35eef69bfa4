/** How busy the browser's main thread is in each view of a run that goes on; see live_page.py. */
import { createRequire } from 'node:module';

const [url, token, seconds] = process.argv.slice(2);
const require = createRequire(new URL('../labextension/package.json', import.meta.url));
const { chromium } = require('playwright-core');

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu']
});
const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
await page.addInitScript(() => {
  window.longest = 0;
  new PerformanceObserver(list => {
    for (const entry of list.getEntries()) {
      window.longest = Math.max(window.longest, entry.duration);
    }
  }).observe({ type: 'longtask' });
});
const session = await page.context().newCDPSession(page);
// seconds that the thread computed, so that other work on the machine counts little
await session.send('Performance.enable', { timeDomain: 'threadTicks' });

async function metrics() {
  const { metrics } = await session.send('Performance.getMetrics');
  return Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
}

const command = (id, args) =>
  page.evaluate(
    ([id, args]) => window.jupyterapp.commands.execute(id, args).then(() => null),
    [id, args]
  );

await page.goto(`${url}/lab?token=${token}&reset`);
await page.waitForFunction(() => window.jupyterapp?.restored, null, { timeout: 60000 });
await page.evaluate(() => window.jupyterapp.restored);

const found = [];
async function measure(view) {
  await page.waitForTimeout(4000);
  await page.evaluate(() => (window.longest = 0));
  const before = await metrics();
  const began = performance.now();
  await page.waitForTimeout(Number(seconds) * 1000);
  const after = await metrics();
  const time = (performance.now() - began) / 1000;
  const share = (...names) =>
    names.reduce((sum, name) => sum + after[name] - before[name], 0) / time;
  found.push({
    view,
    busy: share('TaskDuration'),
    script: share('ScriptDuration'),
    style: share('LayoutDuration', 'RecalcStyleDuration'),
    longest: await page.evaluate(() => window.longest)
  });
}

await measure('JupyterLab alone');
await command('nbflow:show-runs');
await measure('the list of runs');
for (const [name, state] of [
  ['the graph and the overview', { step: null, tab: 'overview', view: 'graph' }],
  ['the graph and the tasks', { step: 'b', tab: 'tasks', view: 'graph' }],
  ['the timeline and the tasks', { step: 'b', tab: 'tasks', view: 'timeline' }]
]) {
  await command('nbflow:open-run', { run: 'wide/1', ...state });
  await page.waitForSelector('.jp-nbflow-Page[data-run="wide/1"]');
  if (state.view === 'timeline') {
    await page.click('.jp-nbflow-Page [data-tab="timeline"]');
  }
  await measure(name);
}
console.log(JSON.stringify(found));
await browser.close();
