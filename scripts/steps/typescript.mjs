import { createRequire } from 'node:module';
import { join } from 'node:path';
import { root, run } from '../lib.mjs';

const requireFrom = createRequire(join(root, 'package.json'));

function tsc(...args) {
  run(process.execPath, [requireFrom.resolve('typescript/bin/tsc'), ...args]);
}

export function buildTypeScript() {
  tsc('--build');
}

/** A package afresh: nothing of sources that are gone, and no maps to sources that will not be there. */
export function compileInto(source, folder) {
  tsc('--project', source, '--outDir', folder, '--sourceMap', 'false', '--composite', 'false');
}

/** Tests are run from their sources and never built; this is where their types are checked. */
export function checkTestTypes() {
  tsc('--project', 'tsconfig.tests.json');
}

export function runVitest(args) {
  const manifest = requireFrom.resolve('vitest/package.json');
  run(process.execPath, [join(manifest, '..', 'vitest.mjs'), ...args]);
}
