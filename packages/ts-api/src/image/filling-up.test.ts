// Photos of sizes that a network cannot take.
import { Tensor } from 'onnxruntime-common';
import { describe, expect, it } from 'vitest';
import { buildBytes, floats, integers, valueInfo } from '../../test/build-model.js';
import { makeNode } from '../graph/proto.js';
import { InferenceSession } from '../session/inference-session.js';
import type { Photo } from './photo.js';
import { restore } from './restore.js';

/** Blocks of `side` x `side` pixels become channels, are mixed, and pixels again: fails where sides are no multiples. */
function inBlocks(side: number) {
  const channels = 3 * side * side;
  return {
    node: [
      makeNode('SpaceToDepth', ['x'], ['s'], { attributes: { blocksize: side } }),
      makeNode('Conv', ['s', 'w'], ['c'], { attributes: { pads: [1, 1, 1, 1] } }),
      makeNode('DepthToSpace', ['c'], ['y'], { attributes: { blocksize: side, mode: { text: 'DCR' } } }),
    ],
    initializer: [floats('w', [channels, channels, 3, 3])],
  };
}

/** Halves twice, rounding down, and enlarges to a fixed scale: smaller than the photo where sides are no multiples of 4. */
const floors = {
  node: [
    makeNode('MaxPool', ['x'], ['p'], { attributes: { kernel_shape: [4, 4], strides: [4, 4] } }),
    makeNode('Resize', ['p', '', 'scales'], ['y']),
  ],
  initializer: [floats('scales', [4], [1, 1, 4, 4])],
};

/** Two halvings with a skip: joining fails off multiples of 4. */
const unet = {
  node: [
    makeNode('Conv', ['x', 'w0'], ['a'], { attributes: { pads: [1, 1, 1, 1] } }),
    makeNode('MaxPool', ['a'], ['p'], { attributes: { kernel_shape: [2, 2], strides: [2, 2] } }),
    makeNode('MaxPool', ['p'], ['q'], { attributes: { kernel_shape: [2, 2], strides: [2, 2] } }),
    makeNode('Resize', ['q', '', 'scales'], ['u']),
    makeNode('Concat', ['a', 'u'], ['j'], { attributes: { axis: 1 } }),
    makeNode('Conv', ['j', 'w1'], ['y']),
  ],
  initializer: [floats('w0', [3, 3, 3, 3]), floats('w1', [3, 6, 1, 1]), floats('scales', [4], [1, 1, 4, 4])],
};

/** Reflects 5 pixels, which an image must have more of; then windows of 7 x 7. */
const windows = {
  node: [
    makeNode('Pad', ['x', 'pads'], ['r'], { attributes: { mode: { text: 'reflect' } } }),
    makeNode('Slice', ['r', 'starts', 'ends', 'axes'], ['m']),
    makeNode('SpaceToDepth', ['m'], ['s'], { attributes: { blocksize: 7 } }),
    makeNode('DepthToSpace', ['s'], ['y'], { attributes: { blocksize: 7 } }),
  ],
  initializer: [
    integers('pads', [0, 0, 9, 9, 0, 0, 9, 9]),
    integers('starts', [9, 9]),
    integers('ends', [-9, -9]),
    integers('axes', [2, 3]),
  ],
};

/** Blocks of 4, enlarged twice. */
const enlarging = {
  node: [
    makeNode('SpaceToDepth', ['x'], ['s'], { attributes: { blocksize: 4 } }),
    makeNode('DepthToSpace', ['s'], ['d'], { attributes: { blocksize: 4 } }),
    makeNode('Resize', ['d', '', 'scales'], ['y']),
  ],
  initializer: [floats('scales', [4], [1, 1, 2, 2])],
};

function photoOf(height: number, width: number): Photo {
  const data = Float32Array.from({ length: 3 * height * width }, (_, i) => ((i * 2654435761) % 1000) / 1000);
  return { tensor: new Tensor('float32', data, [1, 3, height, width]), bitDepth: 8 };
}

/** By hand: where a pixel of a longer side comes from. */
function place(index: number, length: number, padded: number): number {
  if (index < length) return index;
  return padded - length < length ? 2 * (length - 1) - index : length - 1;
}

function padded({ tensor }: Photo, height: number, width: number): Tensor {
  const [, , rows = 0, columns = 0] = tensor.dims;
  const data = new Float32Array(3 * height * width);
  for (let i = 0; i < data.length; i++) {
    const [channel, y, x] = [
      Math.floor(i / (height * width)),
      Math.floor(i / width) % height,
      i % width,
    ] as const;
    const at = (channel * rows + place(y, rows, height)) * columns + place(x, columns, width);
    data[i] = tensor.data[at] as number;
  }
  return new Tensor('float32', data, [1, 3, height, width]);
}

function cropped({ data, dims }: Tensor, height: number, width: number): Float32Array {
  const [, , rows = 0, columns = 0] = dims;
  return Float32Array.from({ length: 3 * height * width }, (_, i) => {
    const [channel, y, x] = [
      Math.floor(i / (height * width)),
      Math.floor(i / width) % height,
      i % width,
    ] as const;
    return data[(channel * rows + y) * columns + x] as number;
  });
}

const sizes = [
  [1, 1],
  [1, 40],
  [3, 5],
  [7, 7],
  [9, 8],
  [16, 24],
  [31, 33],
  [50, 67],
] as const;

describe('a photo of a size that the network cannot take', () => {
  it.each([
    { name: 'blocks of 8', parts: inBlocks(8), multiple: 8, minimum: 8, scale: 1 },
    { name: 'blocks of 6', parts: inBlocks(6), multiple: 6, minimum: 6, scale: 1 },
    { name: 'a UNet', parts: unet, multiple: 4, minimum: 4, scale: 1 },
    { name: 'sizes rounded down', parts: floors, multiple: 4, minimum: 4, scale: 1 },
    { name: 'windows of 7 behind a reflection of 9', parts: windows, multiple: 7, minimum: 14, scale: 1 },
    { name: 'blocks of 11', parts: inBlocks(11), multiple: 11, minimum: 11, scale: 1 },
    { name: 'enlarging', parts: enlarging, multiple: 4, minimum: 4, scale: 2 },
  ])('is filled up and cropped as by hand: $name', async ({ parts, multiple, minimum, scale }) => {
    const session = await InferenceSession.create(buildBytes(parts), { logSeverityLevel: 4 });
    for (const [height, width] of sizes) {
      const photo = photoOf(height, width);
      const restored = await restore(session, photo);
      const side = (length: number) => Math.max(minimum, Math.ceil(length / multiple) * multiple);
      const { y } = await session.run({ x: padded(photo, side(height), side(width)) });
      expect(restored.tensor.dims).toEqual([1, 3, scale * height, scale * width]);
      expect(restored.tensor.data).toEqual(cropped(y as Tensor, scale * height, scale * width));
    }
  });

  it('is left alone by a network that takes it', async () => {
    const session = await InferenceSession.create(buildBytes({ node: [makeNode('Neg', ['x'], ['y'])] }));
    const photo = photoOf(5, 7);
    const negative = (photo.tensor.data as Float32Array).map((value) => -value);
    expect((await restore(session, photo)).tensor.data).toEqual(negative);
  });

  it('is filled up to the one size that a network has, or refused with what helps', async () => {
    const fixed = { input: [valueInfo('x', [1, 3, 12, 16])], output: [valueInfo('y', [1, 3, 12, 16])] };
    const session = await InferenceSession.create(
      buildBytes({ node: [makeNode('Neg', ['x'], ['y'])], ...fixed }),
    );
    const photo = photoOf(5, 16);
    expect((await restore(session, photo)).tensor.data).toEqual(
      (photo.tensor.data as Float32Array).map((value) => -value),
    );
    await expect(restore(session, photoOf(13, 16))).rejects.toMatchObject({
      code: 'ERR_INPUT_MISMATCH',
      message: expect.stringMatching(/13x16 pixels, and the model takes 12x16; `tlsc free`/),
    });
  });

  it('is refused by a network of which nobody knows where the photo lies in what it makes', async () => {
    const border = {
      node: [makeNode('Slice', ['x', 'starts', 'ends', 'axes'], ['y'])],
      initializer: [integers('starts', [4, 4]), integers('ends', [-4, -4]), integers('axes', [2, 3])],
    };
    const session = await InferenceSession.create(buildBytes(border));
    await expect(restore(session, photoOf(20, 31))).rejects.toMatchObject({
      code: 'ERR_UNSUPPORTED_MODEL',
      message: expect.stringContaining('12x23 pixels of an image of 20x31'),
    });
  });

  it('is filled up along the one side that is free', async () => {
    const session = await InferenceSession.create(
      buildBytes({ ...inBlocks(8), input: [valueInfo('x', [1, 3, 16, 'w'])] }),
      { logSeverityLevel: 4 },
    );
    const photo = photoOf(11, 21);
    const { y } = await session.run({ x: padded(photo, 16, 24) });
    expect((await restore(session, photo)).tensor.data).toEqual(cropped(y as Tensor, 11, 21));
  });

  it('is not filled up beyond all measure because a model says so', async () => {
    const fixed = [1, 3, 20000, 20000];
    const session = await InferenceSession.create(
      buildBytes({ node: [makeNode('Neg', ['x'], ['y'])], input: [valueInfo('x', fixed)] }),
    );
    await expect(restore(session, photoOf(4, 4))).rejects.toMatchObject({
      code: 'ERR_INPUT_MISMATCH',
      message: expect.stringContaining('filled up to 20000x20000'),
    });
  });

  it('costs runs on small images once per session', async () => {
    const session = await InferenceSession.create(buildBytes(inBlocks(8)), { logSeverityLevel: 4 });
    let runs = 0;
    const run = session.run.bind(session);
    Object.assign(session, {
      run: (...given: Parameters<typeof run>) => {
        runs++;
        return run(...given);
      },
    });
    await Promise.all([restore(session, photoOf(9, 9)), restore(session, photoOf(10, 10))]);
    const first = runs;
    await restore(session, photoOf(11, 11));
    expect(first).toBeLessThan(16);
    expect(runs).toBe(first + 1);
  });
});
