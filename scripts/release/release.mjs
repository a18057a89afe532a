// What must hold before packages are published, and publishing them.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, read, readNpm, root, runNpm, say, workspacePackages } from '../lib.mjs';
import { readManifest, releaseVersion } from './manifests.mjs';
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

/** Of a package as it is packed: what is in it that should not be, or is not and should. */
function contentFaults(name, tarball, head) {
  const files = read('tar', ['-tzf', tarball])?.split('\n') ?? [];
  const manifest = JSON.parse(readPacked(tarball, 'package.json'));
  const faults = ['LICENSE', 'README.md', 'THIRD-PARTY-NOTICES.txt']
    .filter((file) => !files.includes(`package/${file}`))
    .map((file) => `has no ${file}`);
  faults.push(
    ...files.filter((file) => /\.(map|tsbuildinfo|(?<!\.d\.)ts)$/.test(file)).map((file) => `has ${file}`),
  );
  if (JSON.stringify(manifest).includes('workspace:')) faults.push('depends on the workspace');
  if (manifest.scripts) faults.push('has scripts');
  if (manifest.gitHead !== head) faults.push(`was packed of commit ${manifest.gitHead}`);
  return faults.map((fault) => `${name} ${fault}`);
}

/** What is wrong with the packages in packed/, in words. */
function faultsOfPackages(names, version, head) {
  const isPacked = (name) => existsSync(tarballOf(name, version));
  const faults = names.filter((name) => !isPacked(name)).map((name) => `${name} is not packed`);
  for (const name of names.filter(isPacked))
    faults.push(...contentFaults(name, tarballOf(name, version), head));
  return faults;
}

function faultsOfRepository(version, head) {
  const faults = [];
  if (git('status', '--porcelain') !== '') faults.push('the working tree has changes');
  if (git('rev-parse', '--verify', '--quiet', `refs/tags/v${version}^{commit}`) !== head)
    faults.push(`tag v${version} is not on this commit`);
  const changelog = readFileSync(join(root, 'CHANGELOG.md'), 'utf8');
  if (!new RegExp(`^## ${version.replaceAll('.', '\\.')} \\(\\d{4}-\\d{2}-\\d{2}\\)$`, 'm').test(changelog))
    faults.push(`CHANGELOG.md has no heading "## ${version} (YYYY-MM-DD)"`);
  return faults;
}

/**
 * Publishes what `npm run pack` has packed, once everything is as it must be, but for what is published already; with `--dry-run` says
 * what it would publish. Throws a `Failure` that names every fault.
 */
export async function release(args) {
  const isDry = args.includes('--dry-run');
  const { cudaPackage, packageFor, prebuiltPlatforms } = await import(
    '../../packages/core-native/dist/platforms.js'
  );
  const version = releaseVersion();
  const head = git('rev-parse', 'HEAD');
  // Those that others depend on come first.
  const names = [
    ...prebuiltPlatforms.map(packageFor),
    cudaPackage,
    ...workspacePackages.map((name) => readManifest(join('packages', name)).name),
  ];
  const faults = [...faultsOfRepository(version, head), ...faultsOfPackages(names, version, head)];
  if (faults.length > 0)
    throw new Failure(
      `${version} cannot be released:\n  ${faults.join('\n  ')}`,
      'CONTRIBUTING.md, "Release", has the steps.',
    );
  for (const name of names) {
    if (readNpm(['view', `${name}@${version}`, 'version'])?.trim() === version) {
      say(`${name} ${version} is published`);
      continue;
    }
    say(`${isDry ? 'would publish' : 'publishing'} ${name} ${version}`);
    runNpm(['publish', '--access', 'public', ...(isDry ? ['--dry-run'] : []), tarballOf(name, version)]);
  }
}
