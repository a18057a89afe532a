// Builds the C++ side: the addon with the operator library beside it, and, for the tests, the kernels' own suite.
import { spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { Failure, holds, read, root, run, say } from '../lib.mjs';
import { cmakeDefinitions } from './native-packages.mjs';

const coreNative = join(root, 'packages', 'core-native');
const cpp = join(root, 'cpp');
const jobs = String(availableParallelism());

/**
 * Configures a build folder by `configure` unless it is configured for just this. One that is configured for something else is removed
 * first: it may have come with a checkout that was copied, and still mean the place that it came from, where the build would go.
 */
function provideConfigured(build, source, cmakeArgs, configure) {
  const files = [cmakeArgs.CMAKE_TOOLCHAIN_FILE, join(source, 'CMakePresets.json')];
  const texts = files.filter((file) => file && existsSync(file)).map((file) => readFileSync(file, 'utf8'));
  const wanted = JSON.stringify([source, cmakeArgs, texts]);
  const stamp = join(build, '.tlsc-configured');
  if (holds(stamp, wanted)) return;
  rmSync(build, { recursive: true, force: true });
  say(`configuring ${relative(root, build)}`);
  const definitions = { ...cmakeDefinitions(), ...cmakeArgs };
  configure(Object.entries(definitions).map(([name, value]) => `D${name}=${value}`));
  writeFileSync(stamp, wanted);
}

function only(targets) {
  return targets.length > 0 ? ['--target', ...targets] : [];
}

/** Builds the addon, and the operator library beside it, or `targets` alone, into a folder; `cmakeArgs` say what is special about it. */
export function buildAddonIn(build, { cmakeArgs = {}, targets = [] } = {}) {
  const cmakeJs = createRequire(join(coreNative, 'package.json')).resolve('cmake-js/bin/cmake-js');
  provideConfigured(build, coreNative, cmakeArgs, (definitions) => {
    const args = definitions.map((definition) => `--C${definition}`);
    run(process.execPath, [cmakeJs, 'configure', '--out', build, ...args], { cwd: coreNative });
  });
  say('building the native addon');
  run('cmake', ['--build', build, '--config', 'Release', '--parallel', jobs, ...only(targets)]);
}

export function buildAddon() {
  buildAddonIn(join(coreNative, 'build'));
}

export function checkNvcc() {
  if (read(process.env.CUDACXX ?? 'nvcc', ['--version']) !== undefined) return;
  throw new Failure(
    "CUDA's compiler (nvcc) was not found",
    'Install the CUDA toolkit, 12 or 13, and put its bin folder on PATH, or name nvcc in CUDACXX.',
  );
}

/** Builds the operator library for NVIDIA cards beside the addon, which `buildAddon` keeps up to date from then on. */
export function buildCudaOperators() {
  checkNvcc();
  say('configuring the operators for NVIDIA cards');
  run('cmake', ['-DTLSC_BUILD_CUDA=ON', join(coreNative, 'build')]);
  buildAddon();
}

/** Builds with one of the presets of cpp/CMakePresets.json, all that it names or these targets alone. */
export function buildPreset(preset, { cmakeArgs = {}, targets = [] } = {}) {
  provideConfigured(join(cpp, 'build', preset), cpp, cmakeArgs, (definitions) => {
    run('cmake', ['--preset', preset, ...definitions.map((definition) => `-${definition}`)], { cwd: cpp });
  });
  say(`building the C++ side (${preset})`);
  run('cmake', ['--build', '--preset', preset, '--parallel', jobs, ...only(targets)], { cwd: cpp });
}

/** Builds and runs the tests of the C++ side with one of the presets of cpp/CMakePresets.json. */
export async function testKernels(preset) {
  buildPreset(preset);
  // Of the package that setup has built: the library that its sessions would open.
  const { findRuntime } = await import('../../packages/core-native/dist/libraries.js');
  const env = { TLSC_ONNXRUNTIME: findRuntime() };
  run('ctest', ['--preset', preset, '--parallel', jobs], { cwd: cpp, env });
}

/** Builds and runs the kernels' benchmarks. */
export function benchKernels() {
  buildPreset('bench');
  const folder = join(cpp, 'build', 'bench');
  for (const kernel of [
    'channel_normalization',
    'copy_image',
    'depthwise_conv',
    'local_average_pool',
    'local_group_normalization',
    'local_instance_normalization',
    'local_instance_normalization_leaky_relu',
    'local_transposed_attention',
    'local_windows',
    'pointwise_conv',
    'replicate_scale',
  ])
    run(join(folder, `${kernel}_bench`), []);
}

/** Whether clang++ can link libFuzzer and the sanitizers: its runtime is a package of its own. */
function canFuzz() {
  const folder = mkdtempSync(join(tmpdir(), 'tlsc-fuzz-'));
  const source = join(folder, 'empty.cc');
  writeFileSync(
    source,
    'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }\n',
  );
  const flags = ['-fsanitize=fuzzer,address,undefined', source, '-o', join(folder, 'empty')];
  const linked = read('clang++', flags) !== undefined;
  rmSync(folder, { recursive: true });
  return linked;
}

/** Runs one fuzz target; whether it has ended without a finding. */
function runFuzzTarget(name, seconds, findings) {
  const corpus = join(cpp, 'fuzz', 'corpus', name.replace('_cuda_emulation', ''));
  const inputs = join(findings, 'inputs', name); // what libFuzzer keeps because it reaches new code
  mkdirSync(inputs, { recursive: true });
  // Of a kernel, 256 bytes make shapes and the first values; models are longer.
  const longest = name === 'gate' ? 8192 : 256;
  const limits = [`-max_total_time=${seconds}`, `-max_len=${longest}`];
  const args = [inputs, corpus, ...limits, '-seed=1', '-print_final_stats=1'];
  const log = openSync(join(findings, `${name}.log`), 'w');
  const fuzzer = spawn(
    join(cpp, 'build', 'fuzz', `${name}_fuzz`),
    [...args, `-artifact_prefix=${join(findings, `${name}-`)}`],
    { stdio: ['ignore', log, log] },
  );
  return new Promise((resolve, reject) => {
    fuzzer.on('error', reject);
    fuzzer.on('exit', (status) => {
      closeSync(log);
      const text = readFileSync(join(findings, `${name}.log`), 'utf8');
      const count = text.match(/number_of_executed_units: (\d+)/)?.[1] ?? 'some';
      say(`${name}: ${count} inputs, ${status === 0 ? 'nothing found' : 'A FINDING'}`);
      resolve(status === 0);
    });
  });
}

/**
 * Fuzzes the kernels, the bodies of the CUDA kernels and the operators' attributes with libFuzzer for about so many seconds,
 * two targets at a time. New findings and logs stay in a folder that is printed; throws a `Failure` where there is a finding.
 */
export async function fuzzKernels(seconds) {
  if (!canFuzz())
    throw new Failure(
      'clang++ cannot build fuzz targets here',
      'Install clang with its runtime libraries (Debian: apt install clang libclang-rt-dev).',
    );
  buildPreset('fuzz');
  const targets = readdirSync(join(cpp, 'build', 'fuzz'))
    .filter((file) => file.endsWith('_fuzz'))
    .map((file) => file.slice(0, -'_fuzz'.length));
  const findings = mkdtempSync(join(tmpdir(), 'tlsc-findings-'));
  say(`fuzzing ${targets.length} targets; what is found goes to ${findings}`);
  const lanes = 2;
  const each = Math.max(1, Math.floor((seconds * lanes) / targets.length));
  const failed = [];
  const waiting = [...targets];
  const work = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift())
      if (!(await runFuzzTarget(name, each, findings))) failed.push(name);
  };
  await Promise.all(Array.from({ length: lanes }, work));
  if (failed.length > 0)
    throw new Failure(
      `fuzzing has found something: ${failed.join(', ')}`,
      `The inputs and logs are in ${findings}. Mend it, and keep the input in cpp/fuzz/corpus.`,
    );
}
