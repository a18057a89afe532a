import { describe, expect, it } from 'vitest';
import { buildBytes, choose, floats, integers } from '../../test/build-model.js';
import { optimize } from '../../test/optimize.js';
import { type AttributeValue, makeNode, type NodeProto } from '../graph/proto.js';

const node = makeNode;
const channels = 6;
const plain = { group: channels, kernel_shape: [3, 3], pads: [1, 1, 1, 1] };

const spread = node('Concat', ['x', 'x'], ['z'], { attributes: { axis: 1 } });

/** The image twice over, and each of its channels convolved on its own. */
function convolved(
  attributes: Readonly<Record<string, AttributeValue>> = plain,
  bias = ['bias'],
): NodeProto[] {
  return [spread, node('Conv', ['z', 'weights', ...bias], ['c'], { attributes })];
}

const split = node('Split', ['c'], ['u', 'v'], { attributes: { axis: 1 } });
const slices = [
  node('Slice', ['c', 'three', 'six', 'axis'], ['v']),
  node('Slice', ['c', 'zero', 'three', 'axis'], ['u']),
];
/** The same with bounds that are worked out at run time. */
const computed = [
  node('Shape', ['c'], ['shape']),
  node('Gather', ['shape', 'axis'], ['all'], { attributes: { axis: 0 } }),
  node('Div', ['all', 'two'], ['middle']),
  node('Slice', ['c', 'zero', 'middle', 'axis'], ['u']),
  node('Slice', ['c', 'middle', 'all', 'axis'], ['v']),
];
const product = node('Mul', ['u', 'v'], ['y']);
const erf = [
  node('Div', ['u', 'root'], ['scaled']),
  node('Erf', ['scaled'], ['error']),
  node('Add', ['error', 'one'], ['part']),
];
const gates: Readonly<Record<string, readonly NodeProto[]>> = {
  'x · (1 + erf) · 0.5': [
    ...erf,
    node('Mul', ['u', 'part'], ['twice']),
    node('Mul', ['twice', 'half'], ['g']),
    node('Mul', ['g', 'v'], ['y']),
  ],
  'x · (0.5 · (1 + erf))': [
    ...erf,
    node('Mul', ['half', 'part'], ['phi']),
    node('Mul', ['u', 'phi'], ['g']),
    node('Mul', ['v', 'g'], ['y']),
  ],
  '(0.5 · x) · (1 + erf)': [
    node('Mul', ['u', 'rootOfHalf'], ['scaled']),
    node('Erf', ['scaled'], ['error']),
    node('Add', ['one', 'error'], ['part']),
    node('Mul', ['half', 'u'], ['halved']),
    node('Mul', ['halved', 'part'], ['g']),
    node('Mul', ['g', 'v'], ['y']),
  ],
};

function build(nodes: readonly NodeProto[], opset = 17): Uint8Array {
  const read = new Set(nodes.flatMap(({ input }) => input));
  const constants = [
    floats('weights', [channels, 1, 3, 3]),
    floats('wide', [channels, 1, 5, 5]),
    floats('bias', [channels]),
    floats('root', [], [Math.SQRT2]),
    floats('rootOfHalf', [], [Math.SQRT1_2]),
    floats('one', [], [1]),
    floats('half', [1], [0.5]),
    floats('isHalf', [], [0.3]),
    ...Object.entries({ zero: 0, two: 2, three: 3, six: 6, axis: 1 }).map(([name, value]) =>
      integers(name, [value]),
    ),
  ];
  return buildBytes({ node: nodes, initializer: constants.filter(({ name }) => read.has(name)) }, { opset });
}

/** The last of some nodes computes `y`. */
function ending(nodes: readonly NodeProto[]): NodeProto[] {
  const [last] = nodes.slice(-1);
  return last ? [...nodes.slice(0, -1), { ...last, output: ['y'] }] : [];
}

describe('depthwise convolution', () => {
  it('is fused with a product of halves, however they are taken apart', async () => {
    for (const halves of [[split], slices, computed])
      expect(await optimize(build([...convolved(), ...halves, product]))).toEqual(['DepthwiseConvGate']);
  });

  it.each(Object.keys(gates))('is fused with a GELU: %s', async (gate) => {
    const nodes = [...convolved(), split, ...(gates[gate] ?? [])];
    expect(await optimize(build(nodes))).toEqual(['DepthwiseConvGeluGate']);
  });

  it('is fused with a GELU that is one node', async () => {
    const halves = node('Split', ['c'], ['u', 'v'], { attributes: { axis: 1, num_outputs: 2 } });
    const gelu = [node('Gelu', ['u'], ['g']), node('Mul', ['g', 'v'], ['y'])];
    expect(await optimize(build([...convolved(), halves, ...gelu], 20))).toEqual(['DepthwiseConvGeluGate']);
  });

  it('is taken on its own where there is no gate', async () => {
    expect(await optimize(build(ending(convolved())))).toEqual(['DepthwiseConv']);
    expect(await optimize(build(ending(convolved(plain, []))))).toEqual(['DepthwiseConv']);
    const same = { group: channels, auto_pad: { text: 'SAME_UPPER' } };
    expect(await optimize(build(ending(convolved(same))))).toEqual(['DepthwiseConv']);
  });

  it('is taken without what is no gate of its halves', async () => {
    const others: readonly (readonly NodeProto[])[] = [
      [split, node('Add', ['u', 'v'], ['y'])],
      // The second half is read twice.
      [split, node('Mul', ['u', 'v'], ['p']), node('Add', ['p', 'v'], ['y'])],
      [split, node('Sigmoid', ['u'], ['g']), node('Mul', ['g', 'v'], ['y'])],
      // Of the second half.
      [split, node('Mul', ['u', 'u'], ['p']), node('Mul', ['p', 'v'], ['y'])],
    ];
    for (const nodes of others)
      expect(await optimize(build([...convolved(), ...nodes]))).toEqual(['DepthwiseConv']);
  });

  it('is taken without what is no GELU', async () => {
    const others: readonly (readonly NodeProto[])[] = [
      // A quarter of 1 + erf.
      [
        ...erf,
        node('Mul', ['part', 'half'], ['a']),
        node('Mul', ['a', 'half'], ['g']),
        node('Mul', ['g', 'v'], ['y']),
      ],
      // Times a third, which goes by the name of a half.
      [
        ...erf,
        node('Mul', ['u', 'part'], ['a']),
        node('Mul', ['a', 'isHalf'], ['g']),
        node('Mul', ['g', 'v'], ['y']),
      ],
    ];
    for (const nodes of others)
      expect(await optimize(build([...convolved(), split, ...nodes]))).toEqual(['DepthwiseConv']);
  });

  it('is taken without a gate whose parts are asked for their shape elsewhere', async () => {
    const nodes = [
      node('Shape', ['c'], ['size']),
      node('Cast', ['size'], ['number'], { attributes: { to: 1 } }),
      node('ReduceMin', ['number'], ['least'], { attributes: { keepdims: 0 } }),
      node('Mul', ['u', 'v'], ['p']),
      node('Mul', ['p', 'least'], ['y']),
    ];
    expect(await optimize(build([...convolved(), split, ...nodes]))).toEqual(['DepthwiseConv']);
  });

  it('is taken without a gate whose parts a branch reads', async () => {
    const isAny = [
      node('ReduceMax', ['x'], ['most'], { attributes: { keepdims: 0 } }),
      node('Greater', ['most', 'half'], ['isAny']),
      node('Squeeze', ['isAny'], ['condition']),
    ];
    const branches = {
      whenTrue: [node('Mul', ['p', 'u'], ['whole'])],
      whenFalse: [node('Mul', ['p', 'p'], ['squared'])],
    };
    const read = [node('Mul', ['u', 'v'], ['p']), ...isAny, choose('condition', 'y', branches)];
    expect(await optimize(build([...convolved(), split, ...read]))).toEqual(['DepthwiseConv']);
    // What a branch reads of the gate itself is there.
    const own = choose('condition', 'y', { ...branches, whenTrue: [node('Neg', ['p'], ['less'])] });
    expect(await optimize(build([...convolved(), split, ...read.slice(0, -1), own]))).toEqual([
      'DepthwiseConvGate',
    ]);
  });

  it('is left alone where it is of another kind', async () => {
    const attributes: readonly Readonly<Record<string, AttributeValue>>[] = [
      { ...plain, dilations: [2, 2], pads: [2, 2, 2, 2] },
      { ...plain, strides: [2, 2] },
      { ...plain, pads: [0, 0, 2, 2] },
      { group: channels },
    ];
    for (const one of attributes) expect(await optimize(build(ending(convolved(one))))).toEqual([]);
    const wide = node('Conv', ['z', 'wide'], ['y'], { attributes: { group: channels, pads: [2, 2, 2, 2] } });
    expect(await optimize(build([spread, wide]))).toEqual([]);
  });
});
