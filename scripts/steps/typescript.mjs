import { createRequire } from 'node:module';
import { join } from 'node:path';
import { root, run } from '../lib.mjs';

const requireFrom = createRequire(join(root, 'package.json'));

export function buildTypeScript() {
  run(process.execPath, [requireFrom.resolve('typescript/bin/tsc'), '--build']);
}

export function runVitest(args) {
  const manifest = requireFrom.resolve('vitest/package.json');
  run(process.execPath, [join(manifest, '..', 'vitest.mjs'), ...args]);
}
