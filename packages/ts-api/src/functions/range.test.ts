// The ends of float32's range, where squares, sums and quotients have left it and results have not: kernel and portable body
// against the definition, and against each other.
import { Tensor } from 'onnxruntime-common';
import { expect, it } from 'vitest';
import { evaluateOperator, type Operators } from '../../test/evaluate-operator.js';
import {
  localGroupNorm,
  localInstanceNorm,
  noise,
  replicateScale,
  windowMeans,
  windowMerge,
  windowPartition,
} from '../../test/reference.js';
import { type AttributeValue, makeNode } from '../graph/proto.js';

const window = [4, 5] as const;
const scale = [1.5, -0.5];
const bias = [0.1, 0.2];

function node(opType: string, inputs: readonly string[], attributes: Record<string, AttributeValue> = {}) {
  return makeNode(opType, inputs, ['y'], { domain: 'tlsc', attributes });
}

const normalized = ['x', 'scale', 'bias'];
const flat = { kernel_shape: window, epsilon: { float: 0 } };
const instances = node('LocalInstanceNormalization', normalized, flat);
const groups = node('LocalGroupNormalization', normalized, { ...flat, num_groups: 1 });
const pool = node('LocalAveragePool', ['x'], { kernel_shape: window, replicate: 1 });
const merge = node('LocalWindowMerge', ['p', 'x', 'place']);
const numbers = { place: [0, 0, 0, 0] };
const scaling = node('ReplicateScale', ['x', 's']);

/** Noise whose values are of a size. */
function sized(dims: readonly number[], size: number): Tensor {
  const { data } = noise(dims);
  return new Tensor(
    'float32',
    (data as Float32Array).map((value) => value * size),
    dims,
  );
}

it.each([1e-42, 1e-38, 1e-25, 1e-15, 1e15, 1e19, 1e25, 3.4e38])('values of about %d', async (size) => {
  const x = sized([1, 2, 11, 14], size);
  const s = sized([1, 2, 8, 10], Math.min(1 / size, 1e38));
  const p = sized(windowPartition(x, window).dims, size);
  // Neighbours that add up to more than float32 has room for.
  (p.data as Float32Array).fill(size, 0, 200);
  const cases = [
    // Of the size of what deviations are divided by, and of the values.
    {
      node: instances,
      images: { x },
      exact: localInstanceNorm(x, scale, bias, window, 0),
      unit: 1,
      error: 1e-5,
    },
    {
      node: groups,
      images: { x },
      exact: localGroupNorm(x, scale, bias, { groups: 1, window }, 0),
      unit: 1,
      error: 1e-5,
    },
    { node: pool, images: { x }, exact: windowMeans(x, window), unit: size, error: 1e-6 },
    { node: merge, images: { p, x }, exact: windowMerge(p, x.dims), unit: size, error: 1e-6 },
    { node: scaling, images: { x, s }, exact: replicateScale(x, s), unit: 1, error: 1e-6 },
  ];
  for (const { node, images, exact, unit, error } of cases) {
    const evaluate = (operators: Operators) =>
      evaluateOperator(node, images, operators, { constants: { scale, bias }, numbers });
    const [native, portable] = [await evaluate('native'), await evaluate('portable')];
    const most = error * unit + 2 ** -149; // and float32's smallest step
    const within = (values: ArrayLike<number>, expected: ArrayLike<number>) => {
      expect(values).toHaveLength(expected.length);
      for (let i = 0; i < values.length; i++)
        expect(Math.abs((values[i] as number) - (expected[i] as number))).toBeLessThanOrEqual(most);
    };
    within(native, exact);
    within(portable, exact);
    within(native, portable);
  }
});
