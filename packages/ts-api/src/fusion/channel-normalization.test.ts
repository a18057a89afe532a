import { describe, expect, it } from 'vitest';
import { buildBytes, floats, integers, valueInfo } from '../../test/build-model.js';
import { optimize } from '../../test/optimize.js';
import { decodeModel, encodeModel } from '../graph/model.js';
import { makeNode, type NodeProto } from '../graph/proto.js';
import { optimize as optimizeModel } from '../optimize.js';

const values: Readonly<Record<string, readonly [dims: readonly number[], values: readonly number[]]>> = {
  epsilon: [[], [0.01]],
  two: [[], [2]],
  half: [[], [0.5]],
  minusHalf: [[], [-0.5]],
  zero: [[], [0]],
  one: [[1], [1]],
  three: [[], [3]],
  third: [[], [1 / 3]],
  unbiased: [[], [1.5]],
  scale: [[3], [1.5, -0.5, 2]],
  bias: [[3], [0.1, 0.2, -0.3]],
  scale3: [
    [3, 1, 1],
    [1.5, -0.5, 2],
  ],
  bias4: [
    [1, 3, 1, 1],
    [0.1, 0.2, -0.3],
  ],
};
const lists: Readonly<Record<string, readonly number[]>> = {
  axis1: [1],
  axisLast: [-1],
  vector: [1, -1, 1, 1],
  pixels: [0, -1, 3],
};

const node = makeNode;
const mean = (from: string, to: string, axis = 1, keepdims = 1) =>
  node('ReduceMean', [from], [to], { attributes: { axes: [axis], keepdims } });
const turn = (from: string, to: string, perm: readonly number[]) =>
  node('Transpose', [from], [to], { attributes: { perm } });
const last = [0, 2, 3, 1];
const firstAgain = [0, 3, 1, 2];

/** From `x` to the quotient `n`, the channels in this axis. */
function written(x: string, axis = 1): NodeProto[] {
  return [
    mean(x, 'm', axis),
    node('Sub', [x, 'm'], ['d']),
    node('Mul', ['d', 'd'], ['square']),
    mean('square', 'variance', axis),
    node('Add', ['variance', 'epsilon'], ['raised']),
    node('Sqrt', ['raised'], ['deviation']),
    node('Div', ['d', 'deviation'], ['n']),
  ];
}

/** By scale and bias of shapes that broadcast to N×C×H×W. */
const affine = [node('Mul', ['n', 'scale3'], ['s']), node('Add', ['bias4', 's'], ['y'])];
const affineLast = (to: string) => [node('Mul', ['n', 'scale'], ['s']), node('Add', ['s', 'bias'], [to])];

const pixelShape = [
  node('Shape', ['t'], ['shape']),
  node('Slice', ['shape', 'zeroAxis', 'oneAxis', 'zeroAxis'], ['batch']),
  node('Concat', ['batch', 'free', 'channels'], ['rows'], { attributes: { axis: 0 } }),
];
Object.assign(lists, { four: [2, 1, 1, 1, 1], zeroAxis: [0], oneAxis: [1], free: [-1], channels: [3] });

const spellings: Readonly<Record<string, readonly NodeProto[]>> = {
  'along axis 1': [...written('x'), ...affine],
  'with a mean each, squared by Pow, and the root taken by it': [
    mean('x', 'm'),
    mean('x', 'm2'),
    node('Sub', ['x', 'm'], ['d']),
    node('Sub', ['x', 'm2'], ['d2']),
    node('Pow', ['d2', 'two'], ['square']),
    mean('square', 'variance'),
    node('Add', ['epsilon', 'variance'], ['raised']),
    node('Pow', ['raised', 'half'], ['deviation']),
    node('Div', ['d', 'deviation'], ['n']),
    ...affine,
  ],
  'times a factor that has taken up the scale': [
    mean('x', 'm'),
    node('Neg', ['m'], ['minus']),
    node('Add', ['minus', 'x'], ['d']),
    node('Mul', ['d', 'd'], ['square']),
    mean('square', 'variance'),
    node('Add', ['variance', 'epsilon'], ['raised']),
    node('Pow', ['raised', 'minusHalf'], ['factor']),
    node('Mul', ['factor', 'scale3'], ['scaled']),
    node('Mul', ['scaled', 'd'], ['s']),
    node('Add', ['s', 'bias4'], ['y']),
  ],
  'of sums, and of the mean of squares less the square of the mean': [
    node('ReduceSum', ['x', 'axis1'], ['sum']),
    node('Div', ['sum', 'three'], ['m']),
    node('Mul', ['x', 'x'], ['squares']),
    node('ReduceSum', ['squares', 'axis1'], ['sum2']),
    node('Mul', ['sum2', 'third'], ['m2']),
    node('Mul', ['m', 'm'], ['mm']),
    node('Sub', ['m2', 'mm'], ['difference']),
    node('Max', ['difference', 'zero'], ['variance']),
    node('Add', ['variance', 'epsilon'], ['raised']),
    node('Sqrt', ['raised'], ['deviation']),
    node('Reciprocal', ['deviation'], ['factor']),
    node('Sub', ['x', 'm'], ['d']),
    node('Mul', ['d', 'factor'], ['n']),
    ...affine,
  ],
  'of the variance of a sample': [
    mean('x', 'm'),
    node('Sub', ['x', 'm'], ['d']),
    node('Mul', ['d', 'd'], ['square']),
    mean('square', 'biased'),
    node('Mul', ['biased', 'unbiased'], ['variance']),
    node('Add', ['variance', 'epsilon'], ['raised']),
    node('Sqrt', ['raised'], ['deviation']),
    node('Div', ['d', 'deviation'], ['n']),
    ...affine,
  ],
  'scaled by parameters that are reshaped at run time': [
    ...written('x'),
    node('Reshape', ['scale', 'vector'], ['scaleThere']),
    node('Mul', ['scaleThere', 'n'], ['s']),
    node('Reshape', ['bias', 'vector'], ['biasThere']),
    node('Add', ['s', 'biasThere'], ['y']),
  ],
  'without scale and bias': [...written('x').slice(0, -1), node('Div', ['d', 'deviation'], ['y'])],
  'with the channels last, by the operator': [
    turn('x', 't', last),
    node('LayerNormalization', ['t', 'scale', 'bias'], ['n'], {
      attributes: { axis: -1, epsilon: { float: 0.01 } },
    }),
    turn('n', 'y', firstAgain),
  ],
  'by the operator without bias': [
    turn('x', 't', last),
    node('LayerNormalization', ['t', 'scale'], ['n'], { attributes: { axis: 3 } }),
    turn('n', 'y', firstAgain),
  ],
  'with the channels last, written out': [
    turn('x', 't', last),
    ...written('t', -1),
    ...affineLast('z'),
    turn('z', 'y', firstAgain),
  ],
  'of pixels in rows, whose shapes are worked out at run time': [
    turn('x', 't', last),
    ...pixelShape,
    node('Reshape', ['t', 'rows'], ['r']),
    ...written('r', 2),
    ...affineLast('z'),
    node('Reshape', ['z', 'shape'], ['back']),
    turn('back', 'y', firstAgain),
  ],
  'with means that lose the axis and get it back': [
    mean('x', 'flat', 1, 0),
    node('Unsqueeze', ['flat', 'axis1'], ['m']),
    node('Sub', ['x', 'm'], ['d']),
    node('Mul', ['d', 'd'], ['square']),
    mean('square', 'flat2', -3, 0),
    node('Unsqueeze', ['flat2', 'axis1'], ['variance']),
    node('Add', ['variance', 'epsilon'], ['raised']),
    node('Sqrt', ['raised'], ['deviation']),
    node('Shape', ['x'], ['all']),
    node('Expand', ['deviation', 'all'], ['wide']),
    node('Div', ['d', 'wide'], ['n']),
    ...affine,
  ],
};

function build(nodes: readonly NodeProto[]): Uint8Array {
  const read = new Set(nodes.flatMap(({ input }) => input));
  const constants = [
    ...Object.entries(values).map(([name, [dims, list]]) => floats(name, dims, list)),
    ...Object.entries(lists).map(([name, list]) => integers(name, list)),
  ];
  return buildBytes({ node: nodes, initializer: constants.filter(({ name }) => read.has(name)) });
}

describe('channel normalization', () => {
  it('leaves parameters that may be fed where they are', async () => {
    const model = decodeModel(build([...written('x'), ...affine]), 'model');
    model.graph.input.push(valueInfo('scale3', [3, 1, 1]));
    const source = encodeModel(model);
    expect(await optimize(source)).toEqual(['ChannelLayerNormalization']);
    const optimized = decodeModel((await optimizeModel(source, { size: 16 })).model, 'model');
    expect(optimized.graph.node.some(({ input }) => input.includes('scale3'))).toBe(true);
  });

  it('is fused before it is repeated for more images', async () => {
    const nodes = [
      ...written('x'),
      node('Expand', ['n', 'four'], ['wide']),
      node('ReduceMean', ['wide'], ['y'], { attributes: { axes: [0], keepdims: 0 } }),
    ];
    expect(await optimize(build(nodes))).toEqual(['ChannelLayerNormalization']);
  });

  it('is looked for in reasonable time where an image is read very often', async () => {
    const means = Array.from({ length: 1000 }, (_, i) => mean('x', `m${i}`));
    const sums = means.map((_, i) =>
      node('Add', [i === 0 ? 'x' : `s${i - 1}`, `m${i}`], [i === 999 ? 'y' : `s${i}`]),
    );
    expect(await optimize(build([...means, ...sums]))).toEqual([]);
  });

  it.each(Object.keys(spellings))('is fused: %s', async (spelling) => {
    const operators = await optimize(build(spellings[spelling] ?? []));
    expect(operators).toEqual(['ChannelLayerNormalization']);
  });

  it('is fused without the mean taken off', async () => {
    const nodes = [
      ...written('x').slice(0, -1),
      node('Div', ['x', 'deviation'], ['n']),
      node('Mul', ['n', 'scale3'], ['y']),
    ];
    expect(await optimize(build(nodes))).toEqual(['ChannelVarianceNormalization']);
  });

  it('is fused as far as it goes for one result', async () => {
    // What is read before the bias is added is the result, and the bias stays.
    const nodes = [
      ...written('x'),
      node('Mul', ['n', 'scale3'], ['s']),
      node('Sigmoid', ['s'], ['gate']),
      node('Add', ['s', 'bias4'], ['shifted']),
      node('Mul', ['gate', 'shifted'], ['y']),
    ];
    expect(await optimize(build(nodes))).toEqual(['ChannelLayerNormalization']);
  });

  const others: Readonly<Record<string, readonly NodeProto[]>> = {
    'whose deviation is read elsewhere': [...written('x'), node('Mul', ['n', 'deviation'], ['y'])],
    'that divides by another deviation': [
      ...written('x').slice(0, -1),
      node('Add', ['deviation', 'epsilon'], ['more']),
      node('Div', ['d', 'more'], ['y']),
    ],
    'over rows': [
      mean('x', 'm', 3),
      node('Sub', ['x', 'm'], ['d']),
      node('Mul', ['d', 'd'], ['square']),
      mean('square', 'variance', 3),
      node('Add', ['variance', 'epsilon'], ['raised']),
      node('Sqrt', ['raised'], ['deviation']),
      node('Div', ['d', 'deviation'], ['y']),
    ],
    'that leaves the channels last': [
      turn('x', 't', last),
      node('LayerNormalization', ['t', 'scale', 'bias'], ['y'], { attributes: { axis: -1 } }),
    ],
    'that turns the image': [
      turn('x', 't', last),
      node('LayerNormalization', ['t', 'scale', 'bias'], ['n'], { attributes: { axis: -1 } }),
      turn('n', 'y', [0, 3, 2, 1]),
    ],
    'that takes off the mean twice over': [
      ...written('x').slice(0, -1),
      node('Sub', ['d', 'm'], ['dd']),
      node('Div', ['dd', 'deviation'], ['y']),
    ],
  };
  it.each(Object.keys(others))('is left alone: %s', async (which) => {
    expect(await optimize(build(others[which] ?? []))).toEqual([]);
  });
});
