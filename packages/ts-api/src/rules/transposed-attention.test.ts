import { Tensor } from 'onnxruntime-common';
import { describe, expect, it } from 'vitest';
import {
  buildBytes,
  floats,
  type GraphParts,
  halves,
  image,
  imagesIn,
  integers,
  valueInfo,
} from '../../test/build-model.js';
import { convert } from '../../test/convert.js';
import {
  channelAttention,
  largestDifference,
  localInstanceNorm,
  noise,
  windowMerge,
  windowPartition,
} from '../../test/reference.js';
import { runModel } from '../../test/run-model.js';
import { decodeModel } from '../graph/model.js';
import { DataType, makeNode, type NodeProto, type TensorProto } from '../graph/proto.js';
import { inspect } from '../inspect.js';
import { toImageTensor } from '../session/image-tensors.js';
import { InferenceSession } from '../session/inference-session.js';
import { verify } from '../verify.js';

const channels = 4;
const temperature = 1.5;
/** Of queries, keys and values, so that each is another image. */
const factors = { q: [1, -0.5, 0.75, 1.25], k: [0.5, 1, -1.5, 1], v: [1, 2, -1, 0.5] };

const factorTensors = Object.entries(factors).map(([name, values]) =>
  floats(`${name}_factor`, [1, channels, 1, 1], values),
);
const images = Object.keys(factors).map((name) =>
  makeNode('Mul', ['x', `${name}_factor`], [`${name}_image`]),
);

/** How a spelling lays an image of x's size in rows, and an image of rows. */
interface Layout {
  readonly heads: number;
  readonly lay: (from: string, to: string) => NodeProto[];
  readonly raise: (from: string, to: string) => NodeProto[];
  readonly constants: readonly TensorProto[];
  /** Axes of the rows. */
  readonly rank: 3 | 4;
}

const reshape = (from: string, shape: string, to: string) => makeNode('Reshape', [from, shape], [to]);

const turned = (from: string, to: string, perm: readonly number[]) =>
  makeNode('Transpose', [from], [to], { attributes: { perm } });

/** The sides of x, as the exporters compute them: `h`, `w` and `hw`, one element each. */
const sides = [
  makeNode('Shape', ['x'], ['x_shape']),
  makeNode('Slice', ['x_shape', 'i2', 'i3'], ['h']),
  makeNode('Slice', ['x_shape', 'i3', 'i4'], ['w']),
  makeNode('Mul', ['h', 'w'], ['hw']),
];
const indices = [2, 3, 4].map((value) => integers(`i${value}`, [value]));
const concat = (inputs: readonly string[], to: string) =>
  makeNode('Concat', inputs, [to], { attributes: { axis: 0 } });

const layouts: Readonly<Record<string, Layout>> = {
  'heads in an axis of their own, -1 for the pixels': {
    heads: 2,
    rank: 4,
    lay: (from, to) => [reshape(from, 'to_rows', to)],
    raise: (from, to) => [makeNode('Shape', ['x'], [`${to}_like`]), reshape(from, `${to}_like`, to)],
    constants: [integers('to_rows', [0, 2, 2, -1])],
  },
  'one head, in two steps, by the sides of the image and a batch of 1': {
    heads: 1,
    rank: 4,
    lay: (from, to) => [
      concat(['split', 'h', 'w'], `${to}_split`),
      reshape(from, `${to}_split`, `${to}_apart`),
      concat(['split', 'hw'], `${to}_joined`),
      reshape(`${to}_apart`, `${to}_joined`, to),
    ],
    raise: (from, to) => [
      concat(['split', 'h', 'w'], `${to}_split`),
      reshape(from, `${to}_split`, `${to}_apart`),
      concat(['joined', 'h', 'w'], `${to}_joined`),
      reshape(`${to}_apart`, `${to}_joined`, to),
    ],
    constants: [integers('split', [1, 1, 4]), integers('joined', [1, 4])],
  },
  'heads folded into the batch': {
    heads: 2,
    rank: 3,
    lay: (from, to) => [reshape(from, 'to_rows', to)],
    raise: (from, to) => [concat(['joined', 'h', 'w'], `${to}_like`), reshape(from, `${to}_like`, to)],
    constants: [integers('to_rows', [2, 2, -1]), integers('joined', [-1, 4])],
  },
  'no axis of heads': {
    heads: 1,
    rank: 3,
    lay: (from, to) => [reshape(from, 'to_rows', to)],
    raise: (from, to) => [makeNode('Shape', [`v_image`], [`${to}_like`]), reshape(from, `${to}_like`, to)],
    constants: [integers('to_rows', [0, 4, -1])],
  },
  'the channels last, heads in an axis of their own': {
    heads: 2,
    rank: 4,
    lay: (from, to) => [
      turned(from, `${to}_last`, [0, 2, 3, 1]),
      reshape(`${to}_last`, 'to_heads', `${to}_heads`),
      turned(`${to}_heads`, to, [0, 2, 3, 1]),
    ],
    raise: (from, to) => [
      turned(from, `${to}_heads`, [0, 3, 1, 2]),
      concat(['any', 'h', 'w', 'four'], `${to}_sides`),
      reshape(`${to}_heads`, `${to}_sides`, `${to}_last`),
      turned(`${to}_last`, to, [0, 3, 1, 2]),
    ],
    constants: [integers('to_heads', [0, -1, 2, 2]), integers('any', [-1]), integers('four', [4])],
  },
  'the channels last, no axis of heads': {
    heads: 1,
    rank: 3,
    lay: (from, to) => [
      turned(from, `${to}_last`, [0, 2, 3, 1]),
      concat(['none', 'hw', 'four'], `${to}_sides`),
      reshape(`${to}_last`, `${to}_sides`, `${to}_tokens`),
      turned(`${to}_tokens`, to, [0, 2, 1]),
    ],
    raise: (from, to) => [
      turned(from, `${to}_tokens`, [0, 2, 1]),
      turned('v_image', `${to}_like_image`, [0, 2, 3, 1]),
      makeNode('Shape', [`${to}_like_image`], [`${to}_like`]),
      reshape(`${to}_tokens`, `${to}_like`, `${to}_last`),
      turned(`${to}_last`, to, [0, 3, 1, 2]),
    ],
    constants: [integers('none', [0]), integers('four', [4])],
  },
};

/** How a spelling normalizes rows. */
const norms: Readonly<Record<string, (from: string, to: string) => NodeProto[]>> = {
  none: (from, to) => [makeNode('Identity', [from], [to])],
  'ReduceL2, Clip, Expand, Div': (from, to) => [
    makeNode('ReduceL2', [from], [`${to}_length`], { attributes: { axes: [-1], keepdims: 1 } }),
    makeNode('Clip', [`${to}_length`, 'tiny'], [`${to}_clipped`]),
    makeNode('Shape', [from], [`${to}_shape`]),
    makeNode('Expand', [`${to}_clipped`, `${to}_shape`], [`${to}_expanded`]),
    makeNode('Div', [from, `${to}_expanded`], [to]),
  ],
  'Mul, ReduceSum, Sqrt, Max, Div': (from, to) => [
    makeNode('Mul', [from, from], [`${to}_square`]),
    makeNode('ReduceSum', [`${to}_square`, 'last'], [`${to}_sum`], { attributes: { keepdims: 1 } }),
    makeNode('Sqrt', [`${to}_sum`], [`${to}_length`]),
    makeNode('Max', [`${to}_length`, 'tiny'], [`${to}_clipped`]),
    makeNode('Div', [from, `${to}_clipped`], [to]),
  ],
  'ReduceL2 without axis, Unsqueeze, Div': (from, to) => [
    makeNode('ReduceL2', [from], [`${to}_length`], { attributes: { axes: [-1], keepdims: 0 } }),
    makeNode('Unsqueeze', [`${to}_length`, 'last'], [`${to}_column`]),
    makeNode('Div', [from, `${to}_column`], [to]),
  ],
  LpNormalization: (from, to) => [
    makeNode('LpNormalization', [from], [to], { attributes: { axis: -1, p: 2 } }),
  ],
};

const common = [
  ...factorTensors,
  ...indices,
  integers('last', [-1]),
  floats('tiny', [], [1e-12]),
  floats('temperature', [1, 1], [temperature]),
];

function attend(
  { lay, raise, rank }: Layout,
  normalize: (from: string, to: string) => NodeProto[],
): NodeProto[] {
  const perm = rank === 4 ? [0, 1, 3, 2] : [0, 2, 1];
  return [
    ...images,
    ...sides,
    ...['q', 'k', 'v'].flatMap((name) => lay(`${name}_image`, `${name}_rows`)),
    ...normalize('q_rows', 'q'),
    ...normalize('k_rows', 'k'),
    makeNode('Transpose', ['k'], ['kt'], { attributes: { perm } }),
    makeNode('MatMul', ['q', 'kt'], ['product'], { name: 'product' }),
    makeNode('Mul', ['product', 'temperature'], ['scores']),
    makeNode('Softmax', ['scores'], ['weights'], { attributes: { axis: -1 } }),
    makeNode('MatMul', ['weights', 'v_rows'], ['attended']),
    ...raise('attended', 'y'),
  ];
}

const input = [valueInfo('x', ['batch', channels, 'height', 'width'])];

/** A model of these nodes, with those of the constants that they read. */
function buildAttention(
  node: readonly NodeProto[],
  constants: readonly TensorProto[] = [],
  parts: Partial<GraphParts> = {},
): Uint8Array {
  const read = new Set(node.flatMap((one) => one.input));
  const initializer = [...common, ...constants].filter(({ name }) => read.has(name));
  return buildBytes({ node, initializer, input, ...parts });
}

/** What plain attention makes of x, in windows. */
function expectedFor(
  x: Tensor,
  window: readonly [number, number],
  options: { heads: number; normalized: boolean },
): Float64Array {
  const [q, k, v] = Object.values(factors).map((values) => {
    const pixels = (x.dims[2] as number) * (x.dims[3] as number);
    const data = (x.data as Float32Array).map(
      (value, i) => value * (values[Math.floor(i / pixels) % channels] as number),
    );
    return windowPartition(new Tensor('float32', data, x.dims), window);
  }) as [Tensor, Tensor, Tensor];
  return windowMerge(channelAttention(q, k, v, { ...options, temperature }), x.dims);
}

const planes = [
  [21, 17],
  [12, 30],
  [7, 5],
] as const;

describe('transposed-attention', () => {
  const spellings = Object.keys(layouts).flatMap((layout) =>
    Object.keys(norms).map((norm) => ({ layout, norm })),
  );

  const layout = layouts['no axis of heads'] as Layout;
  const product = (from: readonly [string, string, string], to: string) => [
    makeNode('Transpose', [from[1]], [`${to}_kt`], { attributes: { perm: [0, 2, 1] } }),
    makeNode('MatMul', [from[0], `${to}_kt`], [`${to}_product`], { name: `${to}_product` }),
    makeNode('Mul', [`${to}_product`, 'temperature'], [`${to}_scores`]),
    makeNode('Softmax', [`${to}_scores`], [`${to}_weights`], { attributes: { axis: -1 } }),
    makeNode('MatMul', [`${to}_weights`, from[2]], [to]),
  ];

  it.each(spellings)('runs attention in windows: $layout; $norm', async ({ layout, norm }) => {
    const spelling = layouts[layout] as Layout;
    const node = attend(spelling, norms[norm] as (from: string, to: string) => NodeProto[]);
    const { model, report } = await convert(buildAttention(node, spelling.constants), {
      trainSize: 8,
      baseSize: [12, 10],
    });
    expect(report.sites).toEqual([
      {
        node: 'product',
        rule: 'transposed-attention',
        operator: 'LocalWindowPartition',
        featureSize: [8, 8],
        window: [12, 10],
        maxStride: undefined,
        validLayers: undefined,
      },
    ]);
    for (const plane of planes) {
      const x = noise([1, channels, ...plane]);
      const expected = expectedFor(x, [12, 10], { heads: spelling.heads, normalized: norm !== 'none' });
      for (const operators of ['native', 'portable'] as const)
        expect(largestDifference(await runModel(model, x, operators), expected)).toBeLessThan(1e-5);
    }
  });

  it('takes a batch of images where the layout does', async () => {
    const [spelling] = Object.values(layouts) as [Layout];
    const { model } = await convert(
      buildAttention(
        attend(spelling, (from, to) => [makeNode('Identity', [from], [to])]),
        spelling.constants,
      ),
      {
        trainSize: 8,
      },
    );
    const x = noise([3, channels, 15, 20]);
    const expected = expectedFor(x, [12, 12], { heads: spelling.heads, normalized: false });
    for (const operators of ['native', 'portable'] as const)
      expect(largestDifference(await runModel(model, x, operators), expected)).toBeLessThan(1e-5);
  });

  it('converts queries, keys and values in one image, and products by Einsum', async () => {
    const node = [
      makeNode('Concat', ['x', 'x', 'x'], ['qkv'], { attributes: { axis: 1 } }),
      makeNode('Mul', ['qkv', 'factors'], ['scaled']),
      reshape('scaled', 'to_rows', 'rows'),
      makeNode('Split', ['rows'], ['q', 'k', 'v'], { attributes: { axis: 1 } }),
      makeNode('Einsum', ['q', 'k'], ['product'], {
        name: 'product',
        attributes: { equation: { text: 'bthcn, bthdn -> bthcd' } },
      }),
      makeNode('Mul', ['product', 'temperature'], ['scores']),
      makeNode('Softmax', ['scores'], ['weights'], { attributes: { axis: -1 } }),
      makeNode('MatMul', ['weights', 'v'], ['attended']),
      makeNode('Shape', ['x'], ['like']),
      reshape('attended', 'like', 'y'),
    ];
    const constants = [
      floats('factors', [1, 12, 1, 1], Object.values(factors).flat()),
      integers('to_rows', [0, 3, 2, 2, -1]),
    ];
    const bytes = buildAttention(node, constants);
    // The image that goes in has three times the channels of the one that comes out.
    const { model } = await convert(bytes, { trainSize: 8, baseSize: [12, 10] });
    for (const plane of planes) {
      const x = noise([1, channels, ...plane]);
      const expected = expectedFor(x, [12, 10], { heads: 2, normalized: false });
      for (const operators of ['native', 'portable'] as const)
        expect(largestDifference(await runModel(model, x, operators), expected)).toBeLessThan(1e-5);
    }
  });

  it('converts rows of images that layers between the axes made', async () => {
    const layer = (name: string) => [
      makeNode('MatMul', ['normal', `${name}_weight`], [`${name}_last`]),
      makeNode('Transpose', [`${name}_last`], [`${name}_image`], { attributes: { perm: [0, 3, 1, 2] } }),
      reshape(`${name}_image`, 'to_rows', `${name}_rows`),
    ];
    const node = [
      makeNode('Transpose', ['x'], ['turned'], { attributes: { perm: [0, 2, 3, 1] } }),
      makeNode('LayerNormalization', ['turned', 'ones'], ['normal'], { attributes: { axis: -1 } }),
      ...['q', 'k', 'v'].flatMap(layer),
      ...product(['q_rows', 'k_rows', 'v_rows'], 'attended'),
      makeNode('Shape', ['x'], ['like']),
      reshape('attended', 'like', 'y'),
    ];
    const weight = (name: string) => floats(`${name}_weight`, [channels, channels]);
    const constants = [
      ...layout.constants,
      floats('ones', [channels], Array(channels).fill(1)),
      ...['q', 'k', 'v'].map(weight),
    ];
    const bytes = buildAttention(node, constants);
    const { model, report } = await convert(bytes, { trainSize: 8 });
    expect(report.sites).toMatchObject([{ node: 'attended_product', window: [12, 12] }]);
    expect(await verify(bytes, model, { fullSize: [20, 28] })).toMatchObject({ passed: true });
    // What is in windows by now is none.
    expect((await inspect(model)).statistics).toEqual([]);
  });

  it('converts the attention of MST++, on images and tokens with the channels last', async () => {
    const heads = (name: string) => [
      makeNode('MatMul', ['tokens', `${name}_weight`], [`${name}_tokens`]),
      reshape(`${name}_tokens`, 'to_heads', `${name}_heads`),
      turned(`${name}_heads`, `${name}_rows`, [0, 2, 3, 1]),
    ];
    const node = [
      ...sides,
      turned('x', 'image', [0, 2, 3, 1]),
      reshape('image', 'to_tokens', 'tokens'),
      ...['q', 'k', 'v'].flatMap(heads),
      ...(norms['ReduceL2, Clip, Expand, Div']?.('q_rows', 'q') ?? []),
      ...(norms['ReduceL2, Clip, Expand, Div']?.('k_rows', 'k') ?? []),
      turned('q', 'qt', [0, 1, 3, 2]),
      makeNode('MatMul', ['k', 'qt'], ['product'], { name: 'product' }),
      makeNode('Mul', ['product', 'per_head'], ['scores']),
      makeNode('Softmax', ['scores'], ['weights'], { attributes: { axis: -1 } }),
      makeNode('MatMul', ['weights', 'v_rows'], ['attended']),
      turned('attended', 'attended_heads', [0, 3, 1, 2]),
      reshape('attended_heads', 'to_tokens', 'attended_tokens'),
      makeNode('MatMul', ['attended_tokens', 'q_weight'], ['projected']),
      makeNode('Add', ['projected', 'bias'], ['shifted']),
      concat(['any', 'h', 'w', 'four'], 'image_shape'),
      reshape('shifted', 'image_shape', 'out'),
      // A convolution of the values tells where they are.
      reshape('v_tokens', 'image_shape', 'v_last'),
      turned('v_last', 'v_first', [0, 3, 1, 2]),
      makeNode('Conv', ['v_first', 'kernel'], ['position'], { attributes: { pads: [1, 1, 1, 1], group: 4 } }),
      turned('position', 'position_last', [0, 2, 3, 1]),
      makeNode('Add', ['out', 'position_last'], ['sum']),
      makeNode('Add', ['sum', 'image'], ['residual']),
      turned('residual', 'y', [0, 3, 1, 2]),
    ];
    const constants = [
      ...['q', 'k', 'v'].map((name) => floats(`${name}_weight`, [channels, channels])),
      floats('per_head', [2, 1, 1], [0.75, 1.5]),
      floats('bias', [channels]),
      floats('kernel', [channels, 1, 3, 3]),
      integers('to_tokens', [0, -1, channels]),
      integers('to_heads', [0, -1, 2, 2]),
      integers('any', [-1]),
      integers('four', [channels]),
    ];
    const bytes = buildAttention(node, constants);
    const { model, report } = await convert(bytes, { trainSize: 8, baseSize: [12, 10] });
    expect(report.sites).toMatchObject([{ node: 'product', featureSize: [8, 8], window: [12, 10] }]);
    expect(await verify(bytes, model, { fullSize: [20, 28] })).toMatchObject({ passed: true });
    // The values, merged at once, are what they were: local attention changes nothing but the attention.
    const names = decodeModel(model, 'it').graph.node.map(({ opType }) => opType);
    expect(names.filter((name) => name.startsWith('LocalWindow'))).toEqual([
      'LocalWindowPartition',
      'LocalWindowMerge',
      'LocalWindowMerge',
    ]);
  });

  it('goes through layer norms of tokens', async () => {
    const node = [
      ...sides,
      ...(layouts['the channels last, no axis of heads']?.lay('x', 'rows') ?? []).map((one) =>
        one.output.includes('rows') ? turned('normal', 'rows', [0, 2, 1]) : one,
      ),
      ...product(['rows', 'rows', 'rows'], 'attended'),
      turned('attended', 'attended_tokens', [0, 2, 1]),
      concat(['none', 'h', 'w', 'four'], 'like'),
      reshape('attended_tokens', 'like', 'image'),
      turned('image', 'y', [0, 3, 1, 2]),
    ];
    const norm = makeNode('LayerNormalization', ['rows_tokens', 'ones'], ['normal'], {
      attributes: { axis: -1 },
    });
    const at = node.findIndex((one) => one.output.includes('rows'));
    const bytes = buildAttention(
      [...node.slice(0, at), norm, ...node.slice(at)],
      [...(layouts['the channels last, no axis of heads']?.constants ?? []), floats('ones', [channels])],
    );
    const { model } = await convert(bytes, { trainSize: 8 });
    expect(await verify(bytes, model, { fullSize: [20, 28] })).toMatchObject({ passed: true });
  });

  it('leaves what reads its rows to other rules where it is excluded', async () => {
    const node = [
      ...layout.lay('x', 'rows'),
      ...product(['rows', 'rows', 'rows'], 'attended'),
      makeNode('ReduceMean', ['rows'], ['mean'], { name: 'mean', attributes: { axes: [-1] } }),
      makeNode('ReduceMax', ['rows'], ['most'], { name: 'most', attributes: { axes: [-1] } }),
      makeNode('Mul', ['attended', 'mean'], ['scaled']),
      makeNode('Add', ['scaled', 'most'], ['sum']),
      makeNode('Shape', ['x'], ['like']),
      reshape('sum', 'like', 'y'),
    ];
    const bytes = buildAttention(node, layout.constants);
    const all = await convert(bytes, { trainSize: 8 });
    expect(all.report).toMatchObject({ sites: [{ node: 'attended_product' }], kept: [] });
    const rest = await convert(bytes, { trainSize: 8, exclude: ['attended_product'] });
    expect(rest.report).toMatchObject({
      sites: [{ node: 'mean' }],
      kept: [
        { node: 'attended_product', reason: 'left global: it is excluded by attended_product' },
        { node: 'most', reason: 'a maximum or minimum is no average, it stays global' },
      ],
    });
  });

  it('lets a mean of its rows be converted by itself where it cannot be, or is excluded', async () => {
    const node = [
      makeNode('Relu', ['x'], ['image']),
      ...layout.lay('image', 'rows'),
      ...product(['rows', 'rows', 'rows'], 'attended'),
      makeNode('ReduceMean', ['rows'], ['mean'], { name: 'mean', attributes: { axes: [-1], keepdims: 0 } }),
      makeNode('Gemm', ['mean', 'linear'], ['gate'], { name: 'linear' }),
      makeNode('Unsqueeze', ['gate', 'height_width'], ['gates']),
      makeNode('Shape', ['image'], ['like']),
      reshape('attended', 'like', 'attended_image'),
      makeNode('Mul', ['attended_image', 'gates'], ['y']),
    ];
    const constants = [
      ...layout.constants,
      integers('height_width', [2, 3]),
      floats('linear', [channels, channels]),
    ];
    const bytes = buildAttention(node, constants);
    const reason = expect.stringContaining(
      'its rows go through linear (Gemm), which is no step of attention',
    );
    expect((await inspect(bytes, { trainSize: 8 })).statistics).toMatchObject([
      { node: 'attended_product', reason },
      { node: 'mean', operator: 'LocalAveragePool' },
    ]);
    await expect(convert(bytes, { trainSize: 8 })).rejects.toMatchObject({ message: reason });
    const { model, report } = await convert(bytes, { trainSize: 8, exclude: ['attended_product'] });
    expect(report.sites).toMatchObject([{ node: 'mean', rule: 'local-average-pool' }]);
    expect(await verify(bytes, model, { fullSize: [20, 28] })).toMatchObject({ passed: true });
  });

  it('converts float16', async () => {
    const [spelling] = Object.values(layouts) as [Layout];
    const half = (tensor: TensorProto) =>
      tensor.dataType === DataType.FLOAT
        ? halves(tensor.name, tensor.dims.map(Number), tensor.floatData)
        : tensor;
    const node = attend(spelling, (from, to) => [makeNode('Identity', [from], [to])]);
    const bytes = buildBytes({
      node,
      initializer: [...common, ...spelling.constants]
        .filter(({ name }) => node.some(({ input: read }) => read.includes(name)))
        .map(half),
      ...imagesIn(DataType.FLOAT16),
      input: [valueInfo('x', ['batch', channels, 'height', 'width'], DataType.FLOAT16)],
    });
    const { model } = await convert(bytes, { trainSize: 8 });
    const x = noise([1, channels, 15, 20]);
    const expected = expectedFor(x, [12, 12], { heads: spelling.heads, normalized: false });
    const feed = await toImageTensor('float16', x.data as Float32Array, x.dims);
    // Sums of 144 products, rounded to eleven bits several times.
    for (const operators of ['native', 'portable'] as const)
      expect(largestDifference(await runModel(model, feed, operators), expected)).toBeLessThan(0.05);
  });

  it('leaves attention between pixels alone', async () => {
    const node = [
      makeNode('Reshape', ['x', 'layout'], ['rows']),
      makeNode('Transpose', ['rows'], ['q'], { attributes: { perm: [0, 2, 1] } }),
      makeNode('MatMul', ['q', 'rows'], ['product']),
      makeNode('Softmax', ['product'], ['weights'], { attributes: { axis: -1 } }),
      makeNode('MatMul', ['weights', 'q'], ['y']),
    ];
    const { report } = await convert(buildBytes({ node, initializer: [integers('layout', [0, 3, -1])] }), {
      trainSize: 8,
    });
    expect(report.sites).toEqual([]);
  });

  it.each(Object.keys(layouts))('tells pixels from as many channels: %s', async (layout) => {
    const spelling = layouts[layout] as Layout;
    const { heads } = spelling;
    const normalize = norms['ReduceL2, Clip, Expand, Div'] as (from: string, to: string) => NodeProto[];
    // Two by two pixels, and four channels.
    const { model } = await convert(buildAttention(attend(spelling, normalize), spelling.constants), {
      trainSize: 2,
      baseSize: [3, 5],
    });
    for (const plane of planes) {
      const x = noise([1, channels, ...plane]);
      const expected = expectedFor(x, [3, 5], { heads, normalized: true });
      for (const operators of ['native', 'portable'] as const)
        expect(largestDifference(await runModel(model, x, operators), expected)).toBeLessThan(1e-5);
    }
  });

  it.each([2, 3])('takes a batch that is fixed: %i', async (batch) => {
    const spelling = layouts['heads folded into the batch'] as Layout;
    const node = attend(spelling, (from, to) => [makeNode('Identity', [from], [to])]);
    const constants = [integers('to_rows', [2 * batch, 2, -1]), integers('joined', [-1, 4])];
    const bytes = buildAttention(node, constants, {
      input: [valueInfo('x', [batch, channels, 'height', 'width'])],
    });
    const { model } = await convert(bytes, { trainSize: batch, baseSize: 4 });
    const x = noise([batch, channels, 9, 11]);
    const expected = expectedFor(x, [4, 4], { heads: 2, normalized: false });
    for (const operators of ['native', 'portable'] as const)
      expect(largestDifference(await runModel(model, x, operators), expected)).toBeLessThan(1e-5);
  });

  it.each([
    [
      'by MatMul',
      makeNode('Transpose', ['rows'], ['q'], { attributes: { perm: [0, 2, 1] } }),
      makeNode('MatMul', ['q', 'rows'], ['product']),
    ],
    [
      'by Einsum',
      makeNode('Identity', ['rows'], ['q']),
      makeNode('Einsum', ['q', 'rows'], ['product'], { attributes: { equation: { text: 'bcn,bcm->bnm' } } }),
    ],
  ])(
    'leaves attention between pixels alone where there are as many channels: %s',
    async (_, queries, product) => {
      const node = [
        reshape('x', 'layout', 'rows'),
        queries,
        product,
        makeNode('Softmax', ['product'], ['weights'], { attributes: { axis: -1 } }),
        makeNode('MatMul', ['rows', 'weights'], ['attended']),
        makeNode('Shape', ['x'], ['like']),
        reshape('attended', 'like', 'y'),
      ];
      const { report } = await convert(buildAttention(node, [integers('layout', [0, 4, -1])]), {
        trainSize: 2,
      });
      expect(report.sites).toEqual([]);
    },
  );

  it('leaves attention between rows of pixels alone where there are as many channels', async () => {
    const node = [
      makeNode('Relu', ['x'], ['image']),
      makeNode('Transpose', ['image'], ['channels_last'], { attributes: { perm: [0, 2, 3, 1] } }),
      reshape('channels_last', 'layout', 'rows'), // height × (width · channels): no planes, although 4 × 4
      makeNode('Transpose', ['rows'], ['columns'], { attributes: { perm: [0, 2, 1] } }),
      makeNode('MatMul', ['rows', 'columns'], ['product']),
      makeNode('MatMul', ['product', 'rows'], ['attended']),
      makeNode('Shape', ['channels_last'], ['like']),
      reshape('attended', 'like', 'y'),
    ];
    const sides = [
      makeNode('Shape', ['channels_last'], ['whole']),
      makeNode('Slice', ['whole', 'i0', 'i2'], ['front']),
      concat(['front', 'rest'], 'layout'),
    ];
    const bytes = buildAttention(
      [...node.slice(0, 2), ...sides, ...node.slice(2)],
      [integers('i0', [0]), integers('rest', [-1])],
    );
    const { report } = await convert(bytes, { trainSize: 4 });
    expect(report.sites).toEqual([]);
  });

  const factor = (x: Tensor, values: readonly number[]) => {
    const pixels = (x.dims[2] as number) * (x.dims[3] as number);
    const scaled = (x.data as Float32Array).map(
      (value, i) => value * (values[Math.floor(i / pixels) % channels] as number),
    );
    return new Tensor('float32', scaled, x.dims);
  };
  const locally = (images: readonly Tensor[], window: readonly [number, number]) => {
    const [q, k, v] = images.map((one) => windowPartition(one, window)) as [Tensor, Tensor, Tensor];
    const merged = windowMerge(
      channelAttention(q, k, v, { heads: 1, normalized: false, temperature }),
      images[2]?.dims ?? [],
    );
    return new Tensor('float32', Float32Array.from(merged), images[2]?.dims ?? []);
  };

  it('converts attention whose queries a later one uses again', async () => {
    const node = [
      ...images,
      ...['q', 'k', 'v'].flatMap((name) => layout.lay(`${name}_image`, `${name}_rows`)),
      ...product(['q_rows', 'k_rows', 'v_rows'], 'first'),
      ...layout.raise('first', 'first_image'),
      makeNode('Mul', ['first_image', 'k_factor'], ['k2_image']),
      ...layout.lay('k2_image', 'k2_rows'),
      ...product(['q_rows', 'k2_rows', 'k2_rows'], 'second'),
      ...layout.raise('second', 'y'),
    ];
    const { model } = await convert(buildAttention(node, layout.constants), {
      trainSize: 8,
      baseSize: [12, 10],
    });
    for (const plane of planes) {
      const x = noise([1, channels, ...plane]);
      const [q, k, v] = Object.values(factors).map((values) => factor(x, values)) as [Tensor, Tensor, Tensor];
      const again = factor(locally([q, k, v], [12, 10]), factors.k);
      const expected = locally([q, again, again], [12, 10]).data as Float32Array;
      for (const operators of ['native', 'portable'] as const)
        expect(largestDifference(await runModel(model, x, operators), expected)).toBeLessThan(1e-5);
    }
  });

  it('converts attention of one image to another', async () => {
    const node = [
      ...layout.lay('x', 'q_rows'),
      ...layout.lay('z', 'k_rows'),
      ...product(['q_rows', 'k_rows', 'k_rows'], 'attended'),
      makeNode('Shape', ['x'], ['like']),
      reshape('attended', 'like', 'y'),
    ];
    const sides = ['batch', channels, 'height', 'width'];
    const bytes = buildAttention(node, layout.constants, {
      input: [valueInfo('x', sides), valueInfo('z', sides)],
    });
    const { model } = await convert(bytes, { trainSize: 8, baseSize: [12, 10] });
    const [x, z] = [noise([1, channels, 21, 17]), noise([1, channels, 21, 17], 50)];
    const session = await InferenceSession.create(model);
    const { y } = await session.run({ x, z });
    await session.release();
    const expected = locally([x, z, z], [12, 10]).data as Float32Array;
    expect(largestDifference(y?.data as Float32Array, expected)).toBeLessThan(1e-5);
  });

  it('converts rows whose heads go into the batch and come out of it', async () => {
    const node = [
      ...images,
      ...['q', 'k', 'v'].flatMap((name) => [
        reshape(`${name}_image`, 'apart', `${name}_apart`),
        reshape(`${name}_apart`, 'folded', `${name}_rows`),
      ]),
      makeNode('Transpose', ['k_rows'], ['kt'], { attributes: { perm: [0, 2, 1] } }),
      makeNode('MatMul', ['q_rows', 'kt'], ['folded_product'], { name: 'product' }),
      makeNode('Unsqueeze', ['folded_product', 'front'], ['product']), // one image is all that this takes
      makeNode('Mul', ['product', 'temperature'], ['scores']),
      makeNode('Softmax', ['scores'], ['weights'], { attributes: { axis: -1 } }),
      makeNode('Unsqueeze', ['v_rows', 'front'], ['v']),
      makeNode('MatMul', ['weights', 'v'], ['attended']),
      makeNode('Shape', ['x'], ['like']),
      reshape('attended', 'like', 'y'),
    ];
    const constants = [
      integers('apart', [0, 2, 2, -1]),
      integers('folded', [2, 2, -1]),
      integers('front', [0]),
    ];
    const { model } = await convert(buildAttention(node, constants), { trainSize: 8, baseSize: [12, 10] });
    for (const plane of planes) {
      const x = noise([1, channels, ...plane]);
      const expected = expectedFor(x, [12, 10], { heads: 2, normalized: false });
      for (const operators of ['native', 'portable'] as const)
        expect(largestDifference(await runModel(model, x, operators), expected)).toBeLessThan(1e-5);
    }
  });

  it('keeps its rows from being taken for the groups of a normalization of what it makes', async () => {
    const [spelling] = Object.values(layouts) as [Layout];
    const node = [
      ...attend(spelling, (from, to) => [makeNode('Identity', [from], [to])]).slice(0, -2),
      ...spelling.raise('attended', 'image'),
      makeNode('InstanceNormalization', ['image', 'scale', 'bias'], ['y'], { name: 'norm' }),
    ];
    const constants = [
      ...spelling.constants,
      floats('scale', [4], [1, 1, 1, 1]),
      floats('bias', [4], [0, 0, 0, 0]),
    ];
    const { model, report } = await convert(buildAttention(node, constants), {
      trainSize: 8,
      baseSize: [12, 10],
    });
    expect(report.sites.map(({ operator }) => operator)).toEqual([
      'LocalWindowPartition',
      'LocalInstanceNormalization',
    ]);
    const x = noise([1, channels, 21, 17]);
    const attended = expectedFor(x, [12, 10], { heads: spelling.heads, normalized: false });
    const image = new Tensor('float32', Float32Array.from(attended), x.dims);
    const expected = localInstanceNorm(image, [1, 1, 1, 1], [0, 0, 0, 0], [12, 10], 1e-5);
    for (const operators of ['native', 'portable'] as const)
      expect(largestDifference(await runModel(model, x, operators), expected)).toBeLessThan(1e-4);
  });

  it('has no fast mode: windows are exact there, too', async () => {
    const [spelling] = Object.values(layouts) as [Layout];
    const bytes = buildAttention(
      attend(spelling, (from, to) => [makeNode('Identity', [from], [to])]),
      spelling.constants,
    );
    const { report } = await convert(bytes, { trainSize: 8, fast: true });
    expect(report.sites).toMatchObject([{ window: [12, 12], maxStride: undefined }]);
  });
});

describe('transposed-attention refuses', () => {
  const [layout] = Object.values(layouts) as [Layout];
  const plain = attend(layout, (from, to) => [makeNode('Identity', [from], [to])]);
  /** The plain attention with another node where `output` is computed. */
  const withInstead = (output: string, ...nodes: readonly NodeProto[]) =>
    plain.flatMap((node) => (node.output.includes(output) ? nodes : [node]));

  const cases: Readonly<
    Record<
      string,
      {
        node: readonly NodeProto[];
        reason: string;
        constants?: readonly TensorProto[];
        parts?: Partial<GraphParts>;
      }
    >
  > = {
    'rows that are an output': {
      node: plain,
      parts: { output: [valueInfo('y', image), valueInfo('attended', ['n', 'h', 'c', 'p'])] },
      reason: 'its rows are an output of the model (attended)',
    },
    'a step that mixes the batch': {
      node: withInstead(
        'weights',
        makeNode('Softmax', ['scores'], ['weights'], { name: 'mixed', attributes: { axis: 0 } }),
      ),
      reason: 'its rows go through mixed (Softmax), which does not treat images one by one',
    },
    'a step that it does not know': {
      node: withInstead('weights', makeNode('CumSum', ['scores', 'last_axis'], ['weights'], { name: 'odd' })),
      constants: [integers('last_axis', [3])],
      reason: 'its rows go through odd (CumSum), which is no step of attention that could run in windows',
    },
    'a constant for each image of a batch': {
      node: withInstead('scores', makeNode('Mul', ['product', 'per_image'], ['scores'], { name: 'biased' })),
      constants: [floats('per_image', [2, 1, 1, 1])],
      parts: { input: [valueInfo('x', [2, channels, 'height', 'width'])] },
      reason: 'its rows go through biased (Mul), which does not treat images one by one',
    },
    'rows that something else reads': {
      node: [
        ...withInstead('y', ...layout.raise('attended', 'image')),
        makeNode('Conv', ['attended', 'kernel'], ['kept'], { name: 'reader' }),
        makeNode('ReduceMax', ['kept'], ['top']),
        makeNode('Add', ['image', 'top'], ['y']),
      ].filter((node) => node.output[0] !== 'y_like'),
      constants: [floats('kernel', [1, 2, 1, 1])],
      reason: 'its rows go through reader (Conv), which is no step',
    },
    'the shape of rows in a result': {
      node: [
        ...withInstead('y', ...layout.raise('attended', 'image')),
        makeNode('Shape', ['attended'], ['sizes'], { name: 'counting' }),
        makeNode('Cast', ['sizes'], ['numbers'], { attributes: { to: DataType.FLOAT } }),
        makeNode('ReduceMax', ['numbers'], ['most']),
        makeNode('Add', ['image', 'most'], ['y']),
      ].filter((node) => node.output[0] !== 'y_like'),
      reason: 'counting takes the shape of its rows for something else',
    },
    'constants beside rows': {
      node: withInstead(
        'q',
        makeNode('Concat', ['q_rows', 'memory'], ['q'], { name: 'first', attributes: { axis: 3 } }),
      ).flatMap((node) =>
        node.output.includes('k')
          ? [makeNode('Concat', ['k_rows', 'memory'], ['k'], { name: 'second', attributes: { axis: -1 } })]
          : [node],
      ),
      constants: [floats('memory', [1, 2, 2, 1])],
      reason: 'its rows go through second (Concat), which does not treat images one by one',
    },
    'rows whose channels and pixels become one axis': {
      node: withInstead(
        'attended',
        makeNode('MatMul', ['weights', 'v_rows'], ['apart']),
        makeNode('Reshape', ['apart', 'flat'], ['one_axis'], { name: 'flattening' }),
        makeNode('Shape', ['apart'], ['apart_shape']),
        makeNode('Reshape', ['one_axis', 'apart_shape'], ['attended']),
      ),
      constants: [integers('flat', [0, 0, -1])],
      reason: 'its rows go through flattening (Reshape), which does not treat images one by one',
    },
    'rows of several images that are parted into heads': {
      node: [
        ...images,
        ...sides,
        ...['q', 'k', 'v'].flatMap((name) => [reshape(`${name}_image`, 'all', `${name}_all`)]),
        makeNode('Concat', ['k_all', 'q_all'], ['both'], { attributes: { axis: 2 } }),
        makeNode('Reshape', ['both', 'to_heads'], ['k_rows'], { name: 'parting' }),
        makeNode('Reshape', ['both', 'to_heads'], ['q_rows']),
        makeNode('Transpose', ['k_rows'], ['kt'], { attributes: { perm: [0, 1, 3, 2] } }),
        makeNode('MatMul', ['q_rows', 'kt'], ['product'], { name: 'product' }),
        makeNode('Reshape', ['v_all', 'to_heads'], ['v_rows']),
        makeNode('MatMul', ['product', 'v_rows'], ['attended']),
        ...layout.raise('attended', 'y'),
      ],
      constants: [integers('all', [0, 4, -1]), integers('to_heads', [0, 2, 2, -1])],
      reason: 'its rows go through parting (Reshape), which does not treat images one by one',
    },
    'values of an image of another size': {
      node: [
        ...withInstead(
          'v_rows',
          makeNode('AveragePool', ['v_image'], ['small'], {
            name: 'halving',
            attributes: { kernel_shape: [2, 2], strides: [2, 2] },
          }),
          reshape('small', 'to_rows', 'v_rows'),
        ).filter((node) => !['y_like', 'y'].includes(node.output[0] ?? '')),
        makeNode('Shape', ['small'], ['like']),
        reshape('attended', 'like', 'y'),
      ],
      reason: 'its rows',
    },
    'queries and keys by Linear layers on rows': {
      node: [
        ...images,
        ...['q', 'k', 'v'].flatMap((name) => [
          reshape(`${name}_image`, 'all', `${name}_planes`),
          makeNode('Transpose', [`${name}_planes`], [`${name}_tokens`], { attributes: { perm: [0, 2, 1] } }),
          makeNode('MatMul', [`${name}_tokens`, 'linear'], [`${name}_linear`], { name: `${name}_layer` }),
          makeNode('Transpose', [`${name}_linear`], [`${name}_rows`], { attributes: { perm: [0, 2, 1] } }),
        ]),
        makeNode('Transpose', ['k_rows'], ['kt'], { attributes: { perm: [0, 2, 1] } }),
        makeNode('MatMul', ['q_rows', 'kt'], ['product'], { name: 'product' }),
        makeNode('MatMul', ['product', 'v_rows'], ['attended']),
        makeNode('Identity', ['attended'], ['y']),
      ],
      constants: [integers('all', [0, 4, -1]), floats('linear', [4, 4])],
      parts: { output: [valueInfo('y', ['n', 'c', 'p'])] },
      reason: 'its rows are an output of the model (y)',
    },
    'a second input that is not laid in rows': {
      node: withInstead('scores', makeNode('Mul', ['product', 'mask'], ['scores'], { name: 'masked' })),
      parts: { input: [...input, valueInfo('mask', [1, 2, 2, 2])] },
      reason: 'masked reads mask, which is not laid in rows',
    },
    'planes in another layout than an image': {
      node: [
        ...withInstead('y', ...layout.raise('attended', 'image')),
        reshape('attended', 'apart', 'planes'),
        makeNode('Relu', ['planes'], ['positive'], { name: 'reader' }),
        makeNode('ReduceMax', ['positive'], ['top'], { attributes: { axes: [0, 1, 2, 3, 4], keepdims: 0 } }),
        makeNode('Add', ['image', 'top'], ['y']),
      ].filter((node) => node.output[0] !== 'y_like'),
      constants: [integers('apart', [1, 2, 2, 8, 8])],
      reason: 'reader reads its rows as 1x2x2x8x8, which is no image',
    },
    'images of more channels than went in': {
      node: [
        ...withInstead(
          'y',
          makeNode('Concat', ['attended', 'v_rows'], ['more'], { attributes: { axis: 1 } }),
        ),
        reshape('more', 'eight', 'image'),
        makeNode('Split', ['image'], ['y', 'rest'], { attributes: { axis: 1 } }),
      ].filter((node) => node.output[0] !== 'y_like'),
      constants: [integers('eight', [1, 8, 8, 8])],
      reason: 'Reshape (computes image) makes images of 1x8x8x8 of its rows, like none that went in',
    },
    'no image made of the rows': {
      node: [
        ...plain.filter((node) => !['attended', 'y_like', 'y'].includes(node.output[0] ?? '')),
        makeNode('Identity', ['x'], ['y']),
      ],
      reason: 'no image is made of its rows',
    },
    'no image at the end': {
      node: withInstead('y', makeNode('Identity', ['attended'], ['y'])),
      reason: 'its rows are an output of the model (y)',
    },
  };

  it.each(Object.keys(cases))('%s', async (name) => {
    const { node, reason, constants = [], parts = {} } = cases[name] as (typeof cases)[string];
    await expect(
      convert(buildAttention(node, [...layout.constants, ...constants], parts), { trainSize: 8 }),
    ).rejects.toMatchObject({
      code: 'ERR_NOT_LOCALIZABLE',
      message: expect.stringContaining(
        `product: it sums over pixels like attention between channels, and ${reason}`,
      ),
    });
  });

  it('queries in another type', async () => {
    const double = (name: string) =>
      makeNode('Cast', [`${name}_rows`], [`${name}_double`], { attributes: { to: DataType.DOUBLE } });
    const node = [
      ...plain.filter(({ output }) => !['q', 'k', 'product'].includes(output[0] ?? '')),
      double('q'),
      double('k'),
      makeNode('Transpose', ['k_double'], ['k_turned'], { attributes: { perm: [0, 1, 3, 2] } }),
      makeNode('MatMul', ['q_double', 'k_turned'], ['in_double'], { name: 'product' }),
      makeNode('Cast', ['in_double'], ['product'], { attributes: { to: DataType.FLOAT } }),
    ].filter(({ output }) => output[0] !== 'kt');
    const rank = (one: NodeProto) =>
      ['scores', 'weights', 'attended', 'y_like', 'y'].indexOf(one.output[0] ?? '');
    const ordered = [...node.filter((one) => rank(one) < 0), ...node.filter((one) => rank(one) >= 0)];
    await expect(convert(buildAttention(ordered, layout.constants), { trainSize: 8 })).rejects.toMatchObject({
      code: 'ERR_NOT_LOCALIZABLE',
      message: expect.stringContaining(
        'product: its queries are float64; only float32 and float16 can be converted',
      ),
    });
  });
});
