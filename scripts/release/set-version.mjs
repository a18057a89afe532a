// Run by `npm version` after it has set the root's: gives the packages the same version, and adds them to the commit that follows.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, run, workspacePackages } from '../lib.mjs';
import { readManifest } from './manifests.mjs';

const { version } = readManifest('.');
for (const name of workspacePackages) {
  const file = join(root, 'packages', name, 'package.json');
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace(/"version": "[^"]*"/, `"version": "${version}"`));
  run('git', ['add', file]);
}
