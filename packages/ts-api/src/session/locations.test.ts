// On the CPU these are ordinary memory, but the way there is the same.
import { Tensor } from 'onnxruntime-common';
import { describe, expect, it } from 'vitest';
import { buildBytes, valueInfo } from '../../test/build-model.js';
import { diagnose } from '../diagnose.js';
import { DataType, makeNode } from '../graph/proto.js';
import { restore } from '../image/restore.js';
import { InferenceSession } from './inference-session.js';
import type { SessionOptions } from './options.js';

const shape = ['n', 3, 'h', 'w'];
const twoOutputs = buildBytes({
  node: [makeNode('Neg', ['x'], ['y']), makeNode('Abs', ['x'], ['z'])],
  input: [valueInfo('x', shape)],
  output: [valueInfo('y', shape), valueInfo('z', shape)],
});
const x = new Tensor('float32', Float32Array.of(1, -2, 3), [1, 3, 1, 1]);

const { cuda } = (await diagnose()).executionProviders;
const providers = cuda.works ? ['cpu', 'cuda'] : ['cpu'];

describe.each(providers)('on %s, outputs', (provider) => {
  const open = (model: Uint8Array, options: SessionOptions = {}) =>
    InferenceSession.create(model, { executionProviders: [provider], ...options });

  it('lie where they are preferred to lie', async () => {
    const session = await open(twoOutputs, {
      preferredOutputLocation: { y: 'gpu-buffer', z: 'cpu-pinned' },
    });
    const { y, z } = (await session.run({ x })) as { y: Tensor; z: Tensor };
    expect([y.location, z.location]).toEqual(['gpu-buffer', 'cpu-pinned']);
    expect(y.dims).toEqual([1, 3, 1, 1]);
    expect(() => y.data).toThrow(/getData/);
    expect(z.data).toEqual(Float32Array.of(1, 2, 3));
    expect(await y.getData()).toEqual(Float32Array.of(-1, 2, -3));
  });

  it('feed runs without leaving the device, of their own session and of others', async () => {
    const session = await open(twoOutputs, { preferredOutputLocation: 'gpu-buffer' });
    const other = await open(twoOutputs);
    const { y } = (await session.run({ x })) as { y: Tensor };
    const again = (await session.run({ x: y }, ['y'])).y as Tensor;
    expect(again.location).toBe('gpu-buffer');
    expect(await again.getData(true)).toEqual(Float32Array.of(1, -2, 3));
    expect((await other.run({ x: y })).z?.data).toEqual(Float32Array.of(1, 2, 3));
  });

  it('are refused once disposed of', async () => {
    const session = await open(twoOutputs, { preferredOutputLocation: 'gpu-buffer' });
    const { y } = (await session.run({ x })) as { y: Tensor };
    y.dispose();
    await expect(session.run({ x: y })).rejects.toMatchObject({
      code: 'ERR_INPUT_MISMATCH',
      message: "input x must be in CPU memory or a session's output, not disposed of",
    });
  });

  it('of types that onnxruntime has no device tensors for stay', async () => {
    const model = buildBytes({
      node: [makeNode('Cast', ['x'], ['y'], { attributes: { to: DataType.DOUBLE } })],
      input: [valueInfo('x', shape)],
      output: [valueInfo('y', shape, DataType.DOUBLE)],
    });
    const session = await open(model, { preferredOutputLocation: 'gpu-buffer' });
    const { y } = await session.run({ x });
    expect(y?.location).toBe('cpu');
    expect(y?.data).toEqual(Float64Array.of(1, -2, 3));
  });

  it('may be float16', async () => {
    const model = buildBytes({
      node: [makeNode('Cast', ['x'], ['y'], { attributes: { to: DataType.FLOAT16 } })],
      input: [valueInfo('x', shape)],
      output: [valueInfo('y', shape, DataType.FLOAT16)],
    });
    for (const preferredOutputLocation of ['gpu-buffer', 'cpu-pinned'] as const) {
      const session = await open(model, { preferredOutputLocation });
      const { y } = (await session.run({ x })) as { y: Tensor };
      const data = (await y.getData()) as Uint16Array;
      expect(y.type).toBe('float16');
      expect([...new Uint16Array(data.buffer, data.byteOffset, 3)]).toEqual([0x3c00, 0xc000, 0x4200]);
    }
  });

  it('are restored photos wherever they lie', async () => {
    const session = await open(twoOutputs, { preferredOutputLocation: 'gpu-buffer' });
    const tensor = new Tensor('float32', Float32Array.of(0.5, -0.25, 1), [1, 3, 1, 1]);
    const photo = await restore(session, { tensor, bitDepth: 8 }, { output: 'z' });
    expect(photo.tensor.data).toEqual(Float32Array.of(0.5, 0.25, 1));
  });

  it.each([['somewhere'], [7], [null], [{ y: 'somewhere' }], [{ w: 'cpu' }]])(
    'refuse %j',
    async (location) => {
      const creation = open(twoOutputs, { preferredOutputLocation: location as never });
      await expect(creation).rejects.toMatchObject({
        code: 'ERR_INVALID_ARGUMENT',
        parameter: 'preferredOutputLocation',
      });
    },
  );
});

describe.each(providers)('on %s, allocate', (provider) => {
  const open = (model: Uint8Array) => InferenceSession.create(model, { executionProviders: [provider] });

  it('gives a tensor to fill and feed', async () => {
    const session = await open(twoOutputs);
    const tensor = await session.allocate('float32', [1, 3, 1, 1]);
    expect(tensor.location).toBe('cpu-pinned');
    for (const sign of [1, -1]) {
      (tensor.data as Float32Array).set([sign, 2, 3]);
      expect((await session.run({ x: tensor })).y?.data).toEqual(Float32Array.of(-sign, -2, -3));
    }
  });

  it('says what is wrong', async () => {
    const session = await open(twoOutputs);
    const wrong = (code: string) => expect.objectContaining({ name: 'TlscError', code });
    await expect(session.allocate('string' as never, [1])).rejects.toEqual(wrong('ERR_INVALID_ARGUMENT'));
    await expect(session.allocate('float32', 1 as never)).rejects.toEqual(wrong('ERR_INVALID_ARGUMENT'));
    await expect(session.allocate('float32', [-1])).rejects.toEqual(wrong('ERR_INVALID_ARGUMENT'));
    await expect(session.allocate('float32', [2 ** 40, 2 ** 10])).rejects.toEqual(wrong('ERR_OUT_OF_MEMORY'));
    await session.release();
    await expect(session.allocate('float32', [1])).rejects.toEqual(wrong('ERR_SESSION_RELEASED'));
  });
});
