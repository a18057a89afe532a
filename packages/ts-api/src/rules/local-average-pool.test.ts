import { Tensor } from 'onnxruntime-common';
import { describe, expect, it } from 'vitest';
import {
  buildBytes,
  floats,
  type GraphParts,
  integers,
  type Versions,
  valueInfo,
} from '../../test/build-model.js';
import { convert } from '../../test/convert.js';
import { largestDifference, noise, windowMeans } from '../../test/reference.js';
import { runModel } from '../../test/run-model.js';
import { DataType, makeNode, type NodeProto } from '../graph/proto.js';
import { InferenceSession } from '../session/inference-session.js';

const scaled = makeNode('Mul', ['x', 'pooled'], ['y']);

/** Every way in which exporters write the mean of a plane. */
const spellings: readonly { title: string; parts: GraphParts; versions?: Versions; layers?: number }[] = [
  {
    title: 'GlobalAveragePool',
    parts: { node: [makeNode('GlobalAveragePool', ['x'], ['pooled'], { name: 'pool' }), scaled] },
  },
  {
    title: 'ReduceMean over [2, 3] by attribute',
    parts: {
      node: [
        makeNode('ReduceMean', ['x'], ['pooled'], {
          name: 'pool',
          attributes: { axes: [2, 3], keepdims: 1 },
        }),
        scaled,
      ],
    },
  },
  {
    title: 'ReduceMean over [-1, -2] by attribute',
    parts: {
      node: [
        makeNode('ReduceMean', ['x'], ['pooled'], { name: 'pool', attributes: { axes: [-1, -2] } }),
        scaled,
      ],
    },
  },
  {
    title: 'ReduceMean over [-2, 3] by input, opset 18',
    parts: {
      node: [makeNode('ReduceMean', ['x', 'axes'], ['pooled'], { name: 'pool' }), scaled],
      initializer: [integers('axes', [-2, 3])],
    },
    versions: { opset: 18 },
  },
  {
    title: 'ReduceMean without keepdims, then Unsqueeze',
    parts: {
      node: [
        makeNode('ReduceMean', ['x'], ['flat'], { name: 'pool', attributes: { axes: [2, 3], keepdims: 0 } }),
        makeNode('Unsqueeze', ['flat', 'axes'], ['pooled']),
        scaled,
      ],
      initializer: [integers('axes', [2, 3])],
    },
  },
  {
    title: 'ReduceMean without keepdims, Relu, then two Unsqueezes, opset 12',
    parts: {
      node: [
        makeNode('ReduceMean', ['x'], ['flat'], { name: 'pool', attributes: { axes: [2, 3], keepdims: 0 } }),
        makeNode('Identity', ['flat'], ['same']),
        makeNode('Unsqueeze', ['same'], ['row'], { attributes: { axes: [2] } }),
        makeNode('Unsqueeze', ['row'], ['pooled'], { attributes: { axes: [3] } }),
        scaled,
      ],
    },
    versions: { opset: 12 },
    layers: 1,
  },
  {
    title: 'GlobalAveragePool, Flatten, Reshape to a computed shape',
    parts: {
      node: [
        makeNode('GlobalAveragePool', ['x'], ['mean'], { name: 'pool' }),
        makeNode('Flatten', ['mean'], ['flat']),
        makeNode('Shape', ['x'], ['shape']),
        makeNode('Slice', ['shape', 'zero', 'two'], ['nc']),
        makeNode('Concat', ['nc', 'ones'], ['target'], { attributes: { axis: 0 } }),
        makeNode('Reshape', ['flat', 'target'], ['pooled']),
        scaled,
      ],
      initializer: [integers('zero', [0]), integers('two', [2]), integers('ones', [1, 1])],
    },
  },
];

async function run(model: Uint8Array, operators: 'native' | 'portable') {
  const session = await InferenceSession.create(model, { operators });
  const x = noise([2, 3, 21, 34]);
  const { y } = await session.run({ x });
  await session.release();
  return { x, y: y?.data as Float32Array };
}

describe('local-average-pool', () => {
  it.each(spellings)('makes $title local', async ({ parts, versions, layers = 0 }) => {
    const { model, report } = await convert(buildBytes(parts, versions), {
      trainSize: 16,
      baseSize: [8, 12],
    });
    expect(report.sites).toEqual([
      {
        node: 'pool',
        rule: 'local-average-pool',
        operator: 'LocalAveragePool',
        featureSize: [16, 16],
        window: [8, 12],
        validLayers: layers,
      },
    ]);
    for (const operators of ['native', 'portable'] as const) {
      const { x, y } = await run(model, operators);
      const expected = windowMeans(x, [8, 12]).map((mean, i) => mean * (x.data[i] as number));
      expect(largestDifference(y, expected)).toBeLessThan(1e-6);
    }
  });

  it('takes planes that have lost a border to convolutions without padding for what they are', async () => {
    // Of 16 pixels a side six are left: the plane grows by another factor than the image, at any second size.
    const size = 11;
    const kernel = new Array(9 * size * size).fill(0);
    for (let channel = 0; channel < 3; channel++) kernel[(4 * channel + 0.5) * size * size - 0.5] = 1;
    const node = [
      makeNode('Conv', ['x', 'kernel'], ['inner']),
      makeNode('GlobalAveragePool', ['inner'], ['pooled'], { name: 'pool' }),
      makeNode('Mul', ['inner', 'pooled'], ['y']),
    ];
    const initializer = [floats('kernel', [3, 3, size, size], kernel)];
    const { model, report } = await convert(buildBytes({ node, initializer }), {
      trainSize: 16,
      baseSize: 24,
    });
    expect(report.sites).toMatchObject([{ node: 'pool', featureSize: [6, 6], window: [9, 9] }]);
    expect(report.warnings).toEqual([]);
    const x = noise([1, 3, 30, 40]);
    const inner = new Tensor('float32', new Float32Array(3 * 20 * 30), [1, 3, 20, 30]);
    for (let i = 0; i < inner.data.length; i++) {
      const [channel, row, column] = [Math.floor(i / 600), Math.floor(i / 30) % 20, i % 30];
      inner.data[i] = x.data[channel * 1200 + (row + 5) * 40 + column + 5] as number;
    }
    const expected = windowMeans(inner, [9, 9]).map((mean, i) => mean * (inner.data[i] as number));
    for (const operators of ['native', 'portable'] as const)
      expect(largestDifference(await runModel(model, x, operators), expected)).toBeLessThan(1e-6);
  });

  it.each([[1], [-1]])('leaves the mean over axis %d alone', async (axis) => {
    const node = [
      makeNode('ReduceMean', ['x'], ['pooled'], { name: 'pool', attributes: { axes: [axis] } }),
      scaled,
    ];
    const { report } = await convert(buildBytes({ node }), { trainSize: 16 });
    const kept = axis === 1 ? [] : [{ node: 'pool', reason: expect.stringContaining('along one side') }];
    expect(report).toMatchObject({ sites: [], kept });
  });

  const nearMisses: readonly { title: string; node: readonly NodeProto[]; reason: RegExp }[] = [
    {
      title: 'a sum that nothing divides',
      node: [makeNode('ReduceSum', ['x'], ['pooled'], { name: 'pool', attributes: { keepdims: 1 } }), scaled],
      reason: /^ {2}pool: it is a sum over height and width that nothing divides by the number of pixels/m,
    },
    {
      title: 'a mean in float64',
      node: [
        makeNode('Cast', ['x'], ['double'], { attributes: { to: DataType.DOUBLE } }),
        makeNode('ReduceMean', ['double'], ['mean'], { name: 'pool', attributes: { axes: [2, 3] } }),
        makeNode('Cast', ['mean'], ['pooled'], { attributes: { to: DataType.FLOAT } }),
        scaled,
      ],
      reason: /^ {2}pool: its input is float64; only float32 and float16 can be converted$/m,
    },
  ];

  it('refuses a mean over axes that are computed', async () => {
    const node = [
      makeNode('Add', ['one', 'two'], ['axes']),
      makeNode('ReduceMean', ['x', 'axes'], ['pooled'], { name: 'pool' }),
      scaled,
    ];
    const initializer = [integers('one', [1, 1]), integers('two', [1, 2])];
    await expect(
      convert(buildBytes({ node, initializer }, { opset: 18 }), { trainSize: 16 }),
    ).rejects.toMatchObject({
      code: 'ERR_NOT_LOCALIZABLE',
      message: expect.stringContaining('pool: the axes of its mean are computed at run time'),
    });
  });

  it.each(['GlobalAveragePool', 'InstanceNormalization', 'GroupNormalization'])(
    'leaves %s of patches of one size alone',
    async (opType) => {
      const inputs = opType === 'GlobalAveragePool' ? ['patches'] : ['patches', 'scale', 'bias'];
      const attributes = opType === 'GroupNormalization' ? { num_groups: 1 } : {};
      const node = [
        makeNode('Reshape', ['x', 'apart'], ['a']),
        makeNode('Transpose', ['a'], ['b'], { attributes: { perm: [0, 2, 4, 1, 3, 5] } }),
        makeNode('Reshape', ['b', 'each'], ['patches']),
        makeNode(opType, inputs, ['s'], { attributes }),
        makeNode('Mul', ['patches', 's'], ['y']),
      ];
      const sides = [
        makeNode('Shape', ['x'], ['shape']),
        makeNode('Slice', ['shape', 'i2', 'i3'], ['h']),
        makeNode('Slice', ['shape', 'i3', 'i4'], ['w']),
        makeNode('Div', ['h', 'eight'], ['down']),
        makeNode('Div', ['w', 'eight'], ['across']),
        makeNode('Concat', ['front', 'down', 'eight', 'across', 'eight'], ['apart'], {
          attributes: { axis: 0 },
        }),
      ];
      const initializer = [
        ...[2, 3, 4].map((i) => integers(`i${i}`, [i])),
        integers('eight', [8]),
        integers('front', [1, 3]),
        integers('each', [-1, 3, 8, 8]),
        floats('scale', [3]),
        floats('bias', [3]),
      ];
      const used = new Set([...sides, ...node].flatMap((one) => one.input));
      const bytes = buildBytes(
        {
          node: [...sides, ...node],
          initializer: initializer.filter(({ name }) => used.has(name)),
          input: [valueInfo('x', [1, 3, 'height', 'width'])],
        },
        { opset: 21 },
      );
      expect((await convert(bytes, { trainSize: 32 })).report).toMatchObject({ sites: [], kept: [] });
    },
  );

  it('leaves a mean alone that each pixel has of its own', async () => {
    const node = [
      makeNode('Reshape', ['x', 'heads'], ['tokens']),
      makeNode('ReduceMean', ['tokens'], ['y'], { attributes: { axes: [1, 2], keepdims: 0 } }),
    ];
    const initializer = [integers('heads', [0, 3, 1, -1])];
    const { report } = await convert(buildBytes({ node, initializer }), { trainSize: 16 });
    expect(report).toMatchObject({ sites: [], kept: [] });
  });

  it.each(nearMisses)('refuses $title', async ({ node, reason }) => {
    const initializer = [floats('w', [1])];
    const conversion = convert(buildBytes({ node, initializer }), { trainSize: 16 });
    await expect(conversion).rejects.toMatchObject({
      code: 'ERR_NOT_LOCALIZABLE',
      message: expect.stringMatching(reason),
    });
  });
});
