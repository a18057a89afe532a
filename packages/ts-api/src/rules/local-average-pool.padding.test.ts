// Where the padding of a LocalAveragePool goes: into the products at the end of its branch where it can, else it stays.
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
import { largestDifference, noise, windowMeans } from '../../test/reference.js';
import { decodeModel } from '../graph/model.js';
import { DataType, intOf, makeNode, type NodeProto } from '../graph/proto.js';
import { floatsOf, toImageTensor } from '../session/image-tensors.js';
import { InferenceSession } from '../session/inference-session.js';

const window = [8, 12] as const;
const pool = makeNode('GlobalAveragePool', ['x'], ['pooled'], { name: 'pool' });
const conv = makeNode('Conv', ['pooled', 'w'], ['gate']);
const scaled = makeNode('Mul', ['x', 'gate'], ['y'], { name: 'product' });
const half = makeNode('Mul', ['x', 'half'], ['z']);
const initializer = [
  floats('w', [3, 3, 1, 1]),
  floats('down', [2, 3, 1, 1]),
  floats('up', [3, 2, 1, 1]),
  floats('bias', [3, 1, 1]),
  floats('half', [], [0.5]),
  integers('axes', [2, 3]),
];

interface Case {
  readonly title: string;
  readonly node: readonly NodeProto[];
  /** The nodes that stand there afterwards. */
  readonly becomes: string;
  /** For every site. */
  readonly validLayers: readonly (number | undefined)[];
}

const sunk: readonly Case[] = [
  {
    title: 'squeeze and excitation',
    node: [
      pool,
      makeNode('Conv', ['pooled', 'down'], ['a']),
      makeNode('Relu', ['a'], ['b']),
      makeNode('Conv', ['b', 'up'], ['c']),
      makeNode('Sigmoid', ['c'], ['gate']),
      scaled,
    ],
    becomes: 'LocalAveragePool Conv Relu Conv Sigmoid ReplicateScale',
    validLayers: [4],
  },
  {
    title: "NAFNet's simplified channel attention",
    node: [
      half,
      makeNode('GlobalAveragePool', ['z'], ['pooled']),
      conv,
      makeNode('Mul', ['z', 'gate'], ['y']),
    ],
    becomes: 'Mul LocalAveragePool Conv ReplicateScale',
    validLayers: [1],
  },
  {
    title: 'nothing between the mean and the product',
    node: [pool, makeNode('Mul', ['x', 'pooled'], ['y'])],
    becomes: 'LocalAveragePool ReplicateScale',
    validLayers: [0],
  },
  {
    title: 'the mean as the first factor',
    node: [pool, conv, makeNode('Mul', ['gate', 'x'], ['y'])],
    becomes: 'LocalAveragePool Conv ReplicateScale',
    validLayers: [1],
  },
  {
    title: 'two products, of different values',
    node: [
      pool,
      conv,
      half,
      makeNode('Mul', ['x', 'gate'], ['a']),
      makeNode('Relu', ['gate'], ['positive']),
      makeNode('Mul', ['positive', 'z'], ['b']),
      makeNode('Add', ['a', 'b'], ['y']),
    ],
    becomes: 'LocalAveragePool Conv Mul ReplicateScale Relu ReplicateScale Add',
    validLayers: [2],
  },
  {
    title: 'a product of what another site has scaled',
    node: [
      pool,
      makeNode('Mul', ['pooled', 'x'], ['z']),
      makeNode('GlobalAveragePool', ['z'], ['other']),
      makeNode('Mul', ['z', 'other'], ['y']),
    ],
    becomes: 'LocalAveragePool ReplicateScale LocalAveragePool ReplicateScale',
    validLayers: [0, 0],
  },
  {
    title: 'per-channel constants, and a maximum that stays global',
    node: [
      pool,
      makeNode('Add', ['pooled', 'bias'], ['a']),
      makeNode('GlobalMaxPool', ['x'], ['top']),
      makeNode('Add', ['top', 'a'], ['gate']),
      scaled,
    ],
    becomes: 'LocalAveragePool Add GlobalMaxPool Add ReplicateScale',
    validLayers: [2],
  },
  {
    title: 'two ways that meet again, which counts once',
    node: [pool, makeNode('Relu', ['pooled'], ['a']), makeNode('Add', ['a', 'pooled'], ['gate']), scaled],
    becomes: 'LocalAveragePool Relu Add ReplicateScale',
    validLayers: [2],
  },
  {
    title: 'a factor of one channel',
    node: [
      pool,
      makeNode('ReduceMean', ['x'], ['mask'], { attributes: { axes: [1] } }),
      makeNode('Mul', ['mask', 'pooled'], ['y']),
    ],
    becomes: 'LocalAveragePool ReduceMean ReplicateScale',
    validLayers: [0],
  },
];

const padded: readonly Case[] = [
  {
    title: 'a sum with an image',
    node: [pool, conv, makeNode('Add', ['x', 'gate'], ['y'])],
    becomes: 'LocalAveragePool Conv Add',
    validLayers: [undefined],
  },
  {
    title: 'a product and a sum',
    node: [pool, makeNode('Mul', ['x', 'pooled'], ['a']), makeNode('Add', ['a', 'pooled'], ['y'])],
    becomes: 'LocalAveragePool Mul Add',
    validLayers: [undefined],
  },
  {
    title: 'the means of two images, combined',
    node: [
      pool,
      half,
      makeNode('GlobalAveragePool', ['z'], ['other']),
      makeNode('Add', ['pooled', 'other'], ['gate']),
      scaled,
    ],
    becomes: 'LocalAveragePool Mul LocalAveragePool Add Mul',
    validLayers: [undefined, undefined],
  },
  {
    title: 'Expand to the size of the plane',
    node: [pool, makeNode('Shape', ['x'], ['s']), makeNode('Expand', ['pooled', 's'], ['gate']), scaled],
    becomes: 'LocalAveragePool Mul',
    validLayers: [undefined],
  },
  {
    title: 'a product in float64',
    node: [
      makeNode('Cast', ['x'], ['exact'], { attributes: { to: DataType.DOUBLE } }),
      pool,
      makeNode('Cast', ['pooled'], ['gate'], { attributes: { to: DataType.DOUBLE } }),
      makeNode('Mul', ['exact', 'gate'], ['z']),
      makeNode('Cast', ['z'], ['y'], { attributes: { to: DataType.FLOAT } }),
    ],
    becomes: 'Cast LocalAveragePool Cast Mul Cast',
    validLayers: [undefined],
  },
  {
    title: 'a product with an image that only happens to be as large',
    node: [
      pool,
      conv,
      makeNode('AveragePool', ['x'], ['z'], { attributes: { kernel_shape: [3, 3], pads: [1, 1, 1, 1] } }),
      makeNode('Mul', ['z', 'gate'], ['y']),
    ],
    becomes: 'LocalAveragePool Conv AveragePool Mul',
    validLayers: [undefined],
  },
  {
    title: 'a product with an image of rank 3',
    node: [
      pool,
      conv,
      makeNode('ReduceMax', ['x'], ['z'], { attributes: { axes: [0], keepdims: 0 } }),
      makeNode('Mul', ['z', 'gate'], ['y']),
    ],
    becomes: 'LocalAveragePool Conv ReduceMax Mul',
    validLayers: [undefined],
  },
];

async function evaluate(
  bytes: Uint8Array,
  feeds: Readonly<Record<string, Tensor>>,
  operators: 'native' | 'portable',
): Promise<Tensor> {
  const session = await InferenceSession.create(bytes, { operators });
  const outputs = await session.run(feeds);
  await session.release();
  return Object.values(outputs)[0] as Tensor;
}

/** What the graph computes on means that are worked out here, as large as the image: no pooling and no tlsc in it. */
async function reference(node: readonly NodeProto[], x: Tensor): Promise<Float32Array> {
  const feeds: Record<string, Tensor> = { x };
  /** A value that needs no more than the first nodes. */
  const compute = async (name: string, nodes: number): Promise<Tensor> => {
    const given = feeds[name];
    if (given) return given;
    const parts: GraphParts = {
      node: node.slice(0, nodes).filter(({ opType }) => opType !== pool.opType),
      initializer,
      input: Object.keys(feeds).map((one) => valueInfo(one, image)),
      output: [valueInfo(name, ['n', 'c', 'h', 'w'])],
    };
    return evaluate(buildBytes(parts), feeds, 'portable');
  };
  for (const [i, { opType, input, output }] of node.entries()) {
    if (opType !== pool.opType) continue;
    const plane = await compute(input[0] ?? '', i);
    const means = Float32Array.from(windowMeans(plane, window));
    feeds[output[0] ?? ''] = new Tensor('float32', means, plane.dims);
  }
  return (await compute('y', node.length)).data as Float32Array;
}

function convertNodes(node: readonly NodeProto[]) {
  return convert(buildBytes({ node, initializer }), { trainSize: 16, baseSize: window });
}

describe('padding', () => {
  it('does not wait for two means that are combined after they were flattened', async () => {
    const flatMean = (from: string, to: string) => [
      makeNode('GlobalAveragePool', [from], [`${to}_mean`]),
      makeNode('Flatten', [`${to}_mean`], [`${to}_flat`]),
      makeNode('Unsqueeze', [`${to}_flat`, 'axes'], [to]),
    ];
    const node = [
      ...flatMean('x', 'a'),
      half,
      ...flatMean('z', 'b'),
      makeNode('Add', ['a', 'b'], ['gate']),
      scaled,
    ];
    const { report } = await convertNodes(node);
    expect(report.sites.map(({ validLayers }) => validLayers)).toEqual([undefined, undefined]);
  });

  describe.each([
    ['waits for', sunk],
    ['comes before', padded],
  ] as const)('%s', (_, cases) => {
    it.each(cases)('$title', async ({ node, becomes, validLayers }) => {
      const { model, report } = await convertNodes(node);
      expect(report.sites.map((site) => site.validLayers)).toEqual(validLayers);
      const nodes = decodeModel(model, 'm').graph.node;
      expect(nodes.map(({ opType }) => opType).join(' ')).toBe(becomes);
      const pools = nodes.filter(({ opType }) => opType === 'LocalAveragePool');
      expect(pools.map((one) => intOf(one, 'replicate', -1))).toEqual(
        validLayers.map((layers) => (layers === undefined ? 1 : 0)),
      );
      // Larger than the window, as large in one direction, smaller in one, smaller in both.
      for (const plane of [
        [21, 34],
        [8, 13],
        [5, 30],
        [6, 7],
      ]) {
        const x = noise([2, 3, ...plane]);
        const expected = await reference(node, x);
        const native = (await evaluate(model, { x }, 'native')).data as Float32Array;
        const portable = (await evaluate(model, { x }, 'portable')).data as Float32Array;
        expect(largestDifference(native, expected)).toBeLessThan(1e-6);
        expect(largestDifference(portable, expected)).toBeLessThan(1e-6);
      }
    });
  });

  it.each(sunk)('waits for $title in float16', async ({ node, becomes, validLayers }) => {
    const half = initializer.map((tensor) =>
      tensor.dataType === DataType.FLOAT
        ? halves(tensor.name, tensor.dims.map(Number), tensor.floatData)
        : tensor,
    );
    const bytes = buildBytes({ node, initializer: half, ...imagesIn(DataType.FLOAT16) });
    const { model, report } = await convert(bytes, { trainSize: 16, baseSize: window });
    expect(report.sites.map((site) => site.validLayers)).toEqual(validLayers);
    const nodes = decodeModel(model, 'm').graph.node;
    expect(nodes.map(({ opType }) => opType).join(' ')).toBe(becomes);
    const x = noise([2, 3, 21, 34]);
    const feeds = { x: await toImageTensor('float16', x.data as Float32Array, x.dims) };
    const expected = await reference(node, x);
    for (const operators of ['native', 'portable'] as const) {
      const y = await evaluate(model, feeds, operators);
      expect(y.type).toBe('float16');
      // Of values up to 2, with the roundings of input, weights, at most five layers and output.
      const values = (await floatsOf(y)) as Float32Array;
      expect(largestDifference(values, expected)).toBeLessThan(8 * 2 ** -11);
    }
  });

  it('leaves the name of a product as it was', async () => {
    const { model } = await convertNodes([pool, conv, scaled]);
    const product = decodeModel(model, 'm').graph.node.at(-1);
    expect(product).toMatchObject({ name: 'product', input: ['x', 'gate'], output: ['y'], domain: 'tlsc' });
  });

  it('finds the mean in a product after dropping the reshape before it', async () => {
    const { model } = await convertNodes([
      makeNode('GlobalAveragePool', ['x'], ['pooled']),
      makeNode('Flatten', ['pooled'], ['flat']),
      makeNode('Unsqueeze', ['flat', 'axes'], ['gate']),
      makeNode('Mul', ['gate', 'x'], ['y']),
    ]);
    const nodes = decodeModel(model, 'm').graph.node.map(({ opType, input }) => [opType, ...input]);
    expect(nodes).toEqual([
      ['LocalAveragePool', 'x'],
      ['ReplicateScale', 'x', 'pooled'],
    ]);
  });
});
