// The C++ packages the build needs and npm does not carry: ONNX Runtime's C headers, Highway's sources, protozero and GoogleTest.
// Installed ones come first. On Debian the missing ones are fetched from the machine's own mirror.
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Failure, run, say, tools } from '../lib.mjs';
import { hasDebian, withDebian } from './debian.mjs';

const prefix = join(tools, 'native', 'usr');
const suite = 'trixie'; // The first Debian release that packages ONNX Runtime.

const packages = [
  {
    debian: 'libonnxruntime-dev',
    files: [
      'include/onnxruntime/onnxruntime_c_api.h',
      'include/onnxruntime/core/session/onnxruntime_c_api.h',
    ],
    override: 'ONNXRUNTIME_INCLUDE_DIR',
    advice:
      "Install ONNX Runtime's C headers, 1.21 or newer (Debian 13: libonnxruntime-dev; Homebrew, vcpkg, conda: onnxruntime), " +
      'or name the folder of onnxruntime_c_api.h in ONNXRUNTIME_INCLUDE_DIR.',
  },
  {
    // As source: it becomes part of our library, which then needs nothing installed where it runs.
    debian: 'highway',
    isSource: true,
    files: ['src/highway/hwy/targets.cc', 'include/hwy/highway.h'],
    advice: 'Install Highway, 1.2 or newer (Debian: libhwy-dev; Homebrew, vcpkg, conda: highway or libhwy).',
  },
  {
    debian: 'libprotozero-dev',
    files: ['include/protozero/pbf_reader.hpp'],
    advice: 'Install protozero (Debian: libprotozero-dev; Homebrew, vcpkg, conda: protozero).',
  },
  {
    debian: 'googletest',
    files: ['src/googletest/googletest/src/gtest-all.cc', 'include/gtest/gtest.h'],
    advice: 'Install GoogleTest (Debian: libgtest-dev; Homebrew, vcpkg, conda: googletest or gtest).',
  },
  {
    debian: 'benchmark',
    isSource: true,
    onlyFor: 'bench',
    files: ['src/benchmark/src/benchmark.cc', 'include/benchmark/benchmark.h'],
    advice:
      'Install Google Benchmark (Debian: libbenchmark-dev; Homebrew, vcpkg, conda: google-benchmark or benchmark).',
  },
];

function prefixes() {
  const conda = process.env.CONDA_PREFIX;
  return [prefix, '/usr', '/usr/local', '/opt/homebrew', ...(conda ? [conda] : [])];
}

function isThere({ files, override }, places) {
  if (override && process.env[override]) return true;
  return places.some((place) => files.some((file) => existsSync(join(place, file))));
}

/** A package goes where it would be installed, a source archive into src/. */
function unpack(file, advice) {
  if (file.endsWith('.deb')) run('dpkg-deb', ['-x', file, join(tools, 'native')], { advice });
  const source = basename(file).match(/^(.+)_.+\.orig\.tar\./);
  if (!source) return;
  const folder = join(prefix, 'src', source[1]);
  mkdirSync(folder, { recursive: true });
  run('tar', ['-xf', file, '-C', folder, '--strip-components=1'], { advice });
}

function fetchFromDebian(missing) {
  const names = missing.map(({ debian }) => debian);
  const advice = missing.map((entry) => entry.advice).join('\n');
  if (!hasDebian()) throw new Failure(`not found on this system: ${names.join(', ')}`, advice);
  say(`fetching ${names.join(' and ')} from the Debian mirror of this machine into .tools`);
  withDebian(suite, join(tools, 'native'), advice, (apt, folder) => {
    for (const { debian, isSource } of missing)
      apt(...(isSource ? ['source', '--download-only', debian] : ['download', debian]));
    for (const file of readdirSync(folder)) unpack(join(folder, file), advice);
  });
}

/** Brings what every build needs, and what only the named task does. For `prebuild` what the machine has installed does not count. */
export function provideNativePackages(task) {
  const needed = packages.filter(({ onlyFor }) => onlyFor === undefined || onlyFor === task);
  const places = task === 'prebuild' ? [prefix] : prefixes();
  const missing = needed.filter((entry) => !isThere(entry, places));
  if (missing.length > 0) fetchFromDebian(missing);
}

/** What CMake is told, so that it looks where the packages were put. */
export function cmakeDefinitions() {
  const include = process.env.ONNXRUNTIME_INCLUDE_DIR;
  return { CMAKE_PREFIX_PATH: prefix, ...(include ? { ONNXRUNTIME_INCLUDE_DIR: include } : {}) };
}
