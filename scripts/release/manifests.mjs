// What package.json says in the published packages. The version stands in the root's alone; the workspace's packages must agree.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, root, workspacePackages } from '../lib.mjs';

export function readManifest(folder) {
  return JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
}

/** The version of all packages. Throws a `Failure` where one differs. */
export function releaseVersion() {
  const { version } = readManifest('.');
  for (const name of workspacePackages) {
    const found = readManifest(join('packages', name)).version;
    if (found !== version)
      throw new Failure(
        `packages/${name} has version ${found}, the workspace ${version}`,
        '`npm version` at the root sets all of them.',
      );
  }
  return version;
}

function resolved(dependencies, version) {
  return Object.fromEntries(
    Object.entries(dependencies).map(([name, range]) => [
      name,
      range.startsWith('workspace:') ? version : range,
    ]),
  );
}

/** Of a package of the workspace, which is private as it stands, and without what is for its development; `additions` come on top. */
export function publishedManifest(name, version, additions) {
  const {
    devDependencies: _,
    private: __,
    binary: ___,
    dependencies,
    peerDependencies,
    ...manifest
  } = readManifest(join('packages', name));
  return {
    ...manifest,
    version,
    dependencies: resolved(dependencies, version),
    ...(peerDependencies && { peerDependencies: resolved(peerDependencies, version) }),
    ...additions,
  };
}

/** Of a package that carries binaries for one platform. */
export function binaryManifest(name, description, platform, version) {
  const [os, cpu] = platform.split('-');
  const { license, engines } = readManifest(join('packages', 'core-native'));
  return {
    name,
    version,
    description,
    license,
    engines,
    os: [os],
    cpu: [cpu],
    ...(os === 'linux' && { libc: ['glibc'] }),
    preferUnplugged: true, // a library cannot be loaded from an archive
  };
}
