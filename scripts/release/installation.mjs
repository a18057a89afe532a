// The test of what users get, with its own tools: test/install.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { holds, root, run, runNpm, say } from '../lib.mjs';

const folder = join(root, 'test', 'install');

function installTools() {
  const lock = readFileSync(join(folder, 'package-lock.json'), 'utf8');
  const stamp = join(folder, 'node_modules', '.tlsc-installed');
  if (holds(stamp, lock)) return;
  say('installing the tools of the installation test');
  runNpm(['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: folder });
  writeFileSync(stamp, lock);
}

/** Tests of sessions, on the binaries that are published instead of those of the checkout: a C++ library of their own, other flags. */
function testPrebuilt() {
  const tests = ['describe', 'load-errors', 'locations', 'operators', 'session'];
  const files = tests.map((name) => join('packages', 'core-native', 'test', `${name}.test.ts`));
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  run(process.execPath, [vitest, 'run', ...files, join('test', 'e2e', 'hostile.test.ts')], {
    env: { PREBUILDS_ONLY: '1' },
  });
}

/** Tests the binaries, then installs the packed packages as users do, and uses them. */
export function testInstallation() {
  testPrebuilt();
  installTools();
  run(process.execPath, [join(folder, 'main.mjs')]);
}
