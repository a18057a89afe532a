import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findOperators, findRuntime } from '@tlsc/core-native';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { prebuiltPlatforms } from '../lib/platforms.js';
import { failure, temporaryFolder } from './support.js';

const folder = temporaryFolder();
const file = { win32: 'onnxruntime.dll', darwin: 'libonnxruntime.1.dylib' }[process.platform as string];

function pretendRuntime(...path: string[]): string {
  const place = join(folder, ...path);
  mkdirSync(place, { recursive: true });
  const runtime = join(place, file ?? 'libonnxruntime.so.1');
  writeFileSync(runtime, '');
  return runtime;
}

afterEach(() => vi.unstubAllEnvs());

describe('ONNX Runtime is', () => {
  test('the library that is named, by file or by folder', () => {
    const runtime = pretendRuntime('plain');
    expect(findRuntime(runtime)).toBe(runtime);
    expect(findRuntime(dirname(runtime))).toBe(runtime);
  });

  test("onnxruntime-node's, where the folder of the package is named", () => {
    const runtime = pretendRuntime('package', 'bin', 'napi-v6', process.platform, process.arch);
    expect(findRuntime(join(folder, 'package'))).toBe(runtime);
  });

  test('that of the installed onnxruntime-node, where its name is given', () => {
    vi.stubEnv('TLSC_ONNXRUNTIME', 'onnxruntime-node');
    expect(findRuntime()).toContain(join('onnxruntime-node', 'bin', 'napi-v6'));
  });

  test('the one that the caller names rather than that of the environment', () => {
    const runtime = pretendRuntime('named');
    vi.stubEnv('TLSC_ONNXRUNTIME', join(folder, 'missing'));
    expect(findRuntime(runtime)).toBe(runtime);
    expect(() => findRuntime()).toThrow(
      failure('ERR_RUNTIME_NOT_FOUND', /missing .named by TLSC_ONNXRUNTIME/),
    );
  });

  test('missing in a folder that has none', () => {
    mkdirSync(join(folder, 'empty'));
    expect(() => findRuntime(join(folder, 'empty'))).toThrow(
      failure('ERR_RUNTIME_NOT_FOUND', /empty .named by the option onnxruntime/),
    );
  });
});

describe('the operator library is', () => {
  test('the one beside the addon', () => {
    expect(dirname(findOperators())).toMatch(/core-native.(build.Release|prebuilds.[\w-]+)$/);
  });

  test('found beside the one for another platform', () => {
    const cpu = join(folder, findOperators().replace(/^.*[\\/]/, ''));
    const cuda = cpu.replace('tlsc_ops', 'tlsc_ops_cuda');
    copyFileSync(findOperators(), cpu);
    writeFileSync(cuda, '');
    expect(findOperators('cuda', cpu)).toBe(cuda);
    expect(findOperators('cpu', cuda)).toBe(cpu);
  });
});

test('binaries are published for platforms as Node.js names them', () => {
  for (const platform of prebuiltPlatforms) expect(platform).toMatch(/^(linux|darwin|win32)-(x64|arm64)$/);
});
