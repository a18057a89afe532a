// All tarballs of a release into one folder. Nothing is built here but TypeScript: binaries that are missing, or of other sources, are
// refused.
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Failure, holds, read, root, runNpm, say, tools, workspacePackages } from '../lib.mjs';
import { compileInto } from '../steps/typescript.mjs';
import { binaryManifest, publishedManifest, releaseVersion } from './manifests.mjs';
import { binariesOf, cudaPlatform, hashFileOf, prebuildsOf } from './prebuilds.mjs';
import { hashOfSources } from './sources.mjs';

export const packed = join(root, 'packed');
const licenses = join(root, 'packages', 'core-native', 'licenses');

/** The folder of a platform's binaries. Throws a `Failure` where they are not there, or of other sources. */
function builtFor(platform) {
  const folder = prebuildsOf(platform);
  const advice = `npm run prebuild -- ${platform}`;
  const missing = binariesOf(platform).find((name) => !existsSync(join(folder, name)));
  if (missing) throw new Failure(`${missing} for ${platform} is not built`, advice);
  if (!holds(hashFileOf(platform), hashOfSources()))
    throw new Failure(`the binaries for ${platform} are not those of the sources here`, advice);
  return folder;
}

/** Every package says which commit it is of, as npm itself writes it. */
function stage(manifest, readme) {
  const gitHead = read('git', ['-C', root, 'rev-parse', 'HEAD'])?.trim();
  const folder = join(tools, 'pack', basename(manifest.name));
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify({ ...manifest, gitHead }, null, 2)}\n`);
  writeFileSync(join(folder, 'README.md'), readme);
  copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));
  copyFileSync(join(licenses, 'THIRD-PARTY-NOTICES.txt'), join(folder, 'THIRD-PARTY-NOTICES.txt'));
  return folder;
}

function stageWorkspacePackage(name, version, additions) {
  const source = join(root, 'packages', name);
  const folder = stage(
    publishedManifest(name, version, additions),
    readFileSync(join(source, 'README.md'), 'utf8'),
  );
  compileInto(source, join(folder, 'dist'));
  for (const beside of ['bin', 'proto'])
    if (existsSync(join(source, beside)))
      cpSync(join(source, beside), join(folder, beside), { recursive: true });
  return folder;
}

function stageBinaries(platform, name, version) {
  const isCuda = platform === cudaPlatform;
  const target = isCuda ? 'linux-x64' : platform;
  const description = isCuda
    ? "tlsc's operators for NVIDIA cards, for Linux on x64."
    : `The native addon of tlsc, its operators and ONNX Runtime for ${platform}.`;
  const folder = stage(
    binaryManifest(name, description, target, version),
    `# ${name}\n\n${description} The package to use is \`@tlsc/api\`.\n`,
  );
  cpSync(builtFor(platform), join(folder, 'prebuilds', target), { recursive: true });
  if (!isCuda)
    copyFileSync(
      join(licenses, 'onnxruntime-ThirdPartyNotices.txt'),
      join(folder, 'onnxruntime-ThirdPartyNotices.txt'),
    );
  return folder;
}

/**
 * Packs the workspace's packages and those of `platforms`, which @tlsc/core-native then names as optional dependencies; for NVIDIA cards
 * `cudaPlatform` may be among them. Throws a `Failure` where something is not built.
 */
export async function pack(platforms) {
  const version = releaseVersion();
  const { cudaPackage, packageFor, prebuiltPlatforms } = await import(
    '../../packages/core-native/dist/platforms.js'
  );
  const known = [...prebuiltPlatforms, cudaPlatform];
  const unknown = platforms.find((platform) => !known.includes(platform));
  if (unknown) throw new Failure(`nothing is published for ${unknown}`, `Platforms: ${known.join(', ')}.`);
  const stages = platforms.map((platform) => stageBinaries(platform, packageFor(platform), version));
  const chosenByNpm = platforms.filter((platform) => platform !== cudaPlatform).map(packageFor);
  // On all of them: a strict package manager hands a peer on only where each on the way asks for it.
  const peers = { 'onnxruntime-node': '>=1.21', [cudaPackage]: version };
  const additions = {
    peerDependencies: peers,
    peerDependenciesMeta: Object.fromEntries(Object.keys(peers).map((name) => [name, { optional: true }])),
  };
  const optionalDependencies = Object.fromEntries(chosenByNpm.map((name) => [name, version]));
  for (const name of workspacePackages)
    stages.push(
      stageWorkspacePackage(name, version, {
        ...(name === 'core-native' && { optionalDependencies }),
        ...additions,
      }),
    );
  rmSync(packed, { recursive: true, force: true });
  mkdirSync(packed);
  for (const folder of stages)
    runNpm(['pack', '--silent', '--ignore-scripts', '--pack-destination', packed], { cwd: folder });
  say(`packed for ${platforms.join(', ')}: ${packed}`);
}
