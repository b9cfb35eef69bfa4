/** Report the size of each file of the bundle, and fail where the whole has grown too large. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';

const LIMIT_KB = 240;
const root = dirname(dirname(new URL(import.meta.url).pathname));
const folder = join(root, '../jupyter_ext/nbflow_jupyter/labextension/static');
const files = readdirSync(folder)
  .filter(name => name.endsWith('.js'))
  .map(name => {
    const bytes = readFileSync(join(folder, name));
    return { name, kb: bytes.length / 1000, gz: gzipSync(bytes).length / 1000 };
  })
  .sort((a, b) => b.kb - a.kb);
const total = files.reduce((sum, file) => sum + file.kb, 0);
const gz = files.reduce((sum, file) => sum + file.gz, 0);
for (const file of files) {
  console.log(
    `${file.kb.toFixed(1).padStart(8)} kB ${file.gz.toFixed(1).padStart(7)} kB gz  ${file.name}`
  );
}
console.log(
  `${total.toFixed(1).padStart(8)} kB ${gz.toFixed(1).padStart(7)} kB gz  in all (limit ${LIMIT_KB} kB)`
);
process.exit(total > LIMIT_KB ? 1 : 0);
