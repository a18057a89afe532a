import { Tensor } from 'onnxruntime-common';
import { describe, expect, it } from 'vitest';
import { halfUlpOfFloat16, roundedToFloat16 } from '../../../../test/fixtures/float16.js';
import { evaluateOperator } from '../../test/evaluate-operator.js';
import { largestDifference, noise, windowMerge, windowPartition } from '../../test/reference.js';
import { makeNode, type NodeProto } from '../graph/proto.js';

/** No piece. */
const numbers = { place: [0, 0, 0, 0] };

const merge = makeNode('LocalWindowMerge', ['p', 'x', 'place'], ['y'], { domain: 'tlsc' });

function partition(window: readonly number[]): NodeProto {
  const attributes = { kernel_shape: window };
  return makeNode('LocalWindowPartition', ['x', 'place'], ['y'], { domain: 'tlsc', attributes });
}

/** Overlaps of every kind: none, one pixel, more than half, three windows deep; windows larger than the plane. */
const sizes = [
  { plane: [12, 18], window: [4, 6] },
  { plane: [13, 18], window: [5, 4] },
  { plane: [9, 7], window: [8, 6] },
  { plane: [9, 7], window: [9, 7] },
  { plane: [31, 6], window: [15, 64] },
  { plane: [21, 23], window: [10, 11] },
  { plane: [5, 4], window: [64, 64] },
  { plane: [7, 5], window: [1, 1] },
  { plane: [1, 20], window: [3, 6] },
] as const;

describe.each(['native', 'portable'] as const)('%s operators', (operators) => {
  it.each(sizes)(
    'cut $plane into windows of $window and merge them as defined',
    async ({ plane, window }) => {
      const x = noise([2, 3, ...plane]);
      const windows = windowPartition(x, window);
      const cut = await evaluateOperator(partition(window), { x }, operators, { numbers });
      expect([...cut]).toEqual([...(windows.data as Float32Array)]);
      const p = noise(windows.dims, 7);
      const y = await evaluateOperator(merge, { p, x }, operators, { numbers });
      expect(largestDifference(y, windowMerge(p, x.dims))).toBeLessThan(1e-6);
    },
  );

  it.each([12, 13, 14, 15, 18, 21, 22])('work in a model of opset %d', async (opset) => {
    const x = noise([1, 3, 21, 23]);
    const windows = windowPartition(x, [10, 11]);
    const cut = await evaluateOperator(partition([10, 11]), { x }, operators, { opset, numbers });
    expect([...cut]).toEqual([...(windows.data as Float32Array)]);
    const p = noise(windows.dims, 7);
    const y = await evaluateOperator(merge, { p, x }, operators, { opset, numbers });
    expect(largestDifference(y, windowMerge(p, x.dims))).toBeLessThan(1e-6);
  });

  it.each([
    { opset: 12, body: 'float16' },
    { opset: 18, body: 'mixed' },
  ] as const)('work in float16 in a model of opset $opset', async ({ opset, body }) => {
    const rounded = ({ data, dims }: Tensor) =>
      new Tensor('float32', (data as Float32Array).map(roundedToFloat16), dims);
    const x = rounded(noise([1, 3, 21, 23]));
    const windows = windowPartition(x, [10, 11]);
    const options = { opset, type: 'float16', body, numbers } as const;
    const cut = await evaluateOperator(partition([10, 11]), { x }, operators, options);
    expect([...cut]).toEqual([...(windows.data as Float32Array)]);
    const p = rounded(noise(windows.dims, 7));
    const y = await evaluateOperator(merge, { p, x }, operators, options);
    const exact = windowMerge(p, x.dims);
    const excess = y.map((value, i) => {
      const expected = exact[i] as number;
      return Math.abs(value - expected) - halfUlpOfFloat16(expected);
    });
    expect(Math.max(...excess)).toBeLessThan(1e-6);
  });

  it('leave what is not finite where it is', async () => {
    const x = noise([1, 1, 9, 7]);
    const p = windowPartition(x, [5, 4]);
    (p.data as Float32Array).set([Number.NaN, Number.POSITIVE_INFINITY], 12);
    const y = await evaluateOperator(merge, { p, x }, operators, { numbers });
    const expected = windowMerge(p, x.dims);
    expect(expected.filter((value) => !Number.isFinite(value))).toHaveLength(2);
    expect([...y].map(Number.isFinite)).toEqual([...expected].map(Number.isFinite));
  });
});

/** First row and column, height and width of pieces, of a whole of 61 × 47 and windows of 20 × 17. */
const pieces = [
  [0, 0, 61, 47],
  [0, 0, 40, 30],
  [14, 10, 47, 37],
  [21, 12, 20, 17],
  [3, 2, 33, 29],
  [41, 30, 20, 17],
  [1, 1, 21, 18],
] as const;

it.each(pieces)(
  'the bodies cut and merge the piece at %i, %i of %i × %i like the kernels',
  async (...piece) => {
    const [top, left, height, width] = piece;
    const options = { numbers: { place: [top, left, 61, 47] } };
    const x = noise([2, 3, height, width]);
    const node = partition([20, 17]);
    const cut = await evaluateOperator(node, { x }, 'native', options);
    expect([...(await evaluateOperator(node, { x }, 'portable', options))]).toEqual([...cut]);
    const p = noise([cut.length / (3 * 20 * 17), 3, 20, 17], 7);
    const made = await evaluateOperator(merge, { p, x }, 'native', options);
    const portable = await evaluateOperator(merge, { p, x }, 'portable', options);
    expect(largestDifference(portable, Float64Array.from(made))).toBeLessThan(1e-6);
  },
);

it('the kernels take nodes without a place, and refuse one that no piece has', async () => {
  const x = noise([1, 1, 9, 7]);
  const plain = makeNode('LocalWindowPartition', ['x'], ['y'], {
    domain: 'tlsc',
    attributes: { kernel_shape: [5, 4] },
  });
  expect([...(await evaluateOperator(plain, { x }, 'native'))]).toEqual([
    ...(windowPartition(x, [5, 4]).data as Float32Array),
  ]);
  const refuse = (place: number[], why: RegExp) =>
    expect(evaluateOperator(partition([5, 4]), { x }, 'native', { numbers: { place } })).rejects.toThrow(why);
  await refuse([0, 0, 8, 7], /place: expected planes within \[8, 7\]/);
  await refuse([-1, 0, 18, 17], /place: expected nothing below 0/);
  await refuse([0, 0, 18, 0], /place: expected height and width of the whole, or neither/);
  await refuse([0, 0, 18], /place: expected shape \[4\]/);
});
