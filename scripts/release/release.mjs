// What must hold before packages are published, and publishing them.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, npm, read, root, run, say } from '../lib.mjs';
import { readManifest, releaseVersion, workspacePackages } from './manifests.mjs';
import { packed } from './pack.mjs';

function git(...args) {
  return read('git', ['-C', root, ...args])?.trim();
}

function tarballOf(name, version) {
  return join(packed, `${name.replace('@', '').replace('/', '-')}-${version}.tgz`);
}

function readPacked(tarball, file) {
  return read('tar', ['-xzOf', tarball, `package/${file}`]);
}

/** Of a tarball: what is in it that should not be, or is not and should. */
function contentFaults(tarball) {
  const files = read('tar', ['-tzf', tarball])?.split('\n') ?? [];
  const manifest = JSON.parse(readPacked(tarball, 'package.json'));
  const faults = [];
  for (const file of ['LICENSE', 'README.md', 'THIRD-PARTY-NOTICES.txt'])
    if (!files.includes(`package/${file}`)) faults.push(`has no ${file}`);
  for (const file of files)
    if (/\.(map|tsbuildinfo|ts)$/.test(file) && !/\.d\.ts$/.test(file)) faults.push(`has ${file}`);
  if (JSON.stringify(manifest).includes('workspace:')) faults.push('depends on the workspace');
  if (manifest.scripts) faults.push('has scripts');
  return faults;
}

/** Every fault of the release that lies in packed/, in words. */
function faultsOf(version, platforms, packageFor) {
  const faults = [];
  if (git('status', '--porcelain') !== '') faults.push('the working tree has changes');
  const tag = git('rev-parse', '--verify', '--quiet', `refs/tags/v${version}^{commit}`);
  if (tag && tag !== git('rev-parse', 'HEAD')) faults.push(`tag v${version} is on another commit`);
  const changelog = readFileSync(join(root, 'CHANGELOG.md'), 'utf8');
  if (!new RegExp(`^## ${version.replaceAll('.', '\\.')} \\(\\d{4}-\\d{2}-\\d{2}\\)$`, 'm').test(changelog))
    faults.push(`CHANGELOG.md has no heading "## ${version} (YYYY-MM-DD)"`);
  const names = [
    ...platforms.map(packageFor),
    ...workspacePackages.map((name) => readManifest(join('packages', name)).name),
  ];
  for (const name of names) {
    const tarball = tarballOf(name, version);
    if (!existsSync(tarball)) faults.push(`${name} is not packed`);
    else faults.push(...contentFaults(tarball).map((fault) => `${name} ${fault}`));
  }
  const core = tarballOf('@tlsc/core-native', version);
  const listed = existsSync(core)
    ? Object.keys(JSON.parse(readPacked(core, 'package.json')).optionalDependencies)
    : [];
  for (const name of platforms.map(packageFor))
    if (!listed.includes(name)) faults.push(`@tlsc/core-native does not list ${name}`);
  return faults;
}

/** Those that others depend on come first. */
function inOrder(version) {
  const rank = (name) =>
    ['core-native', 'api', ''].findIndex(
      (part) => name === tarballOf(part ? `@tlsc/${part}` : 'tlsc', version),
    );
  return readdirSync(packed)
    .map((name) => join(packed, name))
    .sort((a, b) => rank(a) - rank(b));
}

/**
 * Publishes what `npm run pack` has packed, once everything is as it must be; with `--dry-run` says what it would publish.
 * Throws a `Failure` that names every fault.
 */
export async function release(args) {
  const isDry = args.includes('--dry-run');
  const { packageFor, prebuiltPlatforms } = await import('../../packages/core-native/dist/platforms.js');
  const version = releaseVersion();
  const faults = faultsOf(version, prebuiltPlatforms, packageFor);
  if (faults.length > 0)
    throw new Failure(
      `${version} cannot be released:\n  ${faults.join('\n  ')}`,
      'CONTRIBUTING.md, "Release", has the steps.',
    );
  for (const tarball of inOrder(version)) {
    say(`${isDry ? 'would publish' : 'publishing'} ${tarball}`);
    run(npm, ['publish', '--access', 'public', ...(isDry ? ['--dry-run'] : []), tarball]);
  }
}
