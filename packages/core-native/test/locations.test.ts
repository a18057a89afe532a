import { copyFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import {
  dispose,
  download,
  findRuntime,
  type NativeDeviceTensor,
  type NativeInput,
  type NativeLocation,
  type NativeSession,
  type NativeTensor,
} from '@tlsc/core-native';
import { describe, expect, test } from 'vitest';
import {
  collectGarbage,
  failure,
  fanModel,
  float32,
  identityModel,
  load,
  run,
  temporaryFolder,
} from './support.js';
import { encode } from './tiny-model.js';

// Without a card every location is ordinary memory, but the way there is the same.
async function fetch<T>(
  session: NativeSession,
  inputs: NativeInput[],
  name: string,
  location: NativeLocation,
) {
  const [output, ...rest] = await session.run(inputs, [{ name, location }]).outputs;
  expect(rest).toEqual([]);
  return output as T;
}

const onDevice = (session: NativeSession, input: NativeInput, name = 'y') =>
  fetch<NativeDeviceTensor>(session, [input], name, 'device');

describe('outputs', () => {
  test('lie where each is asked for, in the order asked for', async () => {
    const session = await load(fanModel(4));
    const [y2, y0, y3] = await session.run(
      [float32('x', [2], [10, 20])],
      [
        { name: 'y2', location: 'device' },
        { name: 'y0', location: 'cpu' },
        { name: 'y3', location: 'pinned' },
      ],
    ).outputs;
    expect(y2).toEqual({ type: 'float32', dims: [2], handle: expect.anything() });
    expect(y0).toEqual({ type: 'float32', dims: [2], data: Float32Array.of(10, 20) });
    expect(y3).toEqual({ type: 'float32', dims: [2], data: Float32Array.of(13, 23) });
    const { handle } = y2 as NativeDeviceTensor;
    expect(await download(handle)).toEqual({ type: 'float32', dims: [2], data: Float32Array.of(12, 22) });
  });

  test.each(['pinned', 'device'] as const)('that are %s fail as others do', async (location) => {
    const session = await load(identityModel());
    const outputs = (name: string) => session.run([float32('x', [1])], [{ name, location }]).outputs;
    await expect(outputs('z')).rejects.toEqual(failure('ERR_RUN_FAILED', /z/));
    const wrong = session.run([float32('x', [1, 1])], [{ name: 'y', location }]).outputs;
    await expect(wrong).rejects.toEqual(failure('ERR_RUN_FAILED', /rank/i));
    expect((await run(session, float32('x', [1], [4]))).data[0]).toBe(4);
  });

  test('that are also inputs are not the memory of the inputs', async () => {
    const session = await load(
      encode({
        inputs: [{ name: 'x', type: 'float32', shape: ['n'] }],
        outputs: [{ name: 'x', type: 'float32', shape: ['n'] }],
        nodes: [],
      }),
    );
    const input = { name: 'x', type: 'float32', dims: [2], data: Float32Array.of(1, 2) };
    const pinned = await fetch<NativeTensor>(session, [input], 'x', 'pinned');
    const { handle } = await onDevice(session, input, 'x');
    input.data.fill(0);
    expect(pinned.data).toEqual(Float32Array.of(1, 2));
    expect((await download(handle)).data).toEqual(Float32Array.of(1, 2));
  });
});

test('an output asked for twice is refused unless both lie in ordinary memory', async () => {
  const session = await load(identityModel());
  const twice = session.run(
    [float32('x', [1])],
    [
      { name: 'y', location: 'cpu' },
      { name: 'y', location: 'device' },
    ],
  );
  await expect(twice.outputs).rejects.toEqual(failure('ERR_RUN_FAILED', /y is asked for twice/));
});

describe('a tensor that stays with the device', () => {
  test('feeds runs of any session, also once its own is released', async () => {
    const first = await load(fanModel(3));
    const second = await load(identityModel());
    const made = await onDevice(first, float32('x', [3], [1, 2, 3]), 'y2');
    first.release();
    await collectGarbage();
    for (let i = 0; i < 2; ++i)
      expect((await run(second, { name: 'x', ...made })).data).toEqual(Float32Array.of(3, 4, 5));
  });

  test('feeds sessions of another ONNX Runtime in a copy', async () => {
    const runtimePath = join(temporaryFolder(), basename(findRuntime()));
    copyFileSync(findRuntime(), runtimePath);
    const first = await load(identityModel());
    const other = await load(identityModel(), { runtimePath });
    const made = await onDevice(first, float32('x', [3], [1, 2, 3]));
    expect((await run(other, { name: 'x', ...made })).data).toEqual(Float32Array.of(1, 2, 3));
  });

  test('is fed as what it is alone', async () => {
    const session = await load(identityModel());
    const made = await onDevice(session, float32('x', [2], [1, 2]));
    const y = [{ name: 'y', location: 'cpu' }] as const;
    const refused = failure('ERR_INVALID_ARGUMENT', /x.*type and dims/);
    expect(() => session.run([{ name: 'x', ...made, dims: [1] }], y)).toThrow(refused);
    expect(() => session.run([{ name: 'x', ...made, type: 'int32' }], y)).toThrow(refused);
  });

  test('is not what a graph passes through', async () => {
    const session = await load(identityModel());
    const made = await onDevice(session, float32('x', [2], [1, 2]));
    const passed = await run(session, { name: 'x', ...made });
    (passed.data as Float32Array).fill(9);
    expect((await download(made.handle)).data).toEqual(Float32Array.of(1, 2));
  });

  test('can be disposed of twice, and is then refused', async () => {
    const session = await load(identityModel());
    const made = await onDevice(session, float32('x', [1], [1]));
    const late = run(session, { name: 'x', ...made });
    const copy = download(made.handle);
    dispose(made.handle);
    dispose(made.handle);
    expect((await late).data[0]).toBe(1);
    expect((await copy).data[0]).toBe(1);
    const gone = failure('ERR_INVALID_ARGUMENT', /disposed/);
    await expect(download(made.handle)).rejects.toEqual(gone);
    expect(() => session.run([{ name: 'x', ...made }], [{ name: 'y', location: 'cpu' }])).toThrow(gone);
  });

  test('is told from other things', async () => {
    const other = (await load(identityModel())) as object;
    for (const handle of [other, {}, null, undefined, 7]) {
      await expect(download(handle as object)).rejects.toEqual(failure('ERR_INVALID_ARGUMENT', /handle/));
      expect(() => dispose(handle as object)).not.toThrow();
    }
  });
});

describe('pinned memory', () => {
  test('is allocated, filled, and fed', async () => {
    const session = await load(identityModel('float16', 2));
    const tensor = await session.allocate('float16', [2, 3]);
    expect(tensor).toMatchObject({ type: 'float16', dims: [2, 3] });
    expect(tensor.data).toBeInstanceOf(Uint16Array);
    tensor.data.set(Uint16Array.of(1, 2, 3, 4, 5, 6) as never);
    session.release();
    await collectGarbage();
    const other = await load(identityModel('float16', 2));
    expect((await run(other, { name: 'x', ...tensor })).data).toEqual(Uint16Array.of(1, 2, 3, 4, 5, 6));
  });

  test.each<[string, string, number[], 'ERR_INVALID_ARGUMENT' | 'ERR_OUT_OF_MEMORY', RegExp]>([
    ['a type that is none', 'float31', [1], 'ERR_INVALID_ARGUMENT', /float31/],
    ['strings', 'string', [1], 'ERR_INVALID_ARGUMENT', /string/],
    ['a negative size', 'float32', [-1], 'ERR_INVALID_ARGUMENT', /dimension 0/],
    ['more than there is', 'float32', [2 ** 30, 2 ** 20], 'ERR_OUT_OF_MEMORY', /./],
    ['more than can be counted', 'float32', [2 ** 50, 2 ** 50], 'ERR_OUT_OF_MEMORY', /./],
  ])('refuses %s', async (_, type, dims, code, message) => {
    const session = await load(identityModel());
    const allocation = async () => session.allocate(type, dims);
    await expect(allocation()).rejects.toEqual(failure(code, message));
  });

  test('is refused by a session that was released', async () => {
    const session = await load(identityModel());
    session.release();
    expect(() => session.allocate('float32', [1])).toThrow(failure('ERR_SESSION_RELEASED'));
  });
});
