import type { TensorData } from '@tlsc/core-native';
import { describe, expect, test } from 'vitest';
import {
  chainModel,
  collectGarbage,
  fanModel,
  float32,
  identityModel,
  load,
  only,
  run,
  start,
  startChain,
} from './support.js';
import { type ElementType, encode } from './tiny-model.js';

describe('tensors', () => {
  const samples: readonly [ElementType, TensorData][] = [
    ['float32', Float32Array.of(1.5, -0, Number.NaN, Number.POSITIVE_INFINITY)],
    ['float64', Float64Array.of(Math.PI, -1e300)],
    ['float16', Uint16Array.of(0x3c00, 0xfbff, 0x7e00)],
    ['int8', Int8Array.of(-128, 127)],
    ['uint8', Uint8Array.of(0, 255)],
    ['int16', Int16Array.of(-32768, 32767)],
    ['uint16', Uint16Array.of(0, 65535)],
    ['int32', Int32Array.of(-(2 ** 31), 2 ** 31 - 1)],
    ['uint32', Uint32Array.of(0, 2 ** 32 - 1)],
    ['int64', BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n)],
    ['uint64', BigUint64Array.of(0n, 2n ** 64n - 1n)],
    ['bool', Uint8Array.of(1, 0, 1)],
  ];

  test.each(samples)('%s goes in and comes out', async (type, data) => {
    const session = await load(identityModel(type));
    const y = await run(session, { name: 'x', type, dims: [data.length], data });
    expect(y).toEqual({ type, dims: [data.length], data });
  });

  test.each(samples)('%s may be empty', async (type, data) => {
    const session = await load(identityModel(type, 2));
    const y = await run(session, { name: 'x', type, dims: [3, 0], data: data.slice(0, 0) });
    expect(y).toEqual({ type, dims: [3, 0], data: data.slice(0, 0) });
  });

  test('may be scalars', async () => {
    const session = await load(identityModel('float32', 0));
    expect(await run(session, float32('x', [], [7]))).toEqual({
      type: 'float32',
      dims: [],
      data: Float32Array.of(7),
    });
  });

  test('may be views into a larger or shared buffer', async () => {
    const session = await load(identityModel());
    const larger = Float32Array.of(0, 1, 2, 3, 4);
    const shared = new Float32Array(new SharedArrayBuffer(20));
    shared.set(larger);
    for (const array of [larger, shared]) {
      const y = await run(session, { name: 'x', type: 'float32', dims: [2], data: array.subarray(2, 4) });
      expect(y.data).toEqual(Float32Array.of(2, 3));
    }
  });

  test('an output is a copy of nothing that changes later: many runs leave it alone', async () => {
    const session = await load(fanModel(1));
    const input = (value: number) => float32('x', [1000], value);
    const first = await only(start(session, [input(-1)], ['y0']).outputs);
    for (let i = 0; i < 300; ++i) await start(session, [input(i)], ['y0']).outputs;
    expect(first.data).toEqual(new Float32Array(1000).fill(-1));
  });

  test('an output outlives its session and the collection of everything else', async () => {
    const makeOutput = async () => {
      const session = await load(fanModel(1));
      const output = await only(start(session, [float32('x', [1 << 20], 5)], ['y0']).outputs);
      session.release();
      return output;
    };
    const kept = await makeOutput();
    await collectGarbage();
    const other = await makeOutput();
    (other.data as Float32Array).fill(-1);
    await collectGarbage();
    expect((kept.data as Float32Array).every((value) => value === 5)).toBe(true);
  });

  test('an output that is an input passed through has memory of its own', async () => {
    const type = 'float32';
    const session = await load(
      encode({
        inputs: [{ name: 'x', type, shape: ['n'] }],
        outputs: [
          { name: 'x', type, shape: ['n'] },
          { name: 'same', type, shape: ['n'] },
          { name: 'row', type, shape: [1, 'n'] },
        ],
        nodes: [
          { op: 'Identity', inputs: ['x'], outputs: ['same'] },
          { op: 'Reshape', inputs: ['x', 'size'], outputs: ['row'] },
        ],
        initializers: [{ name: 'size', type: 'int64', dims: [2], data: BigInt64Array.of(1n, -1n) }],
      }),
    );
    const input = float32('x', [1 << 20], 5);
    const outputs = await start(session, [input], ['x', 'same', 'row']).outputs;
    (input.data as Float32Array).fill(-1);
    expect(outputs.map(({ data }) => (data as Float32Array).every((value) => value === 5))).toEqual([
      true,
      true,
      true,
    ]);
    expect(outputs.map(({ dims }) => dims)).toEqual([[1 << 20], [1 << 20], [1, 1 << 20]]);
  });

  test('an output that is a constant of the model outlives the session', async () => {
    const makeOutput = async () => {
      const session = await load(
        encode({
          inputs: [{ name: 'x', type: 'float32', shape: ['n'] }],
          outputs: [{ name: 'c', type: 'float32', shape: [4096] }],
          nodes: [{ op: 'Neg', inputs: ['x'], outputs: ['unused'] }],
          initializers: [{ name: 'c', type: 'float32', dims: [4096], data: new Float32Array(4096).fill(9) }],
        }),
      );
      const output = await only(start(session, [float32('x', [1], [1])], ['c']).outputs);
      session.release();
      return output;
    };
    const kept = await makeOutput();
    await collectGarbage();
    for (let i = 0; i < 5; ++i) ((await makeOutput()).data as Float32Array).fill(-1);
    expect((kept.data as Float32Array).every((value) => value === 9)).toBe(true);
  });

  test('the inputs of a run under way survive garbage collection', async () => {
    const session = await load(chainModel(100));
    const started = startChain(session, 512);
    await collectGarbage();
    for (let i = 0; i < 8; ++i) float32('z', [512, 512], -1);
    const y = (await only(started.outputs)).data as Float32Array;
    expect(y.every((value, i) => value === (i % 513 === 0 ? 1 : 0))).toBe(true);
  });
});
