// Builds the C++ side: the addon with the operator library beside it, and, for the tests, the kernels' own suite.
import { readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { Failure, read, root, run, say } from '../lib.mjs';
import { cmakeDefinitions } from './native-packages.mjs';

const coreNative = join(root, 'packages', 'core-native');
const cpp = join(root, 'cpp');
const jobs = String(availableParallelism());

/**
 * Whether the folder is ready to build `source`. One that came with a checkout that was moved or copied still means the place that it
 * came from, where a build would go; it is removed.
 */
function isConfigured(build, source) {
  let cache = '';
  try {
    cache = readFileSync(join(build, 'CMakeCache.txt'), 'utf8');
  } catch {
    return false;
  }
  const configuredFor = cache.match(/^CMAKE_HOME_DIRECTORY:INTERNAL=(.*)$/m)?.[1] ?? '';
  if (resolve(configuredFor) === source) return true;
  say(`configured for ${configuredFor}, beginning anew: ${build}`);
  rmSync(build, { recursive: true });
  return false;
}

export function buildAddon() {
  const build = join(coreNative, 'build');
  const requireFrom = createRequire(join(coreNative, 'package.json'));
  if (!isConfigured(build, coreNative)) {
    say('configuring the native addon');
    const definitions = Object.entries(cmakeDefinitions()).map(([name, value]) => `--CD${name}=${value}`);
    run(process.execPath, [requireFrom.resolve('cmake-js/bin/cmake-js'), 'configure', ...definitions], {
      cwd: coreNative,
    });
  }
  say('building the native addon');
  run('cmake', ['--build', build, '--config', 'Release', '--parallel', jobs]);
}

/** Builds the operator library for NVIDIA cards beside the addon, which `buildAddon` keeps up to date from then on. */
export function buildCudaOperators() {
  if (read(process.env.CUDACXX ?? 'nvcc', ['--version']) === undefined) {
    throw new Failure(
      "CUDA's compiler (nvcc) was not found",
      'Install the CUDA toolkit, 12 or 13, and put its bin folder on PATH, or name nvcc in CUDACXX.',
    );
  }
  say('configuring the operators for NVIDIA cards');
  run('cmake', ['-DTLSC_BUILD_CUDA=ON', join(coreNative, 'build')]);
  buildAddon();
}

function buildPreset(preset) {
  if (!isConfigured(join(cpp, 'build', preset), cpp)) {
    say(`configuring the C++ side (${preset})`);
    const definitions = Object.entries(cmakeDefinitions()).map(([name, value]) => `-D${name}=${value}`);
    run('cmake', ['--preset', preset, ...definitions], { cwd: cpp });
  }
  say(`building the C++ side (${preset})`);
  run('cmake', ['--build', '--preset', preset, '--parallel', jobs], { cwd: cpp });
}

/** Builds and runs the tests of the C++ side with one of the presets of cpp/CMakePresets.json. */
export async function testKernels(preset) {
  buildPreset(preset);
  // Of the package that setup has built: the library that its sessions would open.
  const { findRuntime } = await import('../../packages/core-native/dist/paths.js');
  const env = { TLSC_ONNXRUNTIME: findRuntime() };
  run('ctest', ['--preset', preset, '--parallel', jobs], { cwd: cpp, env });
}

/** Builds and runs the kernels' benchmarks. */
export function benchKernels() {
  buildPreset('bench');
  const folder = join(cpp, 'build', 'bench');
  for (const kernel of [
    'local_average_pool',
    'local_group_normalization',
    'local_instance_normalization',
    'local_windows',
    'replicate_scale',
  ])
    run(join(folder, `${kernel}_bench`), []);
}
