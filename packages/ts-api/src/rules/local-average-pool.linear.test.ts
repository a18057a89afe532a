// Squeeze and excitation by Linear layers, in all spellings: they become 1×1 convolutions of the local means.
import { create } from '@bufbuild/protobuf';
import { TensorProtoSchema } from 'onnx-buf';
import { Tensor } from 'onnxruntime-common';
import { describe, expect, it } from 'vitest';
import { buildBytes, floats, halves, imagesIn, integers, valueInfo } from '../../test/build-model.js';
import { convert } from '../../test/convert.js';
import { largestDifference, noise, windowMeans } from '../../test/reference.js';
import { decodeModel } from '../graph/model.js';
import { DataType, makeNode, type NodeProto } from '../graph/proto.js';
import { floatsOf, toImageTensor } from '../session/image-tensors.js';
import { InferenceSession } from '../session/inference-session.js';

const window = [8, 12] as const;
const pool = makeNode('GlobalAveragePool', ['x'], ['pooled'], { name: 'pool' });
const flatten = makeNode('Flatten', ['pooled'], ['flat']);
const back = makeNode('Reshape', ['fc', 'back'], ['gate']);
const scaled = makeNode('Mul', ['x', 'gate'], ['y']);
const initializer = [
  floats('down', [2, 3]),
  floats('up', [3, 2]),
  floats('square', [3, 3]),
  floats('one', [1], [0.25]),
  floats('scalar', [], [-0.5]),
  floats('two', [2]),
  floats('row', [1, 3]),
  floats('three', [3]),
  floats('column', [3, 1]),
  floats('cube', [1, 3, 3]),
  integers('pair', [0, 3]),
  integers('back', [0, 3, 1, 1]),
  integers('axes', [2, 3]),
  integers('zero', [0]),
  integers('first', [1]),
  integers('one_one', [1, 1]),
  integers('rest', [-1]),
  integers('small', [1, 3, 1, 1]),
];

function gemm(input: readonly string[], output: string, attributes: Record<string, number> = {}): NodeProto {
  const { alpha, beta, ...ints } = attributes;
  return makeNode('Gemm', input, [output], {
    name: `linear_${output}`,
    attributes: {
      ...ints,
      ...(alpha !== undefined && { alpha: { float: alpha } }),
      ...(beta !== undefined && { beta: { float: beta } }),
    },
  });
}

interface Case {
  readonly title: string;
  readonly node: readonly NodeProto[];
  /** The nodes that stand there afterwards. */
  readonly becomes: string;
  readonly validLayers: number | undefined;
}

const accepted: readonly Case[] = [
  {
    title: 'two Gemms with transB and biases, as torch.nn.Linear is exported',
    node: [
      pool,
      flatten,
      gemm(['flat', 'down', 'two'], 'a', { transB: 1 }),
      makeNode('Relu', ['a'], ['b']),
      gemm(['b', 'up', 'three'], 'c', { transB: 1 }),
      makeNode('Sigmoid', ['c'], ['fc']),
      back,
      scaled,
    ],
    becomes: 'LocalAveragePool Conv Relu Conv Sigmoid ReplicateScale',
    validLayers: 4,
  },
  {
    title: 'Gemms without transB, without bias',
    node: [pool, flatten, gemm(['flat', 'up'], 'a'), gemm(['a', 'down', ''], 'fc'), back, scaled],
    becomes: 'LocalAveragePool Conv Conv ReplicateScale',
    validLayers: 2,
  },
  {
    title: 'weights that are transposed on the way, shared or not',
    node: [
      pool,
      flatten,
      makeNode('Transpose', ['down'], ['turned'], { attributes: { perm: [1, 0] } }),
      makeNode('Identity', ['turned'], ['same']),
      gemm(['flat', 'same'], 'a'),
      gemm(['a', 'turned'], 'fc', { transB: 1 }),
      back,
      scaled,
    ],
    becomes: 'LocalAveragePool Conv Conv ReplicateScale',
    validLayers: 2,
  },
  {
    title: 'Gemm with alpha and beta, and a bias of [1, M]',
    node: [pool, flatten, gemm(['flat', 'square', 'row'], 'fc', { alpha: 0.75, beta: -1.5 }), back, scaled],
    becomes: 'LocalAveragePool Conv ReplicateScale',
    validLayers: 1,
  },
  {
    title: 'Gemms with one number as their bias',
    node: [
      pool,
      flatten,
      gemm(['flat', 'square', 'one'], 'a', { transB: 1, beta: 2 }),
      gemm(['a', 'square', 'scalar'], 'fc'),
      back,
      scaled,
    ],
    becomes: 'LocalAveragePool Conv Conv ReplicateScale',
    validLayers: 2,
  },
  {
    title: 'MatMul and Add, after Squeeze, before Unsqueeze',
    node: [
      pool,
      makeNode('Squeeze', ['pooled', 'axes'], ['flat']),
      makeNode('MatMul', ['flat', 'up'], ['a']),
      makeNode('Add', ['two', 'a'], ['b']),
      makeNode('MatMul', ['b', 'down'], ['c']),
      makeNode('Add', ['c', 'row'], ['fc']),
      makeNode('Unsqueeze', ['fc', 'axes'], ['gate']),
      scaled,
    ],
    becomes: 'LocalAveragePool Conv Add Conv Add ReplicateScale',
    validLayers: 4,
  },
  {
    title: 'ReduceMean without keepdims, PRelu, a weight from a Constant node',
    node: [
      makeNode('ReduceMean', ['x'], ['flat'], { name: 'pool', attributes: { axes: [2, 3], keepdims: 0 } }),
      makeNode('PRelu', ['flat', 'three'], ['a']),
      makeNode('MatMul', ['a', 'square'], ['fc']),
      back,
      scaled,
    ],
    becomes: 'LocalAveragePool PRelu Conv ReplicateScale',
    validLayers: 2,
  },
  {
    title: 'Reshape to a constant and to a computed shape',
    node: [
      pool,
      makeNode('Reshape', ['pooled', 'pair'], ['flat']),
      gemm(['flat', 'square'], 'fc'),
      makeNode('Shape', ['x'], ['shape']),
      makeNode('Slice', ['shape', 'zero', 'first'], ['n']),
      makeNode('Concat', ['n', 'channels', 'one_one'], ['target'], { attributes: { axis: 0 } }),
      makeNode('Constant', [], ['channels'], { attributes: { value_ints: [3] } }),
      makeNode('Reshape', ['fc', 'target'], ['gate']),
      scaled,
    ].sort((a, b) => Number(b.opType === 'Constant') - Number(a.opType === 'Constant')),
    becomes: 'LocalAveragePool Conv ReplicateScale',
    validLayers: 1,
  },
  {
    title: 'Reshape to shapes computed of the means themselves',
    node: [
      pool,
      makeNode('Shape', ['pooled'], ['shape']),
      makeNode('Slice', ['shape', 'zero', 'first'], ['n']),
      makeNode('Concat', ['n', 'rest'], ['matrix'], { attributes: { axis: 0 } }),
      makeNode('Reshape', ['pooled', 'matrix'], ['flat']),
      gemm(['flat', 'square'], 'fc'),
      makeNode('Shape', ['fc'], ['flat_shape']),
      makeNode('Concat', ['flat_shape', 'one_one'], ['target'], { attributes: { axis: 0 } }),
      makeNode('Reshape', ['fc', 'target'], ['gate']),
      scaled,
    ],
    becomes: 'LocalAveragePool Conv ReplicateScale',
    validLayers: 1,
  },
  {
    title: 'Expand to the shape it has',
    node: [
      pool,
      flatten,
      gemm(['flat', 'square'], 'fc'),
      makeNode('Reshape', ['fc', 'back'], ['shaped']),
      makeNode('Expand', ['shaped', 'small'], ['gate']),
      scaled,
    ],
    becomes: 'LocalAveragePool Conv ReplicateScale',
    validLayers: 1,
  },
  {
    title: 'an activation that multiplies two flattened values',
    node: [
      pool,
      flatten,
      gemm(['flat', 'square'], 'a'),
      makeNode('Sigmoid', ['a'], ['s']),
      makeNode('Mul', ['a', 's'], ['fc']),
      back,
      scaled,
    ],
    becomes: 'LocalAveragePool Conv Sigmoid Mul ReplicateScale',
    validLayers: 3,
  },
  {
    title: 'Expand, which pads before the layers',
    node: [
      pool,
      flatten,
      gemm(['flat', 'square'], 'fc'),
      makeNode('Reshape', ['fc', 'back'], ['column_gate']),
      makeNode('Shape', ['x'], ['shape']),
      makeNode('Expand', ['column_gate', 'shape'], ['gate']),
      scaled,
    ],
    becomes: 'LocalAveragePool Conv Mul',
    validLayers: undefined,
  },
];

async function evaluate(
  bytes: Uint8Array,
  feeds: Readonly<Record<string, Tensor>>,
  operators: 'native' | 'portable',
): Promise<Tensor> {
  const session = await InferenceSession.create(bytes, { operators, logSeverityLevel: 3 });
  const outputs = await session.run(feeds);
  await session.release();
  return Object.values(outputs)[0] as Tensor;
}

/** From N×C×H×W to NHW×C, or back: each pixel is an image of its own, which Linear layers can work on. */
function toPixels(values: Float32Array, [n = 0, c = 0, h = 0, w = 0]: readonly number[], back = false) {
  const result = new Float32Array(values.length);
  for (let image = 0; image < n; image++) {
    for (let channel = 0; channel < c; channel++) {
      for (let i = 0; i < h * w; i++) {
        const plane = (image * c + channel) * h * w + i;
        const pixel = (image * h * w + i) * c + channel;
        result[back ? plane : pixel] = values[back ? pixel : plane] as number;
      }
    }
  }
  return result;
}

/** What the original layers make of local means that are worked out here, pixel by pixel. */
async function reference(node: readonly NodeProto[], x: Tensor): Promise<Float32Array> {
  const mean = node.find(({ name }) => name === 'pool');
  const value = mean?.output[0] ?? '';
  const [n = 0, c = 0, h = 0, w = 0] = x.dims;
  const means = Float32Array.from(windowMeans(x, window));
  const pixels = [n * h * w, c, 1, 1];
  const shape = mean?.opType === 'ReduceMean' ? pixels.slice(0, 2) : pixels;
  const bytes = buildBytes({
    node: node.filter((one) => one !== mean),
    initializer,
    input: [valueInfo('x', ['n', c, 1, 1]), valueInfo(value, ['n', ...shape.slice(1)])],
  });
  const feeds = {
    x: new Tensor('float32', toPixels(x.data as Float32Array, x.dims), pixels),
    [value]: new Tensor('float32', toPixels(means, x.dims), shape),
  };
  const y = await evaluate(bytes, feeds, 'portable');
  return toPixels(y.data as Float32Array, x.dims, true);
}

function convertNodes(node: readonly NodeProto[]) {
  return convert(buildBytes({ node, initializer }), { trainSize: 16, baseSize: window });
}

describe('Linear layers', () => {
  it.each(accepted)('converts $title', async ({ node, becomes, validLayers }) => {
    const { model, report } = await convertNodes(node);
    expect(report.sites.map((site) => site.validLayers)).toEqual([validLayers]);
    const nodes = decodeModel(model, 'm').graph.node;
    expect(nodes.map(({ opType }) => opType).join(' ')).toBe(becomes);
    for (const plane of [
      [21, 34],
      [5, 30],
    ]) {
      const x = noise([2, 3, ...plane]);
      const expected = await reference(node, x);
      for (const operators of ['native', 'portable'] as const) {
        const y = await evaluate(model, { x }, operators);
        expect(largestDifference(y.data as Float32Array, expected)).toBeLessThan(1e-6);
      }
    }
  });

  it.each(accepted)('converts $title in float16', async ({ node, becomes }) => {
    const half = initializer.map((tensor) =>
      tensor.dataType === DataType.FLOAT
        ? halves(tensor.name, tensor.dims.map(Number), tensor.floatData)
        : tensor,
    );
    const bytes = buildBytes({ node, initializer: half, ...imagesIn(DataType.FLOAT16) });
    const { model } = await convert(bytes, { trainSize: 16, baseSize: window });
    const nodes = decodeModel(model, 'm').graph.node;
    expect(nodes.map(({ opType }) => opType).join(' ')).toBe(becomes);
    const x = noise([2, 3, 21, 34]);
    const feeds = { x: await toImageTensor('float16', x.data as Float32Array, x.dims) };
    const expected = await reference(node, x);
    for (const operators of ['native', 'portable'] as const) {
      const values = (await floatsOf(await evaluate(model, feeds, operators))) as Float32Array;
      // Of values up to 2, with the roundings of input, weights, at most five layers and output.
      expect(largestDifference(values, expected)).toBeLessThan(8 * 2 ** -11);
    }
  });

  it('shares weights between branches, and keeps those that others use', async () => {
    const branch = (x: string, y: string) => [
      makeNode('GlobalAveragePool', [x], [`${y}_mean`]),
      makeNode('Flatten', [`${y}_mean`], [`${y}_flat`]),
      makeNode('Gemm', [`${y}_flat`, 'square', 'three'], [`${y}_fc`]),
      makeNode('Reshape', [`${y}_fc`, 'back'], [`${y}_gate`]),
      makeNode('Mul', [x, `${y}_gate`], [y]),
    ];
    const node = [
      makeNode('Identity', ['square'], ['kept']),
      ...branch('x', 'z'),
      ...branch('z', 'w'),
      makeNode('Mul', ['w', 'scalar'], ['y']),
    ];
    const original = buildBytes({ node, initializer });
    const { model } = await convert(original, { trainSize: 16, baseSize: window });
    const { graph } = decodeModel(model, 'm');
    expect(graph.node.map(({ opType }) => opType).join(' ')).toBe(
      'Identity LocalAveragePool Conv ReplicateScale LocalAveragePool Conv ReplicateScale Mul',
    );
    const names = graph.initializer.map(({ name }) => name);
    expect(names).toEqual([...new Set(names)]);
    expect(names).toContain('square');
    expect(names).not.toContain('three');
    // Within the windows all is global.
    const x = noise([2, 3, 5, 7]);
    const expected = (await evaluate(original, { x }, 'portable')).data as Float32Array;
    const y = (await evaluate(model, { x }, 'native')).data as Float32Array;
    expect(largestDifference(y, expected)).toBeLessThan(1e-6);
  });

  it('pads at once where another mean comes through Linear layers', async () => {
    const { report } = await convertNodes([
      pool,
      makeNode('Neg', ['x'], ['z']),
      makeNode('ReduceMean', ['z'], ['flat'], { attributes: { axes: [2, 3], keepdims: 0 } }),
      makeNode('MatMul', ['flat', 'square'], ['fc']),
      makeNode('Reshape', ['fc', 'back'], ['other']),
      makeNode('Add', ['pooled', 'other'], ['gate']),
      scaled,
    ]);
    expect(report.sites.map(({ validLayers }) => validLayers)).toEqual([undefined, undefined]);
  });

  it.each(['pooled first', 'other first'])('adds flattened means of two nodes, %s', async (order) => {
    const sum = order === 'pooled first' ? ['flat', 'other'] : ['other', 'flat'];
    const { model, report } = await convertNodes([
      pool,
      flatten,
      makeNode('Add', ['x', 'x'], ['z']),
      makeNode('ReduceMean', ['z'], ['other'], { attributes: { axes: [2, 3], keepdims: 0 } }),
      makeNode('Add', sum, ['fc']),
      back,
      scaled,
    ]);
    expect(report.sites.map(({ validLayers }) => validLayers)).toEqual([undefined, undefined]);
    const x = noise([2, 3, 21, 34]);
    const expected = windowMeans(x, window).map((mean, i) => 3 * mean * (x.data[i] as number));
    for (const operators of ['native', 'portable'] as const) {
      const y = await evaluate(model, { x }, operators);
      expect(largestDifference(y.data as Float32Array, expected)).toBeLessThan(1e-6);
    }
  });

  it('edits layers that several means share once', async () => {
    const node = [
      pool,
      makeNode('Neg', ['x'], ['z']),
      makeNode('GlobalAveragePool', ['z'], ['other']),
      makeNode('Mul', ['other', 'scalar'], ['third']),
      makeNode('Add', ['pooled', 'third'], ['both']),
      makeNode('Flatten', ['both'], ['flat']),
      makeNode('MatMul', ['flat', 'square'], ['a']),
      makeNode('Add', ['a', 'three'], ['fc']),
      back,
      scaled,
    ];
    const { model } = await convertNodes(node);
    const nodes = decodeModel(model, 'm').graph.node;
    expect(nodes.map(({ opType }) => opType).join(' ')).toBe(
      'LocalAveragePool Neg LocalAveragePool Mul Add Conv Add Mul',
    );
    const x = noise([2, 3, 5, 7]);
    const original = buildBytes({ node, initializer });
    const expected = (await evaluate(original, { x }, 'portable')).data as Float32Array;
    const y = (await evaluate(model, { x }, 'native')).data as Float32Array;
    expect(largestDifference(y, expected)).toBeLessThan(1e-6);
  });

  const refused: readonly { title: string; node: readonly NodeProto[]; reason: string; batch?: number }[] = [
    {
      title: 'a computed bias',
      node: [
        pool,
        flatten,
        makeNode('Neg', ['three'], ['b']),
        gemm(['flat', 'square', 'b'], 'fc'),
        back,
        scaled,
      ],
      reason: 'pool: its mean feeds linear_fc (Gemm), whose bias b is not a constant',
    },
    {
      title: 'transA',
      node: [
        pool,
        flatten,
        gemm(['flat', 'one_row'], 'fc', { transA: 1 }),
        makeNode('ReduceMax', ['fc'], ['top'], { attributes: { axes: [0], keepdims: 1 } }),
        makeNode('Reshape', ['top', 'back'], ['gate']),
        scaled,
      ],
      reason: 'pool: its mean feeds linear_fc (Gemm), which transposes it (transA)',
    },
    {
      title: 'a bias per image',
      node: [
        pool,
        flatten,
        gemm(['flat', 'square', 'single'], 'fc'),
        makeNode('Reshape', ['fc', 'back'], ['gate']),
        scaled,
      ],
      reason: 'pool: its mean feeds linear_fc (Gemm), whose bias single is 2x1, not one value per channel',
      batch: 2,
    },
  ];

  it.each(refused)('refuses $title', async ({ node, reason, batch = 1 }) => {
    const doubles = create(TensorProtoSchema, {
      name: 'doubles',
      dataType: DataType.DOUBLE,
      dims: [3n, 3n],
      doubleData: Array(9).fill(1),
    });
    const extra = [doubles, floats('one_row', [1, 3]), floats('single', [2, 1]), integers('last', [3])];
    const bytes = buildBytes({
      node,
      initializer: [...initializer, ...extra],
      input: [valueInfo('x', [batch, 3, 'height', 'width'])],
    });
    await expect(convert(bytes, { trainSize: 16 })).rejects.toMatchObject({
      code: 'ERR_NOT_LOCALIZABLE',
      message: expect.stringContaining(reason),
    });
  });
});
