// The binaries of a platform package, where node-gyp-build looks for them: packages/core-native/prebuilds/<platform>. Linux's are built on
// any Debian on x64; those of macOS and Windows on such machines.
import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { Failure, root, say, tools } from '../lib.mjs';
import { checkLinuxBinaries } from './binary-checks.mjs';
import { compilersOf, provideCompilers } from './linux-compilers.mjs';
import { runtimeLibrary } from './onnxruntime-library.mjs';

const coreNative = join(root, 'packages', 'core-native');
const builder = join(root, 'scripts', 'release', 'prebuildify-builder.mjs');
const host = `${process.platform}-${process.arch}`;

export function prebuildsOf(platform) {
  return join(coreNative, 'prebuilds', platform);
}

function isLinux(platform) {
  return platform.startsWith('linux-');
}

/** What CMake is told beyond what every build of the addon is. */
export function cmakeArgsFor(platform) {
  if (!isLinux(platform)) return {};
  const { folder, triplet } = compilersOf(platform);
  return {
    CMAKE_TOOLCHAIN_FILE: join(root, 'cpp', 'cmake', 'linux-portable.cmake'),
    TLSC_COMPILERS: folder,
    TLSC_PROCESSOR: triplet.split('-')[0],
  };
}

/** Builds and checks the binaries for a platform; of what is built already, nothing is built again. */
export async function prebuild(platform) {
  if (!isLinux(platform) && platform !== host)
    throw new Failure(`the binaries for ${platform} cannot be built on ${host}`, 'Build them there.');
  if (isLinux(platform)) provideCompilers(platform);
  const [os, arch] = platform.split('-');
  const work = join(tools, 'prebuild', platform);
  const artifacts = join(work, 'artifacts');
  mkdirSync(artifacts, { recursive: true });
  const library = await runtimeLibrary(platform);
  copyFileSync(library, join(artifacts, basename(library)));
  rmSync(prebuildsOf(platform), { recursive: true, force: true });
  say(`building the binaries for ${platform}`);
  const prebuildify = createRequire(join(coreNative, 'package.json'))('prebuildify');
  await promisify(prebuildify)({
    name: 'tlsc',
    platform: os,
    arch,
    napi: true,
    targets: [{ runtime: 'node', target: '20.17.0' }],
    cwd: work,
    out: coreNative,
    artifacts,
    strip: true,
    ...(isLinux(platform) && { stripBin: compilersOf(platform).strip, tagLibc: 'glibc' }),
    nodeGyp: process.platform === 'win32' ? `"${process.execPath}" "${builder}"` : builder,
  });
  if (isLinux(platform)) checkLinuxBinaries(prebuildsOf(platform));
}
