// What the values of a network's pixels mean.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Tensor } from 'onnxruntime-common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildBytes, floats, integers, valueInfo } from '../../test/build-model.js';
import { convert } from '../convert.js';
import { DataType, makeNode } from '../graph/proto.js';
import { InferenceSession } from '../session/inference-session.js';
import { writePhoto } from './files.js';
import type { Photo } from './photo.js';
import { restore } from './restore.js';
import type { ValueOptions } from './values.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tlsc-values-'));
});
afterAll(() => rm(folder, { recursive: true }));

const [height, width] = [12, 9];
const area = height * width;

function photoOf(channels: number, seed = 1): Photo {
  const data = Float32Array.from(
    { length: channels * area },
    (_, i) => Math.round((((i + seed) * 2654435761) % 1000) * 0.255) / 255,
  );
  return { tensor: new Tensor('float32', data, [1, channels, height, width]), bitDepth: 8 };
}

const session = (parts: Parameters<typeof buildBytes>[0]) =>
  InferenceSession.create(buildBytes(parts), { logSeverityLevel: 4 });

/** y = 1 - x, done in the values that a network of this range, mean and std takes and gives. */
function invertsIn(
  [black, white]: readonly [number, number],
  mean: readonly number[],
  std: readonly number[],
) {
  // x = (v - mean) / std with v = black + (white - black) p, and 1 - p back again.
  const factor = mean.map(() => -1);
  const shift = mean.map((one, k) => (black + white - 2 * one) / (std[k] ?? 1));
  return {
    node: [makeNode('Mul', ['x', 'factor'], ['m']), makeNode('Add', ['m', 'shift'], ['y'])],
    initializer: [floats('factor', [3, 1, 1], factor), floats('shift', [3, 1, 1], shift)],
  };
}

function expectClose(tensor: Tensor, expected: Float32Array): void {
  expect(tensor.data.length).toBe(expected.length);
  const difference = expected.reduce(
    (largest, value, i) => Math.max(largest, Math.abs(value - (tensor.data[i] as number))),
    0,
  );
  expect(difference).toBeLessThan(2e-6);
}

describe('values', () => {
  it.each<[string, ValueOptions, readonly [number, number], readonly number[], readonly number[]]>([
    ['0 to 255', { range: [0, 255] }, [0, 255], [0, 0, 0], [1, 1, 1]],
    ['-1 to 1', { range: [-1, 1] }, [-1, 1], [0, 0, 0], [1, 1, 1]],
    ['a mean and a deviation', { mean: 0.5, std: 0.25 }, [0, 1], [0.5, 0.5, 0.5], [0.25, 0.25, 0.25]],
    [
      '-1 to 1 with a mean and a deviation per channel',
      { range: [-1, 1], mean: [0.1, 0.2, 0.3], std: [0.5, 0.6, 0.7] },
      [-1, 1],
      [0.1, 0.2, 0.3],
      [0.5, 0.6, 0.7],
    ],
  ])('are what the options say: %s', async (_, options, range, mean, std) => {
    const network = await session(invertsIn(range, mean, std));
    const photo = photoOf(3);
    const expected = (photo.tensor.data as Float32Array).map((value) => 1 - value);
    expectClose((await restore(network, photo, options)).tensor, expected);
  });

  it('may be others in the output', async () => {
    const network = await session({
      node: [makeNode('Mul', ['x', 'std'], ['m']), makeNode('Add', ['m', 'mean'], ['y'])],
      initializer: [floats('std', [], [0.2]), floats('mean', [], [0.6])],
    });
    const photo = photoOf(3);
    const { tensor } = await restore(network, photo, { mean: 0.6, std: 0.2, outputRange: [0, 1] });
    expectClose(tensor, photo.tensor.data as Float32Array);
  });

  it('of 8-bit samples are these in 0 to 255, and come back to the last bit', async () => {
    const network = await session({ node: [makeNode('Round', ['x'], ['y'])] });
    const path = join(folder, 'whole.png');
    const photo = photoOf(3);
    await writePhoto(photo, path);
    const restored = await restore(network, path, { range: [0, 255] });
    expect(restored.tensor.data).toEqual(photo.tensor.data);
  });

  it('go to the network in its order of channels', async () => {
    // Leaves the first channel, takes the others away.
    const parts = {
      node: [makeNode('Mul', ['x', 'first'], ['y'])],
      initializer: [floats('first', [3, 1, 1], [1, 0, 0])],
    };
    const network = await session(parts);
    const photo = photoOf(3);
    const planes = (options: ValueOptions) =>
      restore(network, photo, options).then(({ tensor }) =>
        [0, 1, 2].map((k) => (tensor.data as Float32Array).slice(k * area, (k + 1) * area).some(Boolean)),
      );
    expect(await planes({})).toEqual([true, false, false]);
    expect(await planes({ channels: 'bgr' })).toEqual([false, false, true]);
  });

  it('of a gray photo go to a network of three channels when asked', async () => {
    const network = await session({
      node: [makeNode('Mul', ['x', 'weights'], ['y'])],
      initializer: [floats('weights', [3, 1, 1], [0.5, 1, 1.5])],
    });
    const gray = photoOf(1);
    await expect(restore(network, gray)).rejects.toMatchObject({
      code: 'ERR_IMAGE_CHANNELS',
      message: expect.stringContaining('the option gray, set to rgb'),
    });
    const { tensor } = await restore(network, gray, { gray: 'rgb', range: [-1, 1] });
    expect(tensor.dims).toEqual([1, 1, height, width]);
    const expected = (gray.tensor.data as Float32Array).map((value) => value);
    expectClose(tensor, expected);
  });

  const ofOne = (
    node: ReturnType<typeof makeNode>[],
    more: Parameters<typeof buildBytes>[0]['initializer'] = [],
  ) =>
    session({
      node,
      initializer: more,
      input: [valueInfo('x', ['n', 1, 'h', 'w'])],
      output: [valueInfo('y', ['n', 1, 'oh', 'ow'])],
    });
  const lumaOf = (data: Float32Array) =>
    Float32Array.from({ length: area }, (_, i) => {
      const [r = 0, g = 0, b = 0] = [data[i], data[area + i], data[2 * area + i]];
      return 0.299 * r + 0.587 * g + 0.114 * b;
    });

  it('of a colour photo become gray, or luma with the colours kept', async () => {
    const network = await ofOne([makeNode('Add', ['x', 'tenth'], ['y'])], [floats('tenth', [], [0.1])]);
    const photo = photoOf(3);
    const data = photo.tensor.data as Float32Array;
    await expect(restore(network, photo)).rejects.toMatchObject({
      code: 'ERR_IMAGE_CHANNELS',
      message: expect.stringContaining('the option channels'),
    });
    const gray = await restore(network, photo, { channels: 'gray' });
    expect(gray.tensor.dims).toEqual([1, 1, height, width]);
    expectClose(
      gray.tensor,
      lumaOf(data).map((value) => value + 0.1),
    );
    const colour = await restore(network, photo, { channels: 'y' });
    expect(colour.tensor.dims).toEqual([1, 3, height, width]);
    expectClose(
      colour.tensor,
      data.map((value) => value + 0.1),
    );
  });

  it('of the colours grow with the luma', async () => {
    const network = await ofOne(
      [makeNode('Resize', ['x', '', 'scales'], ['y'])],
      [floats('scales', [4], [1, 1, 2, 2])],
    );
    const plain = new Tensor('float32', new Float32Array(3 * area).fill(0.25).fill(0.75, area), [
      1,
      3,
      height,
      width,
    ]);
    const { tensor } = await restore(network, { tensor: plain, bitDepth: 8 }, { channels: 'y' });
    expect(tensor.dims).toEqual([1, 3, 2 * height, 2 * width]);
    const expected = new Float32Array(12 * area).fill(0.25).fill(0.75, 4 * area);
    expect(
      Math.max(...expected.map((value, i) => Math.abs(value - (tensor.data[i] as number)))),
    ).toBeLessThan(2e-5);
  });

  it.each<[string, object]>([
    ['range', { range: [1, 0] }],
    ['range', { range: 255 }],
    ['range', { range: [0, Number.POSITIVE_INFINITY] }],
    ['outputRange', { outputRange: [0] }],
    ['mean', { mean: 'half' }],
    ['mean', { mean: [1, 2] }],
    ['std', { std: 0 }],
    ['std', { std: [1, -1, 1] }],
    ['channels', { channels: 'gbr' }],
    ['gray', { gray: true }],
  ])('that make no sense are refused: %s', async (parameter, options) => {
    const network = await session({ node: [makeNode('Neg', ['x'], ['y'])] });
    await expect(restore(network, photoOf(3), options as never)).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      parameter,
    });
    await expect(
      convert(buildBytes({ node: [makeNode('Neg', ['x'], ['y'])] }), { trainSize: 64, ...options } as never),
    ).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT', parameter });
  });
});

describe('what convert was told of values', () => {
  const pooled = {
    node: [
      makeNode('GlobalAveragePool', ['x'], ['p']),
      makeNode('Mul', ['p', 'zero'], ['z']),
      makeNode('Add', ['x', 'z'], ['s']),
      makeNode('Sub', ['white', 's'], ['y']),
    ],
    initializer: [floats('zero', [], [0]), floats('white', [], [255])],
  };

  it.each([
    ['a converted model', pooled],
    [
      'a copy, where there is nothing to convert',
      { ...pooled, node: [makeNode('Sub', ['white', 'x'], ['y'])] },
    ],
  ])('is in %s, and heeded', async (_, parts) => {
    const { model, report } = await convert(buildBytes(parts), { trainSize: 64, range: [0, 255] });
    expect(report).toMatchObject({ values: { range: [0, 255] }, sides: { multiple: 1, minimum: 1 } });
    const network = await InferenceSession.create(model);
    expect(JSON.parse(network.modelMetadata['tlsc.values'] ?? '')).toEqual({ range: [0, 255] });
    expect(JSON.parse(network.modelMetadata['tlsc.sides'] ?? '')).toEqual({ multiple: 1, minimum: 1 });
    const photo = photoOf(3);
    const expected = (photo.tensor.data as Float32Array).map((value) => 1 - value);
    expectClose((await restore(network, photo)).tensor, expected);
    // What is said now goes before that.
    const other = (photo.tensor.data as Float32Array).map((value) => 255 - value);
    expect((await restore(network, photo, { range: [0, 1] })).tensor.data).toEqual(other);
  });

  it('is refused where a model says what makes no sense', async () => {
    const { model } = await convert(buildBytes(pooled), { trainSize: 64, range: [0, 255] });
    const text = Buffer.from(model);
    text.set(Buffer.from('[9,255]'), text.indexOf('[0,255]'));
    text.set(Buffer.from('[9,  5]'), text.indexOf('[9,255]'));
    const network = await InferenceSession.create(text);
    await expect(restore(network, photoOf(3))).rejects.toMatchObject({
      code: 'ERR_INVALID_MODEL',
      message: expect.stringContaining('tlsc.values'),
    });
  });
});

describe('a result that can be no photo', () => {
  it.each([
    ['far beyond white', 'Add', 100, {}],
    ['far below black', 'Add', -3, {}],
    ['of one colour', 'Mul', 0, {}],
  ])('is an error that says which option to try: %s', async (_, opType, number) => {
    const network = await session({
      node: [makeNode(opType, ['x', 'number'], ['y'])],
      initializer: [floats('number', [], [number])],
    });
    await expect(restore(network, photoOf(3), { judge: true })).rejects.toMatchObject({
      code: 'ERR_IMPLAUSIBLE_RESULT',
      message: expect.stringContaining('the option range'),
      parameter: 'range',
    });
    // The order of channels says nothing of values.
    await expect(restore(network, photoOf(3), { judge: true, channels: 'bgr' })).rejects.toMatchObject({
      code: 'ERR_IMPLAUSIBLE_RESULT',
    });
    await expect(restore(network, photoOf(3))).resolves.toBeDefined();
    await expect(restore(network, photoOf(3), { judge: true, range: [0, 1] })).resolves.toBeDefined();
  });

  it('is one of a range that begins below 0', async () => {
    const network = await session({
      node: [makeNode('Mul', ['x', 'two'], ['m']), makeNode('Sub', ['m', 'one'], ['y'])],
      initializer: [floats('two', [], [2]), floats('one', [], [1])],
    });
    const photo = photoOf(3);
    await expect(restore(network, photo, { judge: true })).rejects.toMatchObject({
      code: 'ERR_IMPLAUSIBLE_RESULT',
      message: expect.stringMatching(/much darker.*the option outputRange/),
    });
    const { tensor } = await restore(network, photo, { judge: true, outputRange: [-1, 1] });
    expectClose(tensor, photo.tensor.data as Float32Array);
  });

  it('is not one of one colour where the photo is of one colour', async () => {
    const network = await session({ node: [makeNode('Neg', ['x'], ['n']), makeNode('Neg', ['n'], ['y'])] });
    const tensor = new Tensor('float32', new Float32Array(3 * area).fill(0.5), [1, 3, height, width]);
    await expect(restore(network, { tensor, bitDepth: 8 }, { judge: true })).resolves.toBeDefined();
    await expect(restore(network, photoOf(3), { judge: true })).resolves.toBeDefined();
  });

  it.each(['Log', 'Reciprocal'])('is one with values that are not finite (%s of black)', async (opType) => {
    const network = await session({ node: [makeNode(opType, ['x'], ['y'])] });
    const black = new Tensor('float32', new Float32Array(3 * area), [1, 3, height, width]);
    await expect(restore(network, { tensor: black, bitDepth: 8 })).rejects.toMatchObject({
      code: 'ERR_RUN_FAILED',
      message: expect.stringMatching(/not finite numbers.*the option range/),
    });
  });
});

describe('what a network takes beside the photo', () => {
  const blend = () =>
    session({
      node: [makeNode('Mul', ['x', 'mask'], ['m']), makeNode('Mul', ['m', 'w'], ['y'])],
      input: [
        valueInfo('x', ['n', 3, 'h', 'w_']),
        valueInfo('mask', ['n', 1, 'h', 'w_']),
        valueInfo('w', [1]),
      ],
    });

  it('is a number, an image of the photo’s size, or a tensor', async () => {
    const network = await blend();
    const photo = photoOf(3);
    const mask = photoOf(1, 77);
    const data = photo.tensor.data as Float32Array;
    const expected = data.map((value, i) => value * (mask.tensor.data[i % area] as number) * 0.5);
    expectClose((await restore(network, photo, { inputs: { mask, w: 0.5 } })).tensor, expected);
    const path = join(folder, 'mask.png');
    await writePhoto(mask, path);
    const w = new Tensor('float32', Float32Array.of(0.5), [1]);
    expectClose((await restore(network, photo, { inputs: { mask: path, w } })).tensor, expected);
    expectClose(
      (await restore(network, photo, { inputs: { mask: 1, w: 0.5 } })).tensor,
      data.map((value) => value * 0.5),
    );
  });

  it('is asked for by name', async () => {
    const network = await blend();
    const photo = photoOf(3);
    const parameter = 'inputs';
    await expect(restore(network, photo)).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT', parameter });
    await expect(restore(network, photo, { inputs: { w: 1 } })).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      message: expect.stringContaining('x, mask, w'),
    });
    await expect(restore(network, photo, { inputs: { w: 1, maske: 1 } })).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      message: expect.stringContaining('no input maske'),
    });
    const small = { ...photoOf(1), tensor: new Tensor('float32', new Float32Array(4), [1, 1, 2, 2]) };
    await expect(restore(network, photo, { inputs: { w: 1, mask: small } })).rejects.toMatchObject({
      code: 'ERR_INPUT_MISMATCH',
      message: expect.stringContaining('2x2 pixels, the photo 12x9'),
    });
    await expect(restore(network, photo, { inputs: { w: photo, mask: 1 } })).rejects.toMatchObject({
      code: 'ERR_UNSUPPORTED_MODEL',
    });
    for (const wrong of [true, null, {}, Number.NaN, Number.POSITIVE_INFINITY])
      await expect(restore(network, photo, { inputs: { w: wrong as never, mask: 1 } })).rejects.toMatchObject(
        {
          code: 'ERR_INVALID_ARGUMENT',
        },
      );
  });

  it('is seen as the photo is where it is one, and as a mask where it has one channel', async () => {
    const network = await session({
      node: [makeNode('Add', ['ref', 'zero'], ['y'])],
      initializer: [floats('zero', [], [0])],
      input: [valueInfo('x', ['n', 3, 'h', 'w']), valueInfo('ref', ['n', 3, 'h', 'w'])],
    });
    const photo = photoOf(3);
    const { tensor } = await restore(network, photoOf(3, 9), {
      channels: 'bgr',
      mean: 0.5,
      std: 0.25,
      inputs: { ref: photo },
    });
    expectClose(tensor, photo.tensor.data as Float32Array);
  });

  it('holds the number that it is given, or refuses it', async () => {
    const network = await session({
      node: [
        makeNode('Cast', ['k'], ['f'], { attributes: { to: DataType.FLOAT } }),
        makeNode('Mul', ['x', 'f'], ['y']),
      ],
      input: [valueInfo('x', ['n', 3, 'h', 'w']), valueInfo('k', [1], DataType.INT64)],
    });
    const photo = photoOf(3);
    await expect(restore(network, photo, { inputs: { k: 1 } })).resolves.toBeDefined();
    for (const k of [0.5, 1e300, 2 ** 63])
      await expect(restore(network, photo, { inputs: { k } })).rejects.toMatchObject({
        code: 'ERR_INVALID_ARGUMENT',
        parameter: 'inputs.k',
      });
  });

  it('is filled up as the photo is', async () => {
    const parts = {
      node: [
        makeNode('Mul', ['x', 'mask'], ['m']),
        makeNode('SpaceToDepth', ['m'], ['s'], { attributes: { blocksize: 5 } }),
        makeNode('DepthToSpace', ['s'], ['y'], { attributes: { blocksize: 5 } }),
      ],
      initializer: [integers('unused', [1])],
      input: [valueInfo('x', ['n', 3, 'h', 'w']), valueInfo('mask', ['n', 3, 'h', 'w'])],
    };
    const network = await session(parts);
    const photo = photoOf(3);
    const mask = photoOf(1, 5);
    const { tensor } = await restore(network, photo, { inputs: { mask } });
    const expected = (photo.tensor.data as Float32Array).map(
      (value, i) => value * (mask.tensor.data[i % area] as number),
    );
    expectClose(tensor, expected);
  });
});
