// What strangers' files and rough treatment do to tlsc; compiled with the `test` project.
import { join } from 'node:path';
import { Failure, root, run } from '../lib.mjs';

const compiled = join(root, 'test', 'dist');

/** `models` or `images`, then options (test/fuzz/options.ts). */
export function fuzzFiles([kind, ...args]) {
  if (kind !== 'models' && kind !== 'images')
    throw new Failure(`cannot fuzz ${kind ?? 'nothing'}`, 'npm run fuzz-files -- models, or images.');
  run(process.execPath, [join(compiled, 'fuzz', `${kind}.js`), ...args]);
}

export function soak(args) {
  run(process.execPath, ['--expose-gc', join(compiled, 'soak', 'soak.js'), ...args]);
}
