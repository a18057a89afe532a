// The test of what users get, with its own tools: test/install.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { npm, root, run, say } from '../lib.mjs';

const folder = join(root, 'test', 'install');

function installTools() {
  const lock = readFileSync(join(folder, 'package-lock.json'), 'utf8');
  const stamp = join(folder, 'node_modules', '.tlsc-installed');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  say('installing the tools of the installation test');
  run(npm, ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: folder });
  writeFileSync(stamp, lock);
}

/** Installs the packed packages as users do, and uses them. */
export function testInstallation() {
  installTools();
  run(process.execPath, [join(folder, 'main.mjs')]);
}
