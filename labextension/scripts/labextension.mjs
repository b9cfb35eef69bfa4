/** Bundle the extension: the builder needs nothing but Node here, no Python on the path. */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);
const root = dirname(dirname(new URL(import.meta.url).pathname));
const core = dirname(require.resolve('@jupyterlab/core-meta/package.json'));
const done = spawnSync(
  process.execPath,
  [
    join(root, 'node_modules/@jupyter/builder/lib/build-labextension.js'),
    '--core-package-file',
    join(core, 'core.package.json'),
    ...process.argv.slice(2),
    root
  ],
  { cwd: root, stdio: 'inherit' }
);
process.exit(done.status ?? 1);
