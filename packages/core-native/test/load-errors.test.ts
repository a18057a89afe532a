import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findOperators } from '@tlsc/core-native';
import { describe, expect, test } from 'vitest';
import { failure, identityModel, load, temporaryFolder } from './support.js';
import { encode } from './tiny-model.js';

const folder = temporaryFolder();

describe('what cannot be loaded', () => {
  const bytes = identityModel();

  test('a missing model gives ERR_MODEL_NOT_FOUND and is named', async () => {
    const missing = join(folder, 'missing.onnx');
    await expect(load(missing)).rejects.toEqual(failure('ERR_MODEL_NOT_FOUND', /missing\.onnx/));
  });

  test.each<[string, string | Uint8Array]>([
    ['no bytes', new Uint8Array(0)],
    ['garbage', new Uint8Array(100).map((_, i) => i * 7)],
    ['truncated bytes', bytes.slice(0, bytes.length - 9)],
  ])('%s give ERR_INVALID_MODEL', async (_, model) => {
    await expect(load(model)).rejects.toEqual(failure('ERR_INVALID_MODEL'));
  });

  test('a folder gives ERR_MODEL_NOT_FOUND, as a missing model does', async () => {
    await expect(load(folder)).rejects.toEqual(failure('ERR_MODEL_NOT_FOUND', /it is a folder/));
  });

  test('every truncation of a model rejects or loads, and nothing else', async () => {
    for (let length = 1; length < bytes.length; ++length) {
      const outcome = await load(bytes.slice(0, length)).then(
        () => 'loaded',
        (error: { code: string }) => error.code,
      );
      expect(['loaded', 'ERR_INVALID_MODEL']).toContain(outcome);
    }
  });

  test('a damaged file gives ERR_INVALID_MODEL', async () => {
    const file = join(folder, 'damaged.onnx');
    writeFileSync(file, bytes.slice(0, 30));
    await expect(load(file)).rejects.toEqual(failure('ERR_INVALID_MODEL'));
  });

  test('an operator that ONNX does not have gives ERR_INVALID_MODEL and is named', async () => {
    const model = encode({
      inputs: [{ name: 'x', type: 'float32', shape: [1] }],
      outputs: [{ name: 'y', type: 'float32', shape: [1] }],
      nodes: [{ op: 'Unheard', inputs: ['x'], outputs: ['y'] }],
    });
    await expect(load(model)).rejects.toEqual(failure('ERR_INVALID_MODEL', /Unheard/));
  });

  test.each<[string, string]>([
    ['a file that is no library', join(folder, 'no-library.so')],
    ['a folder', folder],
    ['a path in a missing folder', join(folder, 'missing', 'libonnxruntime.so')],
    ['an empty path', join(folder, '')],
  ])('%s as the runtime gives ERR_RUNTIME_NOT_FOUND, every time', async (_, runtimePath) => {
    writeFileSync(join(folder, 'no-library.so'), 'not a library');
    for (let i = 0; i < 2; ++i) {
      await expect(load(bytes, { runtimePath })).rejects.toEqual(
        failure('ERR_RUNTIME_NOT_FOUND', /tlsc-core-native/),
      );
    }
  });

  test('a library that is not ONNX Runtime gives ERR_RUNTIME_NOT_FOUND and is named', async () => {
    const runtimePath = findOperators();
    await expect(load(bytes, { runtimePath })).rejects.toEqual(
      failure('ERR_RUNTIME_NOT_FOUND', /tlsc_ops.* is not an ONNX Runtime library/),
    );
  });

  // A card that no machine has.
  test.each([
    { name: 'cuda', options: { device_id: '999' } },
    { name: 'Nonsense', options: {} },
  ])('the provider $name gives ERR_PROVIDER_UNAVAILABLE and is named', async (provider) => {
    const rejection = load(bytes, { providers: [provider] });
    await expect(rejection).rejects.toEqual(failure('ERR_PROVIDER_UNAVAILABLE', new RegExp(provider.name)));
    await expect(rejection).rejects.toMatchObject({ culprit: provider.name });
  });

  test('a session rejected leaves the next one alone', async () => {
    await expect(load(new Uint8Array(3))).rejects.toEqual(failure('ERR_INVALID_MODEL'));
    expect((await load(bytes)).inputs).toHaveLength(1);
  });
});
