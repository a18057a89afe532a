// All tarballs of a release into one folder. Nothing is built here but TypeScript: binaries that are missing, or older than their sources, are
// refused.
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { Failure, npm, root, run, say, tools } from '../lib.mjs';
import { compileInto } from '../steps/typescript.mjs';
import { binaryManifest, publishedManifest, releaseVersion, workspacePackages } from './manifests.mjs';
import { cuda, prebuildsOf } from './prebuilds.mjs';

export const packed = join(root, 'packed');
const licenses = join(root, 'packages', 'core-native', 'licenses');

/** When the newest file that binaries are made of was changed. */
function newestSource() {
  const core = join(root, 'packages', 'core-native');
  const folders = [join(root, 'cpp'), join(core, 'src')];
  const files = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
      .filter((file) => !file.startsWith(join(root, 'cpp', 'build'))),
  );
  return Math.max(...[...files, join(core, 'CMakeLists.txt')].map((file) => statSync(file).mtimeMs));
}

/** The folder of a platform's binaries. Throws a `Failure` where there are none, or only old ones. */
function builtFor(platform) {
  const folder = prebuildsOf(platform);
  const advice = `npm run prebuild -- ${platform}`;
  const files = existsSync(folder) ? readdirSync(folder) : [];
  const ours = files.filter((name) => /tlsc/.test(name));
  if (ours.length === 0) throw new Failure(`the binaries for ${platform} are not built`, advice);
  const oldest = Math.min(...ours.map((name) => statSync(join(folder, name)).mtimeMs));
  if (oldest < newestSource())
    throw new Failure(`the binaries for ${platform} are older than their sources`, advice);
  return folder;
}

function stage(manifest, readme) {
  const folder = join(tools, 'pack', basename(manifest.name));
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
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
  if (existsSync(join(source, 'bin'))) cpSync(join(source, 'bin'), join(folder, 'bin'), { recursive: true });
  return folder;
}

function stageBinaries(name, description, platform, binaries, version) {
  const manifest = binaryManifest(name, description, platform, version);
  const folder = stage(manifest, `# ${name}\n\n${description} Use \`@tlsc/api\`.\n`);
  cpSync(binaries, join(folder, 'prebuilds', platform), { recursive: true });
  copyFileSync(
    join(licenses, 'onnxruntime-ThirdPartyNotices.txt'),
    join(folder, 'onnxruntime-ThirdPartyNotices.txt'),
  );
  return folder;
}

/**
 * Packs the workspace's packages and those of `platforms`, which the others then name as optional dependencies, and the CUDA operators
 * where they are built. Throws a `Failure` where something is not built.
 */
export async function pack(platforms) {
  const version = releaseVersion();
  const { cudaPackage, packageFor, prebuiltPlatforms } = await import(
    '../../packages/core-native/dist/platforms.js'
  );
  const unknown = platforms.find((platform) => !prebuiltPlatforms.includes(platform));
  if (unknown)
    throw new Failure(`nothing is published for ${unknown}`, `Platforms: ${prebuiltPlatforms.join(', ')}.`);
  const stages = platforms.map((platform) =>
    stageBinaries(
      packageFor(platform),
      `The native addon of tlsc, its operators and ONNX Runtime for ${platform}.`,
      platform,
      builtFor(platform),
      version,
    ),
  );
  const isCudaBuilt = existsSync(prebuildsOf(cuda));
  if (isCudaBuilt)
    stages.push(
      stageBinaries(
        cudaPackage,
        "tlsc's operators for NVIDIA cards, for Linux on x64.",
        'linux-x64',
        builtFor(cuda),
        version,
      ),
    );
  const optionalDependencies = Object.fromEntries(
    platforms.map((platform) => [packageFor(platform), version]),
  );
  const peers = { 'onnxruntime-node': '>=1.21', [cudaPackage]: version };
  const additions = {
    'core-native': {
      optionalDependencies,
      peerDependencies: peers,
      peerDependenciesMeta: Object.fromEntries(Object.keys(peers).map((name) => [name, { optional: true }])),
    },
  };
  for (const name of workspacePackages) stages.push(stageWorkspacePackage(name, version, additions[name]));
  rmSync(packed, { recursive: true, force: true });
  mkdirSync(packed);
  for (const folder of stages)
    run(npm, ['pack', '--silent', '--ignore-scripts', '--pack-destination', packed], { cwd: folder });
  say(`packed for ${platforms.join(', ')}${isCudaBuilt ? ' and CUDA' : ''}: ${packed}`);
}
