// The binaries of a platform package, where node-gyp-build looks for them: packages/core-native/prebuilds/<platform>. Linux's are built on
// any Debian on x64; those of macOS and Windows on such machines.
import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { Failure, root, run, say, tools } from '../lib.mjs';
import { buildAddonIn, checkNvcc } from '../steps/native.mjs';
import { checkLinuxBinaries } from './binary-checks.mjs';
import { compilersOf, provideCompilers } from './linux-compilers.mjs';
import { runtimeLibrary } from './onnxruntime-library.mjs';

const coreNative = join(root, 'packages', 'core-native');
const builder = join(root, 'scripts', 'release', 'prebuildify-builder.mjs');
/** The folder of the operators for NVIDIA cards, which belong to no addon. */
export const cuda = 'cuda-linux-x64';
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

/** The operators for NVIDIA cards; they need no card, and no CUDA where they run but the driver. */
function prebuildCuda() {
  checkNvcc();
  provideCompilers('linux-x64');
  const { folder, strip } = compilersOf('linux-x64');
  const build = join(tools, 'prebuild', cuda, 'build');
  const cmakeArgs = {
    ...cmakeArgsFor('linux-x64'),
    TLSC_BUILD_CUDA: 'ON',
    CMAKE_CUDA_HOST_COMPILER: join(folder, 'g++'),
  };
  buildAddonIn(build, { cmakeArgs, targets: ['tlsc_ops_cuda'] });
  const file = 'libtlsc_ops_cuda.so';
  rmSync(prebuildsOf(cuda), { recursive: true, force: true });
  mkdirSync(prebuildsOf(cuda), { recursive: true });
  run(strip, ['--strip-all', '-o', join(prebuildsOf(cuda), file), join(build, 'Release', file)]);
  checkLinuxBinaries(prebuildsOf(cuda));
}

/** Builds and checks the binaries for a platform, or `cuda-linux-x64`; of what is built already, nothing is built again. */
export async function prebuild(platform) {
  if (platform === cuda) return prebuildCuda();
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
