import { Tensor } from 'onnxruntime-common';
import { describe, expect, it } from 'vitest';
import { buildBytes, floats, integers, valueInfo } from '../../test/build-model.js';
import { convert } from '../../test/convert.js';
import { largestDifference, localChannelAttention, noise } from '../../test/reference.js';
import { runModel } from '../../test/run-model.js';
import { makeNode, type NodeProto, type TensorProto } from '../graph/proto.js';
import { optimize } from '../optimize.js';

const node = makeNode;
const factors = [1, -0.5, 0.75, 1.25, 0.5, 1, -1.5, 1, 1, 2, -1, 0.5];
/** Queries, keys and values of the one image, each channel scaled by another factor. */
const qkv = [
  node('Concat', ['x', 'x', 'x'], ['thrice'], { attributes: { axis: 1 } }),
  node('Mul', ['thrice', 'factors'], ['qkv']),
];
const split = [node('Split', ['qkv'], ['q', 'k', 'v'], { attributes: { axis: 1 } })];
const slices = [
  node('Slice', ['qkv', 'i8', 'i12', 'i1'], ['v']),
  node('Slice', ['qkv', 'i0', 'i4', 'i1'], ['q']),
  node('Slice', ['qkv', 'i4', 'i8', 'i1'], ['k']),
];
const lay = (from: string, to: string) => [node('Reshape', [from, 'to_rows'], [to])];
const byFiveAxes = (from: string, to: string) => [
  node('Shape', [from], [`${from}_shape`]),
  node('Slice', [`${from}_shape`, 'i2', 'i4'], [`${from}_plane`]),
  node('Concat', ['heads', `${from}_plane`], [`${from}_by_head`], { attributes: { axis: 0 } }),
  node('Reshape', [from, `${from}_by_head`], [`${from}_5`]),
  ...lay(`${from}_5`, to),
];
const fromFiveAxes = [
  node('Reshape', ['rows', 'v_by_head'], ['raised']),
  node('Concat', ['nc', 'v_plane'], ['like'], { attributes: { axis: 0 } }),
  node('Reshape', ['raised', 'like'], ['attended']),
];
const clipped = (from: string, to: string) => [
  node('ReduceL2', [from], [`${to}_length`], { attributes: { axes: [-1], keepdims: 1 } }),
  node('Clip', [`${to}_length`, 'tiny'], [`${to}_clipped`]),
  node('Div', [from, `${to}_clipped`], [to]),
];
const expanded = (from: string, to: string) => [
  node('ReduceL2', [from], [`${to}_length`], { attributes: { axes: [3], keepdims: 1 } }),
  node('Max', [`${to}_length`, 'tiny'], [`${to}_clipped`]),
  node('Shape', [from], [`${to}_shape`]),
  node('Expand', [`${to}_clipped`, `${to}_shape`], [`${to}_expanded`]),
  node('Div', [from, `${to}_expanded`], [to]),
];
const transpose = node('Transpose', ['kn'], ['kt'], { attributes: { perm: [0, 1, 3, 2] } });
const products = [
  node('MatMul', ['qn', 'kt'], ['product']),
  node('Mul', ['product', 'temperature'], ['scores']),
  node('Softmax', ['scores'], ['attention'], { attributes: { axis: -1 } }),
  node('MatMul', ['attention', 'vr'], ['rows']),
];
const like = [node('Shape', ['v'], ['like']), node('Reshape', ['rows', 'like'], ['attended'])];
const out = [node('Tanh', ['attended'], ['y'])];

interface Spelling {
  readonly parts?: readonly NodeProto[];
  readonly lay?: typeof lay;
  readonly norm?: typeof clipped;
  readonly products?: readonly NodeProto[];
  readonly behind?: readonly NodeProto[];
  readonly temperature?: readonly [dims: number[], values: number[]];
  readonly raise?: readonly NodeProto[];
  readonly constants?: readonly TensorProto[];
}

function build(spelling: Spelling): Uint8Array {
  const { parts = split, lay: toRows = lay, norm = clipped, behind = out } = spelling;
  const [dims, values] = spelling.temperature ?? [
    [2, 1, 1],
    [1.5, 3],
  ];
  const nodes = [
    ...qkv,
    ...parts,
    ...[...toRows('q', 'qr'), ...toRows('k', 'kr'), ...toRows('v', 'vr')],
    ...[...norm('qr', 'qn'), ...norm('kr', 'kn'), transpose],
    ...(spelling.products ?? products),
    ...(spelling.raise ?? like),
    ...behind,
  ];
  const constants = [
    ...(spelling.constants ?? []),
    floats('factors', [1, 12, 1, 1], factors),
    floats('temperature', dims, values),
    floats('tiny', [], [1e-12]),
    floats('weights', [4, 4, 1, 1]),
    integers('to_rows', [0, 2, 2, -1]),
    integers('heads', [0, 2, 2]),
    integers('nc', [0, 4]),
    ...[0, 1, 2, 4, 8, 12].map((value) => integers(`i${value}`, [value])),
  ];
  const read = new Set(nodes.flatMap(({ input }) => input));
  return buildBytes({
    node: nodes,
    initializer: constants.filter(({ name }) => read.has(name)),
    input: [valueInfo('x', ['n', 4, 'h', 'w'])],
  });
}

const window = [12, 16] as const;

const toWindows = (model: Uint8Array) => convert(model, { trainSize: [16, 20], baseSize: window });
const toPlane = (model: Uint8Array) => optimize(model, { size: [16, 20] });

/**
 * The operators that were put in place, once the model is as far from the definition as roundings are, run either way, at a size with
 * windows that overlap.
 */
async function fused(
  spelling: Spelling,
  heads = [1.5, 3],
  edit: typeof toWindows | typeof toPlane = toWindows,
) {
  const { model, report } = await edit(build(spelling));
  const x = noise([2, 4, 19, 23]);
  const sides = edit === toWindows ? window : ([19, 23] as const);
  const [plane, data] = [19 * 23, x.data as Float32Array];
  const images = Float32Array.from({ length: 2 * 12 * plane }, (_, i) => {
    const [n, c] = [Math.floor(i / plane / 12), Math.floor(i / plane) % 12];
    return (data[(n * 4 + (c % 4)) * plane + (i % plane)] as number) * (factors[c] as number);
  });
  const expected = localChannelAttention(new Tensor('float32', images, [2, 12, 19, 23]), heads, sides);
  const differences = await Promise.all(
    (['native', 'portable'] as const).map(async (operators) =>
      largestDifference(await runModel(model, x, operators), expected.map(Math.tanh)),
    ),
  );
  expect(Math.max(...differences)).toBeLessThan(2e-5);
  return report.fused.map(({ operator }) => operator);
}

describe('attention between channels', () => {
  const spellings = [
    ['of a Split', {}],
    ['of Slices', { parts: slices }],
    ['of lengths that are expanded', { norm: expanded }],
    [
      'of a temperature in front',
      {
        products: products.map((one) =>
          one.opType === 'Mul' ? node('Mul', ['temperature', 'product'], ['scores']) : one,
        ),
      },
    ],
    // As einops writes it, by way of an axis for the one and the other.
    ['of rows by way of more axes', { lay: byFiveAxes, raise: fromFiveAxes }],
  ] as const;

  it.each(spellings)('%s is one operator', async (_, spelling) => {
    expect(await fused(spelling)).toEqual(['LocalTransposedAttention']);
  });

  it.each(spellings)('%s, of whole planes, is one operator', async (_, spelling) => {
    expect(await fused(spelling, [1.5, 3], toPlane)).toEqual(['TransposedAttention']);
  });

  it('of whole planes stays where it does not come back to the shape that it had', async () => {
    const behind = [
      node('Reshape', ['rows', 'flat'], ['attended']),
      node('ReduceMean', ['attended'], ['means'], { attributes: { axes: [2] } }),
      node('Add', ['x', 'means'], ['y']),
    ];
    const constants = [integers('flat', [0, 4, -1, 1])];
    const { report } = await toPlane(build({ behind, raise: [], constants }));
    expect(report.fused).toEqual([]);
  });

  it('of planes of fewer pixels than a head has channels stays', async () => {
    const { report } = await optimize(build({}), { size: [7, 9] });
    expect(report.fused).toEqual([]);
  });

  it('may have one temperature for all heads', async () => {
    expect(await fused({ temperature: [[], [2]] }, [2, 2])).toEqual(['LocalTransposedAttention']);
  });

  it('takes the convolution and the sum behind it along', async () => {
    const behind = [
      node('Conv', ['attended', 'weights'], ['c']),
      node('Add', ['x', 'c'], ['sum']),
      node('Tanh', ['sum'], ['y']),
    ];
    for (const [edit, operator] of [
      [toWindows, 'LocalTransposedAttentionPointwiseConvAdd'],
      [toPlane, 'TransposedAttentionPointwiseConvAdd'],
    ] as const) {
      const original = build({ behind });
      const { model, report } = await edit(original);
      expect(report.fused.map((one) => one.operator)).toEqual([operator]);
      // Of one window they are the same.
      const x = noise([1, 4, 12, 16]);
      const difference = largestDifference(
        await runModel(model, x, 'native'),
        await runModel(original, x, 'portable'),
      );
      expect(difference).toBeLessThan(2e-5);
    }
  });

  it('whose attention serves other values, too, stays', async () => {
    const behind = [
      node('MatMul', ['attention', 'kr'], ['more_rows']),
      node('Reshape', ['more_rows', 'like'], ['more']),
      node('Add', ['attended', 'more'], ['sum']),
      node('Tanh', ['sum'], ['y']),
    ];
    const { report } = await convert(build({ behind }), { trainSize: [16, 20], baseSize: window });
    expect(report.fused).toEqual([]);
  });

  it('without queries and keys of one length stays', async () => {
    const norm = (from: string, to: string) => [node('Identity', [from], [to])];
    const { report } = await convert(build({ norm }), { trainSize: [16, 20], baseSize: window });
    expect(report.fused).toEqual([]);
  });

  it('whose parts are in another order stays', async () => {
    const parts = [node('Split', ['qkv'], ['v', 'k', 'q'], { attributes: { axis: 1 } })];
    const { report } = await convert(build({ parts }), { trainSize: [16, 20], baseSize: window });
    expect(report.fused).toEqual([]);
  });

  it('stays in windows of fewer pixels than a head has channels', async () => {
    const { report } = await convert(build({}), { trainSize: [16, 20], baseSize: [1, 1] });
    expect(report.fused).toEqual([]);
  });

  it('stays as it is without fusing', async () => {
    const { report } = await convert(build({}), { trainSize: [16, 20], baseSize: window, fuse: false });
    expect(report.fused).toEqual([]);
  });
});
