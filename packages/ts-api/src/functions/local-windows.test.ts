import { Tensor } from 'onnxruntime-common';
import { describe, expect, it } from 'vitest';
import { halfUlpOfFloat16, roundedToFloat16 } from '../../../../test/fixtures/float16.js';
import { evaluateOperator } from '../../test/evaluate-operator.js';
import { largestDifference, noise, windowMerge, windowPartition } from '../../test/reference.js';
import { makeNode, type NodeProto } from '../graph/proto.js';

const merge = makeNode('LocalWindowMerge', ['p', 'x'], ['y'], { domain: 'tlsc' });

function partition(window: readonly number[]): NodeProto {
  const attributes = { kernel_shape: window };
  return makeNode('LocalWindowPartition', ['x'], ['y'], { domain: 'tlsc', attributes });
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
      const cut = await evaluateOperator(partition(window), { x }, operators);
      expect([...cut]).toEqual([...(windows.data as Float32Array)]);
      const p = noise(windows.dims, 7);
      const y = await evaluateOperator(merge, { p, x }, operators);
      expect(largestDifference(y, windowMerge(p, x.dims))).toBeLessThan(1e-6);
    },
  );

  it.each([12, 13, 14, 15, 18, 21, 22])('work in a model of opset %d', async (opset) => {
    const x = noise([1, 3, 21, 23]);
    const windows = windowPartition(x, [10, 11]);
    const cut = await evaluateOperator(partition([10, 11]), { x }, operators, { opset });
    expect([...cut]).toEqual([...(windows.data as Float32Array)]);
    const p = noise(windows.dims, 7);
    const y = await evaluateOperator(merge, { p, x }, operators, { opset });
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
    const options = { opset, type: 'float16', body } as const;
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
    const y = await evaluateOperator(merge, { p, x }, operators);
    const expected = windowMerge(p, x.dims);
    expect(expected.filter((value) => !Number.isFinite(value))).toHaveLength(2);
    expect([...y].map(Number.isFinite)).toEqual([...expected].map(Number.isFinite));
  });
});
