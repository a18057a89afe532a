// The portable bodies against the definition, alone: a model of one node, without the operator library.
import { Tensor } from 'onnxruntime-common';
import { describe, expect, it } from 'vitest';
import { halfUlpOfFloat16, roundedToFloat16 } from '../../../../test/fixtures/float16.js';
import { type Evaluation, evaluateOperator, type Operators } from '../../test/evaluate-operator.js';
import {
  largestDifference,
  localGroupNorm,
  localInstanceNorm,
  noise,
  normalizedAt,
  replicateScale,
  validMeans,
  windowMeans,
} from '../../test/reference.js';
import { makeNode, type NodeProto } from '../graph/proto.js';
import type { BodyType } from './body.js';

const scale = [1.5, -0.5, 2];
const bias = [0.1, 0.2, -0.3];
const groupScale = [1.5, -0.5, 2, 1, 0.25, -3];
const groupBias = [0.1, 0.2, -0.3, 0, 1, -1];
const epsilon = 1e-3;

function evaluate(
  node: NodeProto,
  images: Readonly<Record<string, Tensor>>,
  operators: Operators,
  evaluation: Evaluation = {},
): Promise<Float32Array> {
  return evaluateOperator(node, images, operators, {
    ...evaluation,
    constants: { scale, bias, scale6: groupScale, bias6: groupBias },
  });
}

function pool(window: readonly number[], replicate = 1, maxStride?: readonly number[]): NodeProto {
  const attributes = { kernel_shape: window, replicate, ...(maxStride && { max_stride: maxStride }) };
  return makeNode('LocalAveragePool', ['x'], ['y'], { domain: 'tlsc', attributes });
}

function normalization(
  window: readonly number[],
  maxStride?: readonly number[],
  raised = epsilon,
): NodeProto {
  const attributes = {
    kernel_shape: window,
    epsilon: { float: raised },
    ...(maxStride && { max_stride: maxStride }),
  };
  return makeNode('LocalInstanceNormalization', ['x', 'scale', 'bias'], ['y'], {
    domain: 'tlsc',
    attributes,
  });
}

function groupNormalization(window: readonly number[], groups: number, raised = epsilon): NodeProto {
  const attributes = { kernel_shape: window, epsilon: { float: raised }, num_groups: groups };
  return makeNode('LocalGroupNormalization', ['x', 'scale6', 'bias6'], ['y'], { domain: 'tlsc', attributes });
}

const scaling = makeNode('ReplicateScale', ['x', 's'], ['y'], { domain: 'tlsc' });

/** Each value within the rounding to float16 of the exact one, and what float32 would be off by. */
function expectRounded(values: Float32Array, exact: Float64Array | Float32Array, error: number): void {
  expect(values).toHaveLength(exact.length);
  const excess = values.map((value, i) => {
    const expected = exact[i] as number;
    return Math.abs(value - expected) - halfUlpOfFloat16(expected);
  });
  expect(Math.max(...excess)).toBeLessThan(error);
}

/** `tensor` with values that halves can have. */
function rounded({ data, dims }: Tensor): Tensor {
  return new Tensor('float32', (data as Float32Array).map(roundedToFloat16), dims);
}

async function expectFloat16(operators: 'native' | 'portable', opset: number, body: BodyType): Promise<void> {
  const run = (node: NodeProto, images: Readonly<Record<string, Tensor>>) =>
    evaluate(node, images, operators, { opset, type: 'float16', body });
  const x = rounded(noise([2, 3, 11, 14]));
  const s = rounded(validMeans(x, [4, 5]));
  expectRounded(await run(pool([4, 5]), { x }), windowMeans(x, [4, 5]), 1e-6);
  const means = validMeans(x, [4, 5]).data as Float32Array;
  expectRounded(await run(pool([4, 5], 0), { x }), means, 1e-6);
  // A product of two halves is exact in float32, and so rounded once.
  const product = Array.from(replicateScale(x, s), roundedToFloat16);
  expect([...(await run(scaling, { x, s }))]).toEqual(product);
  const y = await run(normalization([4, 5]), { x });
  const [scale16, bias16] = [scale.map(roundedToFloat16), bias.map(roundedToFloat16)];
  expectRounded(y, localInstanceNorm(x, scale16, bias16, [4, 5], Math.fround(epsilon)), 1e-5);
  const x6 = rounded(noise([2, 6, 11, 14]));
  const grouped = await run(groupNormalization([4, 5], 2), { x: x6 });
  const parameters = [groupScale.map(roundedToFloat16), groupBias.map(roundedToFloat16)] as const;
  const window = { groups: 2, window: [4, 5] } as const;
  expectRounded(grouped, localGroupNorm(x6, ...parameters, window, Math.fround(epsilon)), 1e-5);
}

/** Plane and window: odd, even, one pixel, window as large as the plane, larger in one direction, larger in both. */
const sizes = [
  { plane: [13, 18], window: [5, 4] },
  { plane: [12, 17], window: [1, 1] },
  { plane: [9, 7], window: [9, 7] },
  { plane: [9, 7], window: [8, 6] },
  { plane: [9, 30], window: [40, 8] },
  { plane: [31, 6], window: [7, 7] },
  { plane: [5, 4], window: [64, 64] },
  { plane: [1, 1], window: [3, 3] },
  { plane: [1, 20], window: [2, 6] },
] as const;

/** The same for fast mode: sides that divide by each stride and by none, windows of less, of one side more, of both. */
const fastSizes = [
  { plane: [25, 32], window: [9, 12], stride: [5, 5] },
  { plane: [24, 21], window: [7, 8], stride: [2, 5] },
  { plane: [13, 30], window: [5, 90], stride: [5, 3] },
  { plane: [30, 9], window: [64, 4], stride: [4, 1] },
  { plane: [12, 10], window: [12, 10], stride: [5, 5] },
  { plane: [11, 17], window: [4, 6], stride: [1, 1] },
] as const;

describe.each(['native', 'portable'] as const)('%s operators', (operators) => {
  it.each(sizes)('pool $plane over $window as defined', async ({ plane, window }) => {
    const x = noise([2, 3, ...plane]);
    expect(
      largestDifference(await evaluate(pool(window), { x }, operators), windowMeans(x, window)),
    ).toBeLessThan(1e-6);
  });

  it.each(sizes)('pool $plane over $window, valid positions only, as defined', async ({ plane, window }) => {
    const x = noise([2, 3, ...plane]);
    const y = await evaluate(pool(window, 0), { x }, operators);
    expect(largestDifference(y, validMeans(x, window).data as Float32Array)).toBeLessThan(1e-6);
  });

  it.each(sizes)('scale $plane by what $window leaves as defined', async ({ plane, window }) => {
    const x = noise([2, 3, ...plane]);
    const s = validMeans(x, window);
    const y = await evaluate(scaling, { x, s }, operators);
    expect(largestDifference(y, replicateScale(x, s))).toBeLessThan(1e-6);
  });

  it.each([
    { x: [2, 3], s: [1, 3] },
    { x: [2, 3], s: [2, 1] },
    { x: [1, 3], s: [2, 1] },
    { x: [1, 1], s: [2, 3] },
  ])('broadcast batch and channels $x with $s', async (shapes) => {
    const x = noise([...shapes.x, 7, 9]);
    const s = noise([...shapes.s, 4, 2], 5);
    const y = await evaluate(scaling, { x, s }, operators);
    expect(largestDifference(y, replicateScale(x, s))).toBeLessThan(1e-6);
  });

  it('refuse to scale a plane by a larger one', async () => {
    const [x, s] = [noise([1, 3, 6, 5]), noise([1, 3, 6, 7])];
    await expect(evaluate(scaling, { x, s }, operators)).rejects.toMatchObject({
      code: 'ERR_RUN_FAILED',
    });
  });

  it.each(sizes)('normalize $plane over $window as defined', async ({ plane, window }) => {
    const x = noise([2, 3, ...plane]);
    const y = await evaluate(normalization(window), { x }, operators);
    expect(
      largestDifference(y, localInstanceNorm(x, scale, bias, window, Math.fround(epsilon))),
    ).toBeLessThan(1e-5);
  });

  it.each(sizes)('normalize groups of $plane over $window as defined', async ({ plane, window }) => {
    const x = noise([2, 6, ...plane]);
    for (const groups of [1, 2, 3, 6]) {
      const y = await evaluate(groupNormalization(window, groups), { x }, operators);
      const expected = localGroupNorm(x, groupScale, groupBias, { groups, window }, Math.fround(epsilon));
      expect(largestDifference(y, expected)).toBeLessThan(1e-5);
    }
  });

  it('refuse groups that do not divide the channels', async () => {
    const run = evaluate(groupNormalization([3, 3], 4), { x: noise([1, 6, 8, 8]) }, operators);
    await expect(run).rejects.toMatchObject({ code: 'ERR_RUN_FAILED' });
  });

  it.each([12, 13, 14, 15, 16, 18, 19, 20, 21, 22])('work in a model of opset %d', async (opset) => {
    const x = noise([1, 3, 11, 14]);
    expect(
      largestDifference(await evaluate(pool([4, 5]), { x }, operators, { opset }), windowMeans(x, [4, 5])),
    ).toBeLessThan(1e-6);
    const s = validMeans(x, [4, 5]);
    const product = await evaluate(scaling, { x, s }, operators, { opset });
    expect(largestDifference(product, replicateScale(x, s))).toBeLessThan(1e-6);
    const y = await evaluate(normalization([4, 5]), { x }, operators, { opset });
    expect(
      largestDifference(y, localInstanceNorm(x, scale, bias, [4, 5], Math.fround(epsilon))),
    ).toBeLessThan(1e-5);
    const x6 = noise([1, 6, 11, 14]);
    const window = { groups: 3, window: [4, 5] } as const;
    const grouped = await evaluate(groupNormalization([4, 5], 3), { x: x6 }, operators, { opset });
    expect(
      largestDifference(grouped, localGroupNorm(x6, groupScale, groupBias, window, Math.fround(epsilon))),
    ).toBeLessThan(1e-5);
  });

  it.each([12, 13, 14, 15, 17, 18, 19, 21, 22])('work in float16 in a model of opset %d', async (opset) => {
    await expectFloat16(operators, opset, 'float16');
  });

  it.each([15, 18, 22])('work in float16 beside float32 in a model of opset %d', async (opset) => {
    await expectFloat16(operators, opset, 'mixed');
    const x = noise([1, 3, 11, 14]);
    const y = await evaluate(pool([4, 5]), { x }, operators, { opset, body: 'mixed' });
    expect(largestDifference(y, windowMeans(x, [4, 5]))).toBeLessThan(1e-6);
  });

  it.each([0.5, 5])('keep the digits of a faint texture around %d', async (level) => {
    const x = noise([1, 3, 60, 80]);
    for (let i = 0; i < x.data.length; i++)
      (x.data as Float32Array)[i] = level + 0.02 * (x.data[i] as number);
    const y = await evaluate(normalization([24, 24]), { x }, operators);
    expect(
      largestDifference(y, localInstanceNorm(x, scale, bias, [24, 24], Math.fround(epsilon))),
    ).toBeLessThan(1e-5);
  });

  it.each(fastSizes)(
    'in fast mode, pool and normalize $plane over $window by $stride as defined',
    async (one) => {
      const { plane, window, stride } = one;
      const x = noise([2, 3, ...plane]);
      const options = { maxStride: stride };
      const pooled = await evaluate(pool(window, 1, stride), { x }, operators);
      expect(largestDifference(pooled, windowMeans(x, window, undefined, options))).toBeLessThan(1e-6);
      const valid = await evaluate(pool(window, 0, stride), { x }, operators);
      expect(
        largestDifference(valid, windowMeans(x, window, undefined, { ...options, replicate: false })),
      ).toBeLessThan(1e-6);
      const y = await evaluate(normalization(window, stride), { x }, operators);
      const expected = localInstanceNorm(x, scale, bias, window, Math.fround(epsilon), options);
      expect(largestDifference(y, expected)).toBeLessThan(1e-5);
    },
  );

  it.each([12, 13, 18, 22])('in fast mode, work in a model of opset %d', async (opset) => {
    const x = noise([1, 3, 12, 15]);
    const y = await evaluate(pool([4, 6], 1, [2, 5]), { x }, operators, { opset });
    expect(largestDifference(y, windowMeans(x, [4, 6], undefined, { maxStride: [2, 5] }))).toBeLessThan(1e-6);
  });

  it('take an empty batch', async () => {
    const none = noise([0, 6, 8, 8]);
    expect(await evaluate(groupNormalization([3, 3], 2), { x: none }, operators)).toHaveLength(0);
    expect(await evaluate(pool([3, 3]), { x: noise([0, 3, 8, 8]) }, operators)).toHaveLength(0);
  });
});

// The kernels' own tests say the same of them.
describe('LocalVariance', () => {
  const variance = (window: readonly number[], maxStride?: readonly number[]): NodeProto => {
    const attributes = { kernel_shape: window, ...(maxStride && { max_stride: maxStride }) };
    return makeNode('LocalVariance', ['x'], ['y'], { domain: 'tlsc', attributes });
  };

  // No kernel stands for it yet: with the operator library, too, it is its body that runs.
  it.each(['native', 'portable'] as const)('is the variance of each window, %s', async (operators) => {
    for (const [window, plane] of [
      [
        [4, 5],
        [9, 11],
      ],
      [
        [30, 3],
        [8, 17],
      ],
    ] as const) {
      const x = noise([2, 3, ...plane]);
      const [means, squares] = [windowMeans(x, window), windowMeans(x, window, (value) => value * value)];
      const expected = squares.map((square, i) => square - (means[i] as number) ** 2);
      expect(largestDifference(await evaluate(variance(window), { x }, operators), expected)).toBeLessThan(
        1e-6,
      );
    }
  });

  it('keeps the digits of a faint texture on a bright plane, and is never negative', async () => {
    const texture = noise([1, 1, 20, 20]);
    const bright = (texture.data as Float32Array).map((value) => Math.fround(1000 + 0.01 * value));
    const x = new Tensor('float32', bright, texture.dims);
    const faint = new Tensor(
      'float32',
      bright.map((value) => value - 1000),
      texture.dims,
    );
    const [means, squares] = [
      windowMeans(faint, [5, 5]),
      windowMeans(faint, [5, 5], (value) => value * value),
    ];
    const y = await evaluate(variance([5, 5]), { x }, 'portable');
    const errors = y.map((value, i) => value / ((squares[i] as number) - (means[i] as number) ** 2) - 1);
    expect(Math.max(...errors.map(Math.abs))).toBeLessThan(1e-5);
    const flat = await evaluate(
      variance([3, 3]),
      { x: new Tensor('float32', new Float32Array(49).fill(0.1), [1, 1, 7, 7]) },
      'portable',
    );
    expect(Math.min(...flat)).toBe(0);
  });

  it('samples in fast mode like the mean', async () => {
    const x = noise([1, 2, 20, 15]);
    const options = { maxStride: [5, 3] } as const;
    const means = windowMeans(x, [10, 6], undefined, options);
    const squares = windowMeans(x, [10, 6], (value) => value * value, options);
    const expected = squares.map((square, i) => square - (means[i] as number) ** 2);
    const y = await evaluate(variance([10, 6], [5, 3]), { x }, 'portable');
    expect(largestDifference(y, expected)).toBeLessThan(1e-6);
  });
});

describe('portable operators on a whole photo', () => {
  const photo = noise([1, 3, 720, 1280]);
  const positions = [
    [0, 0, 0, 0],
    [0, 1, 3, 1279],
    [0, 2, 360, 640],
    [0, 2, 719, 1000],
  ] as const;

  it.each([
    { level: 0.5, window: [8, 8] },
    { level: 0.5, window: [384, 384] },
    { level: 5, window: [8, 8] },
    { level: 5, window: [384, 384] },
  ] as const)('keep the digits of a faint texture around $level over $window', async ({ level, window }) => {
    const texture = (photo.data as Float32Array).map((value) => level + 0.0125 * value); // of amplitude 0.02
    const x = new Tensor('float32', texture, photo.dims);
    const small = 1e-5; // below the variance of the texture
    const alone = normalization(window, undefined, small);
    const together = groupNormalization(window, 1, small);
    together.input = alone.input;
    for (const { node, groups } of [
      { node: alone, groups: 3 },
      { node: together, groups: 1 },
    ]) {
      const y = await evaluate(node, { x }, 'portable');
      expect(y.some(Number.isNaN)).toBe(false);
      for (const position of positions) {
        const [, channel, row, column] = position;
        const exact = normalizedAt(x, position, { groups, window }, small);
        const expected = exact * (scale[channel] as number) + (bias[channel] as number);
        const value = y[(channel * 720 + row) * 1280 + column] as number;
        expect(Math.abs(value - expected)).toBeLessThan(1e-5);
      }
    }
  });
});
