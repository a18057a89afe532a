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
  noise,
  windowMerge,
  windowPartition,
} from '../../test/reference.js';
import { DataType, makeNode, type NodeProto, type TensorProto } from '../graph/proto.js';
import { floatsOf, toImageTensor } from '../session/image-tensors.js';
import { InferenceSession } from '../session/inference-session.js';

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

async function run(model: Uint8Array, x: Tensor, operators: 'native' | 'portable'): Promise<Float32Array> {
  const session = await InferenceSession.create(model, { operators });
  const { y } = await session.run({ x });
  await session.release();
  return (await floatsOf(y as Tensor)) as Float32Array;
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
        expect(largestDifference(await run(model, x, operators), expected)).toBeLessThan(1e-5);
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
      expect(largestDifference(await run(model, x, operators), expected)).toBeLessThan(1e-5);
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
    // The image that goes in has three times the channels of the one that comes out: nothing to merge it like.
    await expect(convert(bytes, { trainSize: 8 })).rejects.toMatchObject({
      code: 'ERR_NOT_LOCALIZABLE',
      message: expect.stringContaining(
        'product: it is attention between channels, and Reshape (computes y) makes images of 1x4x8x8',
      ),
    });
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
      expect(largestDifference(await run(model, feed, operators), expected)).toBeLessThan(0.05);
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
      message: expect.stringContaining(`product: it is attention between channels, and ${reason}`),
    });
  });
});
