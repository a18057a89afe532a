import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type CudaDescription,
  describeCuda,
  describeOperators,
  describeRuntime,
  findOperators,
  findRuntime,
} from '@tlsc/core-native';
import { describe, expect, test } from 'vitest';
import { failure, temporaryFolder } from './support.js';

const folder = temporaryFolder();

test('a runtime says its version and providers', async () => {
  const { version, providers } = await describeRuntime(findRuntime());
  expect(version).toMatch(/^1\.\d+\.\d+$/);
  expect(providers).toContain('CPUExecutionProvider');
  const missing = join(folder, 'libonnxruntime.so');
  await expect(describeRuntime(missing)).rejects.toEqual(
    failure('ERR_RUNTIME_NOT_FOUND', /libonnxruntime\.so/),
  );
});

test('an operator library says what it runs on', async () => {
  expect((await describeOperators(findOperators())).target).toMatch(/^[A-Z0-9_]+$/);
  const missing = join(folder, 'libtlsc_ops.so');
  await expect(describeOperators(missing)).rejects.toEqual(
    failure('ERR_OPERATORS_NOT_FOUND', /libtlsc_ops\.so/),
  );
  await expect(describeOperators(findRuntime())).rejects.toEqual(
    failure('ERR_OPERATORS_NOT_FOUND', /onnxruntime.* is not an operator library of tlsc/),
  );
});

// The driver is looked for by name, so that a folder of LD_LIBRARY_PATH can hold one that pretends.
describe.runIf(process.platform === 'linux')('CUDA', () => {
  const child = fileURLToPath(new URL('cuda-child.mjs', import.meta.url));

  function describeWith(source: string): CudaDescription {
    const library = join(folder, 'libcuda.so.1');
    writeFileSync(join(folder, 'driver.c'), source);
    execFileSync('cc', ['-shared', '-fPIC', '-o', library, join(folder, 'driver.c')]);
    const output = execFileSync(process.execPath, [child, findRuntime()], {
      env: { ...process.env, LD_LIBRARY_PATH: folder },
      encoding: 'utf8',
    });
    return JSON.parse(output) as CudaDescription;
  }

  const errorText = `
    int cuGetErrorString(int result, const char** text) { *text = "the card is on fire"; return 0; }`;

  test('names the cards of the driver, in the order of their ids', () => {
    const { driverVersion, driverProblem, devices } = describeWith(`
      #include <stddef.h>
      #include <stdio.h>
      int cuInit(unsigned flags) { return flags; }
      int cuDriverGetVersion(int* version) { *version = 12080; return 0; }
      int cuDeviceGetCount(int* count) { *count = 2; return 0; }
      int cuDeviceGet(int* device, int index) { *device = 40 + index; return 0; }
      int cuDeviceGetName(char* name, int size, int device) { snprintf(name, size, "card %d", device); return 0; }
      int cuDeviceTotalMem_v2(size_t* size, int device) { *size = (size_t)device << 30; return 0; }
      int cuDeviceGetAttribute(int* value, int attribute, int device) {
        *value = attribute == 75 ? device - 32 : attribute == 76 ? 6 : -1;
        return 0;
      }`);
    expect(driverProblem).toBe('');
    expect(driverVersion).toBe('12.8');
    expect(devices).toEqual([
      { name: 'card 40', memory: 40 * 2 ** 30, computeCapability: '8.6' },
      { name: 'card 41', memory: 41 * 2 ** 30, computeCapability: '9.6' },
    ]);
  });

  test('says what the driver says is wrong', () => {
    const { driverProblem, devices } = describeWith(
      `int cuInit(unsigned flags) { return 100 + flags; } ${errorText}`,
    );
    expect(driverProblem).toBe('cuInit: the card is on fire (100)');
    expect(devices).toEqual([]);
  });

  test('says which function a driver lacks', () => {
    const { driverProblem } = describeWith('int cuInit(unsigned flags) { return flags; }');
    expect(driverProblem).toBe('libcuda.so.1 has no cuDriverGetVersion');
  });

  const providers = join(dirname(findRuntime()), 'libonnxruntime_providers_shared.so');

  test.skipIf(existsSync(providers))('says that ONNX Runtime lacks its library', async () => {
    const { providerProblem } = await describeCuda(findRuntime());
    expect(providerProblem).toMatch(/^execution provider cuda: .*libonnxruntime_providers_shared/);
  });
});
