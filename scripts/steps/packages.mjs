// Brings pnpm and the npm packages of the workspace. A stamp of the place and the lock file makes the second run free.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, run, runNpm, say, tools, workspacePackages } from '../lib.mjs';

const advice =
  'The npm registry could not be reached, or refused: check the network and `npm config get registry`.';

function pnpmEntry() {
  return join(tools, 'node_modules', 'pnpm', 'bin', 'pnpm.cjs');
}

function installPnpm(version) {
  const manifest = join(tools, 'node_modules', 'pnpm', 'package.json');
  if (existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).version === version) return;
  say(`installing pnpm ${version} into .tools`);
  mkdirSync(tools, { recursive: true });
  runNpm(
    [
      'install',
      '--prefix',
      tools,
      '--no-save',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
      `pnpm@${version}`,
    ],
    {
      advice,
    },
  );
}

export function pnpm(args, options) {
  run(process.execPath, [pnpmEntry(), ...args], options);
}

export function installPackages() {
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  installPnpm(packageManager.split('@')[1]);
  const inputs = ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml'];
  const packages = workspacePackages.map((name) => join('packages', name));
  inputs.push(...packages.map((folder) => join(folder, 'package.json')));
  const hash = createHash('sha256');
  for (const file of inputs) hash.update(readFileSync(join(root, file)));
  const modules = join(root, 'node_modules');
  const stamp = join(modules, '.tlsc-installed');
  const wanted = `${root}\n${hash.digest('hex')}`;
  const found = existsSync(stamp) ? readFileSync(stamp, 'utf8') : '';
  if (found === wanted) return;
  const place = found.match(/^(.*)\n/)?.[1];
  if (place !== undefined && place !== root) {
    // Its commands name the modules of the checkout that this one was copied from.
    say(`the npm packages were installed in ${place}, beginning anew`);
    for (const folder of ['.', ...packages])
      rmSync(join(root, folder, 'node_modules'), { recursive: true, force: true });
  }
  say('installing the npm packages');
  pnpm(['install', '--frozen-lockfile', '--reporter=append-only'], { advice });
  writeFileSync(stamp, wanted);
}
