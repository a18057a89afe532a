// Brings pnpm and the npm packages of the workspace. A stamp of the lock file makes the second run free.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { npm, root, run, say, tools } from '../lib.mjs';

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
  run(
    npm,
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
  for (const name of ['core-native', 'ts-api', 'cli']) inputs.push(join('packages', name, 'package.json'));
  const hash = createHash('sha256');
  for (const file of inputs) hash.update(readFileSync(join(root, file)));
  const digest = hash.digest('hex');
  const stamp = join(root, 'node_modules', '.tlsc-installed');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return;
  say('installing the npm packages');
  pnpm(['install', '--frozen-lockfile', '--reporter=append-only'], { advice });
  writeFileSync(stamp, digest);
}
