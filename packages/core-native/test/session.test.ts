import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NativeInput } from '@tlsc/core-native';
import { describe, expect, test } from 'vitest';
import {
  chainModel,
  collectGarbage,
  failure,
  fanModel,
  float32,
  identityModel,
  load,
  longSize,
  only,
  run,
  start,
  startChain,
  temporaryFolder,
} from './support.js';
import { encode } from './tiny-model.js';

const folder = temporaryFolder();

describe('loading', () => {
  test('takes a path with any letters, and bytes', async () => {
    const bytes = identityModel();
    const file = join(folder, 'mödel 画像.onnx');
    writeFileSync(file, bytes);
    for (const model of [file, bytes]) {
      const session = await load(model);
      expect((await run(session, float32('x', [2], [3, 4]))).data).toEqual(Float32Array.of(3, 4));
    }
  });

  test('takes bytes that are part of a larger buffer', async () => {
    const bytes = identityModel();
    const larger = new Uint8Array(bytes.length + 21).fill(255);
    larger.set(bytes, 13);
    const session = await load(larger.subarray(13, 13 + bytes.length));
    expect(session.inputs).toHaveLength(1);
  });

  test('finds external data beside a path, and in the folder named for bytes', async () => {
    const value = { type: 'float32', shape: [2] } as const;
    const bytes = encode({
      inputs: [{ name: 'x', ...value }],
      outputs: [{ name: 'y', ...value }],
      nodes: [{ op: 'Add', inputs: ['x', 'w'], outputs: ['y'] }],
      initializers: [{ name: 'w', type: 'float32', dims: [2], data: 'weights.bin' }],
    });
    const place = join(folder, 'weights 画像');
    mkdirSync(place);
    writeFileSync(join(place, 'weights.bin'), new Uint8Array(Float32Array.of(10, 20).buffer));
    writeFileSync(join(place, 'm.onnx'), bytes);
    for (const session of [
      await load(join(place, 'm.onnx')),
      await load(bytes, { externalDataFolder: place }),
    ])
      expect((await run(session, float32('x', [2], [3, 4]))).data).toEqual(Float32Array.of(13, 24));
    await expect(load(bytes, { externalDataFolder: folder })).rejects.toEqual(
      failure('ERR_MODEL_NOT_FOUND', /weights\.bin/),
    );
  });

  test('describes inputs and outputs', async () => {
    const session = await load(
      encode({
        inputs: [
          { name: 'image', type: 'float16', shape: ['batch', 3, '', 0] },
          { name: 'scalar', type: 'int64', shape: [] },
          { name: 'words', type: 'string', shape: [2] },
          { name: 'list', type: 'float32', shape: [], isSequence: true },
        ],
        outputs: [
          { name: 'same', type: 'float16', shape: ['batch', 3, '', 0] },
          { name: 'list out', type: 'float32', shape: [], isSequence: true },
        ],
        nodes: [
          { op: 'Identity', inputs: ['image'], outputs: ['same'] },
          { op: 'Identity', inputs: ['list'], outputs: ['list out'] },
        ],
      }),
    );
    expect(session.inputs).toEqual([
      { name: 'image', isTensor: true, type: 'float16', shape: ['batch', 3, '', 0] },
      { name: 'scalar', isTensor: true, type: 'int64', shape: [] },
      { name: 'words', isTensor: true, type: '', shape: [2] },
      { name: 'list', isTensor: false, type: '', shape: [] },
    ]);
    expect(session.outputs).toEqual([
      { name: 'same', isTensor: true, type: 'float16', shape: ['batch', 3, '', 0] },
      { name: 'list out', isTensor: false, type: '', shape: [] },
    ]);
  });

  test('tells custom metadata and the version of ONNX Runtime', async () => {
    const metadata = { plain: 'value', größe: '画像', empty: '' };
    const session = await load(
      encode({
        inputs: [{ name: 'x', type: 'float32', shape: [1] }],
        outputs: [{ name: 'y', type: 'float32', shape: [1] }],
        nodes: [{ op: 'Identity', inputs: ['x'], outputs: ['y'] }],
        metadata,
      }),
    );
    expect(session.metadata).toEqual(metadata);
    expect(session.runtimeVersion).toMatch(/^1\.\d+\.\d+/);
  });
});

describe('runs', () => {
  test('give many outputs, in the order asked for, and only those', async () => {
    const session = await load(fanModel(64));
    expect(session.outputs).toHaveLength(64);
    const input = float32('x', [1], [100]);
    const all = Array.from({ length: 64 }, (_, i) => `y${63 - i}`);
    const values = async (names: string[]) =>
      (await start(session, [input], names).outputs).map(({ data }) => Number(data[0]));
    expect(await values(all)).toEqual(all.map((_, i) => 163 - i));
    expect(await values(['y40', 'y2', 'y63'])).toEqual([140, 102, 163]);
  });

  test('may name an output twice', async () => {
    const session = await load(fanModel(2));
    const run = start(session, [float32('x', [3], [1, 2, 3])], ['y1', 'y1']);
    try {
      const [first, second] = await run.outputs;
      expect(first?.data).toEqual(Float32Array.of(2, 3, 4));
      expect(second?.data).toEqual(Float32Array.of(2, 3, 4));
    } catch (error) {
      expect(error).toEqual(failure('ERR_RUN_FAILED'));
    }
    await collectGarbage();
  });

  test('overlap', async () => {
    const session = await load(fanModel(1));
    const started = Array.from({ length: 200 }, (_, i) => start(session, [float32('x', [50], i)], ['y0']));
    const outputs = await Promise.all(started.map(({ outputs }) => only(outputs)));
    for (const [i, { data }] of outputs.entries()) expect(data).toEqual(new Float32Array(50).fill(i));
  });

  test('fail with the message of ONNX Runtime, and the session goes on', async () => {
    const session = await load(
      encode({
        inputs: [{ name: 'x', type: 'float32', shape: ['n'] }],
        outputs: [{ name: 'y', type: 'float32', shape: [2, 2] }],
        nodes: [{ op: 'Reshape', inputs: ['x', 'size'], outputs: ['y'] }],
        initializers: [{ name: 'size', type: 'int64', dims: [2], data: BigInt64Array.of(2n, 2n) }],
      }),
    );
    const refused = (input: NativeInput, names: string[], message: RegExp) =>
      expect(start(session, [input], names).outputs).rejects.toEqual(failure('ERR_RUN_FAILED', message));
    await refused(float32('x', [3]), ['y'], /Reshape/);
    await refused(float32('x', [2, 2]), ['y'], /rank/i);
    await refused(float32('z', [4]), ['y'], /z/);
    await refused(float32('x', [4]), ['no such output'], /no such output/);
    await refused(float32('x', [4]), [], /./);
    await refused({ name: 'x', type: 'int32', dims: [4], data: new Int32Array(4) }, ['y'], /int32/);
    expect((await run(session, float32('x', [4], [1, 2, 3, 4]))).dims).toEqual([2, 2]);
  });

  test('refuse an output that JavaScript has no tensor for', async () => {
    const session = await load(
      encode({
        inputs: [{ name: 'x', type: 'float32', shape: ['n'] }],
        outputs: [
          { name: 'list', type: 'float32', shape: ['n'], isSequence: true },
          { name: 'words', type: 'string', shape: ['n'] },
        ],
        nodes: [
          { op: 'SequenceConstruct', inputs: ['x'], outputs: ['list'] },
          { op: 'Cast', inputs: ['x'], outputs: ['words'], attributes: { to: 8 } },
        ],
      }),
    );
    for (const name of ['list', 'words']) {
      const { outputs } = start(session, [float32('x', [2])], [name]);
      await expect(outputs).rejects.toEqual(failure('ERR_RUN_FAILED'));
    }
  });

  test('reject with ERR_OUT_OF_MEMORY when an output cannot be allocated, and the session goes on', async () => {
    const session = await load(
      encode({
        inputs: [{ name: 'size', type: 'int64', shape: [2] }],
        outputs: [{ name: 'y', type: 'float32', shape: ['a', 'b'] }],
        nodes: [{ op: 'ConstantOfShape', inputs: ['size'], outputs: ['y'] }],
      }),
    );
    const ofSize = (a: bigint, b: bigint) =>
      run(session, { name: 'size', type: 'int64', dims: [2], data: BigInt64Array.of(a, b) });
    await expect(ofSize(2n ** 22n, 2n ** 22n)).rejects.toEqual(failure('ERR_OUT_OF_MEMORY'));
    expect((await ofSize(2n, 3n)).dims).toEqual([2, 3]);
  });

  test('write the profile asked for', async () => {
    const prefix = join(folder, 'profile');
    const session = await load(fanModel(1), { profileFilePrefix: prefix });
    await start(session, [float32('x', [1])], ['y0']).outputs;
    const file = session.endProfiling();
    expect(file.startsWith(prefix)).toBe(true);
    const events = JSON.parse(readFileSync(file, 'utf8')) as { args?: { op_name?: string } }[];
    expect(events.map(({ args }) => args?.op_name)).toContain('Add');
  });

  test('write no profile unless asked', async () => {
    const session = await load(fanModel(1));
    expect(session.endProfiling()).toBe('');
  });
});

describe('release', () => {
  test('refuses further calls with ERR_SESSION_RELEASED and may be repeated', async () => {
    const session = await load(identityModel());
    session.release();
    session.release();
    const released = failure('ERR_SESSION_RELEASED');
    expect(() => start(session, [float32('x', [1])], ['y'])).toThrow(released);
    expect(() => session.endProfiling()).toThrow(released);
    expect(session.inputs).toHaveLength(1);
  });

  test('lets runs under way and queued end', async () => {
    const session = await load(chainModel(60));
    const started = [256, 512, 300, 8].map((size) => ({ size, run: startChain(session, size) }));
    session.release();
    await collectGarbage();
    for (const { size, run } of started) {
      const y = (await only(run.outputs)).data as Float32Array;
      expect(y.every((value, i) => value === (i % (size + 1) === 0 ? 1 : 0))).toBe(true);
    }
  });

  test('a run under way of a released session can be cancelled', async () => {
    const session = await load(chainModel());
    const started = startChain(session, longSize);
    session.release();
    started.cancel();
    await expect(started.outputs).rejects.toEqual(failure('ERR_ABORTED'));
  });

  test('leaves the other sessions of the same file alone', async () => {
    const file = join(folder, 'twice.onnx');
    writeFileSync(file, identityModel());
    const [first, second] = await Promise.all([load(file), load(file)]);
    first.release();
    expect((await run(second, float32('x', [1], [6]))).data[0]).toBe(6);
  });
});
