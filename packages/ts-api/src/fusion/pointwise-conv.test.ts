import { describe, expect, it } from 'vitest';
import { buildBytes, floats, integers } from '../../test/build-model.js';
import { optimize } from '../../test/optimize.js';
import { type AttributeValue, makeNode, type NodeProto } from '../graph/proto.js';

const node = makeNode;
const channels = 6;

/** Six channels that no convolution has made, so that they are laid out as they are. */
const spread = [
  node('Concat', ['x', 'x'], ['both'], { attributes: { axis: 1 } }),
  node('Transpose', ['both'], ['t'], { attributes: { perm: [0, 2, 3, 1] } }),
  node('Transpose', ['t'], ['z'], { attributes: { perm: [0, 3, 1, 2] } }),
];
const conv = (
  from: string,
  to: string,
  weights = 'square',
  attributes: Record<string, AttributeValue> = {},
) => node('Conv', [from, weights, 'bias'], [to], { attributes });
const mean = (from: string, to: string) =>
  node('ReduceMean', [from], [to], { attributes: { axes: [1], keepdims: 1 } });

/** From `z` to its normalization `n`. */
const norm = [
  mean('z', 'm'),
  node('Sub', ['z', 'm'], ['d']),
  node('Mul', ['d', 'd'], ['squares']),
  mean('squares', 'variance'),
  node('Add', ['variance', 'epsilon'], ['raised']),
  node('Sqrt', ['raised'], ['deviation']),
  node('Div', ['d', 'deviation'], ['q']),
  node('Mul', ['q', 'scale'], ['s']),
  node('Add', ['s', 'shift'], ['n']),
];
const halves = node('Split', ['c'], ['u', 'v'], { attributes: { axis: 1 } });

function build(nodes: readonly NodeProto[]): Uint8Array {
  const read = new Set(nodes.flatMap(({ input }) => input));
  const constants = [
    floats('square', [channels, channels, 1, 1]),
    floats('large', [channels, channels, 3, 3]),
    floats('bias', [channels]),
    floats('epsilon', [], [0.01]),
    floats('scale', [channels, 1, 1]),
    floats('shift', [1, channels, 1, 1]),
    floats('gamma', [1, channels, 1, 1]),
    floats('factor', [], [0.3]),
    integers('zero', [0]),
    integers('one', [1]),
  ];
  return buildBytes({
    node: [...spread, ...nodes],
    initializer: constants.filter(({ name }) => read.has(name)),
  });
}

const cases: Readonly<Record<string, readonly NodeProto[]>> = {
  PointwiseConv: [conv('z', 'c'), node('Tanh', ['c'], ['y'])],
  PointwiseConvGate: [conv('z', 'c'), halves, node('Mul', ['v', 'u'], ['y'])],
  PointwiseConvAdd: [conv('z', 'c'), node('Add', ['z', 'c'], ['y'])],
  LayerNormPointwiseConv: [...norm, conv('n', 'y')],
  LayerNormPointwiseConvGate: [...norm, conv('n', 'c'), halves, node('Mul', ['u', 'v'], ['y'])],
  VarianceNormPointwiseConv: [
    ...norm.slice(0, 6),
    node('Div', ['z', 'deviation'], ['q']),
    node('Mul', ['q', 'scale'], ['n']),
    conv('n', 'y'),
  ],
};

describe('pointwise convolution', () => {
  it.each(Object.keys(cases))('is fused with what stands around it: %s', async (operator) => {
    expect(await optimize(build(cases[operator] ?? []))).toEqual([operator]);
  });

  it.each(['gamma', 'factor'])('is fused with a sum, and %s in between', async (factor) => {
    const nodes = [conv('z', 'c'), node('Mul', [factor, 'c'], ['p']), node('Add', ['p', 'z'], ['y'])];
    expect(await optimize(build(nodes))).toEqual(['PointwiseConvAdd']);
  });

  it('is fused as far as there is an operator', async () => {
    const byImage = [conv('z', 'c'), node('Mul', ['c', 'z'], ['p']), node('Add', ['p', 'z'], ['y'])];
    expect(await optimize(build(byImage))).toEqual(['PointwiseConv']);
    const twice = [conv('z', 'c'), node('Add', ['c', 'c'], ['y'])];
    expect(await optimize(build(twice))).toEqual(['PointwiseConv']);
    const normalized = [...norm, conv('n', 'c'), node('Add', ['c', 'z'], ['y'])];
    expect(await optimize(build(normalized))).toEqual(['LayerNormPointwiseConv']);
    const shared = [...norm, conv('n', 'c'), node('Add', ['c', 'n'], ['y'])];
    // What the norm is read for besides leaves it on its own.
    expect(await optimize(build(shared))).toEqual(['ChannelLayerNormalization', 'PointwiseConvAdd']);
  });

  it('is fused with what has as many images alone', async () => {
    // The first image, for all.
    const first = [
      node('Slice', ['z', 'zero', 'one', 'zero'], ['position']),
      conv('z', 'c'),
      node('Add', ['c', 'position'], ['y']),
    ];
    expect(await optimize(build(first))).toEqual(['PointwiseConv']);
  });

  it('is left to ONNX Runtime before its own convolutions', async () => {
    const first = [
      conv('z', 'c'),
      node('Relu', ['c'], ['r']),
      conv('r', 'y', 'large', { pads: [1, 1, 1, 1] }),
    ];
    expect(await optimize(build(first))).toEqual([]);
  });

  it('is left to ONNX Runtime between its own convolutions', async () => {
    const between = [
      conv('z', 'a', 'large', { pads: [1, 1, 1, 1] }),
      node('Relu', ['a'], ['b']),
      conv('b', 'c'),
      node('Add', ['c', 'b'], ['y']),
    ];
    expect(await optimize(build(between))).toEqual([]);
  });

  it('is left alone where it is of another kind', async () => {
    for (const attributes of [{ strides: [2, 2] }, { pads: [1, 1, 1, 1] }])
      expect(await optimize(build([conv('z', 'y', 'square', attributes)]))).toEqual([]);
    expect(await optimize(build([conv('z', 'y', 'large')]))).toEqual([]);
  });
});
