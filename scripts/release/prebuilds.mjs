// The binaries of a platform package, where node-gyp-build looks for them: packages/core-native/prebuilds/<platform>. Linux's are built on
// any Debian on x64; those of macOS and Windows on such machines.
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { Failure, root, run, say, tools } from '../lib.mjs';
import { buildAddonIn, checkNvcc } from '../steps/native.mjs';
import { checkLinuxBinaries } from './binary-checks.mjs';
import { compilersOf, provideCompilers } from './linux-compilers.mjs';
import { runtimeLibrary, runtimeName } from './onnxruntime-library.mjs';
import { hashOfSources } from './sources.mjs';

const coreNative = join(root, 'packages', 'core-native');
const builder = join(root, 'scripts', 'release', 'prebuildify-builder.mjs');
/** The operators for NVIDIA cards, which are a package without an addon. */
export const cudaPlatform = 'cuda-linux-x64';
const host = `${process.platform}-${process.arch}`;

export function prebuildsOf(platform) {
  return join(coreNative, 'prebuilds', platform);
}

/** The hash of the sources that a platform's binaries were built of. */
export function hashFileOf(platform) {
  return `${prebuildsOf(platform)}.sha256`;
}

/** The files of a platform's package. */
export function binariesOf(platform) {
  if (platform === cudaPlatform) return ['libtlsc_ops_cuda.so'];
  const [os] = platform.split('-');
  const operators = { win32: 'tlsc_ops.dll', darwin: 'libtlsc_ops.dylib' }[os] ?? 'libtlsc_ops.so';
  return [os === 'linux' ? 'tlsc.glibc.node' : 'tlsc.node', operators, runtimeName(platform)];
}

function isLinux(platform) {
  return platform.startsWith('linux-');
}

/** What CMake is told beyond what every build of the addon is. */
export function cmakeArgsFor(platform) {
  if (platform.startsWith('darwin-')) return { CMAKE_OSX_DEPLOYMENT_TARGET: '14.0' }; // ONNX Runtime's
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
  const build = join(tools, 'prebuild', cudaPlatform, 'build');
  const cmakeArgs = {
    ...cmakeArgsFor('linux-x64'),
    TLSC_BUILD_CUDA: 'ON',
    CMAKE_CUDA_HOST_COMPILER: join(folder, 'g++'),
  };
  buildAddonIn(build, { cmakeArgs, targets: ['tlsc_ops_cuda'] });
  const [file] = binariesOf(cudaPlatform);
  mkdirSync(prebuildsOf(cudaPlatform), { recursive: true });
  run(strip, ['--strip-all', '-o', join(prebuildsOf(cudaPlatform), file), join(build, 'Release', file)]);
}

async function prebuildAddon(platform) {
  if (!isLinux(platform) && platform !== host)
    throw new Failure(`the binaries for ${platform} cannot be built on ${host}`, 'Build them there.');
  if (isLinux(platform)) provideCompilers(platform);
  const [os, arch] = platform.split('-');
  const work = join(tools, 'prebuild', platform);
  const artifacts = join(work, 'artifacts');
  mkdirSync(artifacts, { recursive: true });
  const library = await runtimeLibrary(platform);
  copyFileSync(library, join(artifacts, basename(library)));
  const prebuildify = createRequire(join(coreNative, 'package.json'))('prebuildify');
  const options = {
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
  };
  await promisify(prebuildify)(options).catch((error) => {
    throw new Failure(`the binaries for ${platform} are not built: ${error.message}`);
  });
}

/** Builds and checks the binaries for a platform, or `cudaPlatform`; of what is built already, nothing is built again. */
export async function prebuild(platform) {
  rmSync(hashFileOf(platform), { force: true });
  rmSync(prebuildsOf(platform), { recursive: true, force: true });
  say(`building the binaries for ${platform}`);
  if (platform === cudaPlatform) prebuildCuda();
  else await prebuildAddon(platform);
  if (platform.includes('linux-')) checkLinuxBinaries(prebuildsOf(platform));
  writeFileSync(hashFileOf(platform), hashOfSources());
}
