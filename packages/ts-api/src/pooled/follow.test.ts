import { create } from '@bufbuild/protobuf';
import { AttributeProto_AttributeType, AttributeProtoSchema } from 'onnx-buf';
import { describe, expect, it } from 'vitest';
import {
  buildBytes,
  buildGraph,
  floats,
  type GraphParts,
  image,
  integers,
  valueInfo,
} from '../../test/build-model.js';
import { convert } from '../../test/convert.js';
import { decodeModel } from '../graph/model.js';
import { DataType, makeNode } from '../graph/proto.js';

const pool = makeNode('GlobalAveragePool', ['x'], ['pooled'], { name: 'pool' });
const scaled = makeNode('Mul', ['x', 'gate'], ['y']);
const half = makeNode('AveragePool', ['x'], ['half'], {
  attributes: { kernel_shape: [2, 2], strides: [2, 2] },
});

function convertParts(parts: GraphParts) {
  return convert(buildBytes(parts), { trainSize: 16 });
}

describe('following a pooled value', () => {
  const accepted: readonly { title: string; parts: GraphParts }[] = [
    {
      title: 'a 1×1 convolution and activations',
      parts: {
        node: [
          pool,
          makeNode('Conv', ['pooled', 'w'], ['c'], {}),
          makeNode('Relu', ['c'], ['r']),
          makeNode('Sigmoid', ['r'], ['gate']),
          scaled,
        ],
        initializer: [floats('w', [3, 3, 1, 1])],
      },
    },
    {
      title: 'per-channel constants',
      parts: {
        node: [
          pool,
          makeNode('Add', ['pooled', 'b'], ['s']),
          makeNode('Mul', ['two', 's'], ['gate']),
          scaled,
        ],
        initializer: [floats('b', [3, 1, 1]), floats('two', [], [2])],
      },
    },
    {
      title: 'two ways that meet again',
      parts: {
        node: [
          pool,
          makeNode('Relu', ['pooled'], ['a']),
          makeNode('Neg', ['pooled'], ['b']),
          makeNode('Add', ['a', 'b'], ['gate']),
          scaled,
        ],
      },
    },
    {
      title: 'Expand to the size of the plane',
      parts: {
        node: [pool, makeNode('Shape', ['x'], ['s']), makeNode('Expand', ['pooled', 's'], ['gate']), scaled],
      },
    },
    {
      title: 'a maximum that stays global beside it',
      parts: {
        node: [
          pool,
          makeNode('GlobalMaxPool', ['x'], ['top']),
          makeNode('Add', ['pooled', 'top'], ['gate']),
          scaled,
        ],
      },
    },
  ];

  it.each(accepted)('goes through $title', async ({ parts }) => {
    expect((await convertParts(parts)).report.sites).toHaveLength(1);
  });

  const refused: readonly { title: string; parts: GraphParts; reason: string }[] = [
    {
      title: 'a 3×3 convolution',
      parts: {
        node: [
          pool,
          makeNode('Conv', ['pooled', 'w'], ['gate'], { name: 'mix', attributes: { pads: [1, 1, 1, 1] } }),
          scaled,
        ],
        initializer: [floats('w', [3, 3, 3, 3])],
      },
      reason: 'pool: its mean feeds mix (Conv), which does not treat pixels one by one',
    },
    {
      title: 'a Linear layer whose weights are computed',
      parts: {
        node: [
          pool,
          makeNode('Flatten', ['pooled'], ['flat']),
          makeNode('Neg', ['w'], ['computed']),
          makeNode('Gemm', ['flat', 'computed'], ['fc'], { name: 'linear' }),
          makeNode('Reshape', ['fc', 'shape'], ['gate']),
          scaled,
        ],
        initializer: [floats('w', [3, 3]), integers('shape', [0, 3, 1, 1])],
      },
      reason: 'pool: its mean feeds linear (Gemm), whose weight computed is not a constant',
    },
    {
      title: 'an output of the model',
      parts: {
        node: [pool, makeNode('Mul', ['x', 'pooled'], ['y'])],
        output: [valueInfo('y', ['n', 'c', 'h', 'w']), valueInfo('pooled', ['n', 'c', 'one', 'one'])],
      },
      reason: 'pool: its mean is an output of the model (pooled)',
    },
    {
      title: 'a plane of another size',
      parts: {
        node: [pool, half, makeNode('Mul', ['half', 'pooled'], ['y'], { name: 'product' })],
      },
      reason: 'pool: its mean of 16x16 pixels meets half (1x3x8x8) in product',
    },
    {
      title: 'the mean of a plane of another size',
      parts: {
        node: [
          pool,
          half,
          makeNode('GlobalAveragePool', ['half'], ['other'], { name: 'second' }),
          makeNode('Add', ['pooled', 'other'], ['gate'], { name: 'sum' }),
          scaled,
        ],
      },
      reason: 'pool: its mean of 16x16 pixels meets one of 8x8 in sum',
    },
    {
      title: 'a mean of deviations',
      parts: {
        node: [
          makeNode('ReduceMean', ['x'], ['mean'], { name: 'pool', attributes: { axes: [2, 3] } }),
          makeNode('Sub', ['x', 'mean'], ['centred'], { name: 'centre' }),
          makeNode('Abs', ['centred'], ['off']),
          makeNode('ReduceMean', ['off'], ['deviation'], { name: 'second', attributes: { axes: [2, 3] } }),
          makeNode('Div', ['centred', 'deviation'], ['y']),
        ],
      },
      reason: 'second: it is the mean of what centre has taken a mean off',
    },
    {
      title: 'a Dropout of which the mask is used',
      parts: {
        node: [
          pool,
          makeNode('Dropout', ['pooled'], ['d', 'mask'], { name: 'drop' }),
          makeNode('Cast', ['mask'], ['m'], { attributes: { to: DataType.FLOAT } }),
          makeNode('Mul', ['d', 'm'], ['gate']),
          scaled,
        ],
      },
      reason: 'pool: its mean feeds drop (Dropout), which does not treat pixels one by one',
    },
  ];

  it.each(refused)('stops at $title', async ({ parts, reason }) => {
    await expect(convertParts(parts)).rejects.toMatchObject({
      code: 'ERR_NOT_LOCALIZABLE',
      message: expect.stringContaining(reason),
    });
  });

  it('lets means of planes meet that are alike but where a size is rounded', async () => {
    // Six columns are compared with nine: halved and doubled again, these are eight.
    const node = [
      half,
      makeNode('Resize', ['half', '', 'doubled'], ['again'], { attributes: { mode: { text: 'nearest' } } }),
      makeNode('GlobalAveragePool', ['again'], ['a']),
      makeNode('GlobalAveragePool', ['x'], ['b']),
      makeNode('Add', ['a', 'b'], ['gate']),
      scaled,
    ];
    const bytes = buildBytes({ node, initializer: [floats('doubled', [4], [1, 1, 2, 2])] });
    expect((await convert(bytes, { trainSize: [4, 6] })).report.sites).toHaveLength(2);
  });

  it('goes through a branch that doubles at every step, and a long one', async () => {
    const node = [makeNode('GlobalAveragePool', ['x'], ['v0'], { name: 'pool' })];
    for (let i = 0; i < 60; i++) node.push(makeNode('Add', [`v${i}`, `v${i}`], [`v${i + 1}`]));
    for (let i = 60; i < 3000; i++) node.push(makeNode('Sigmoid', [`v${i}`], [`v${i + 1}`]));
    node.push(makeNode('Mul', ['x', 'v3000'], ['y']));
    expect((await convertParts({ node })).report.sites).toHaveLength(1);
  });

  it('drops a reshape that two sites share once', async () => {
    const node = [
      pool,
      makeNode('Neg', ['x'], ['n']),
      makeNode('GlobalAveragePool', ['n'], ['other']),
      makeNode('Add', ['pooled', 'other'], ['s']),
      makeNode('Flatten', ['s'], ['f']),
      makeNode('Unsqueeze', ['f', 'axes'], ['gate']),
      scaled,
    ];
    const { model } = await convertParts({ node, initializer: [integers('axes', [2, 3])] });
    const types = decodeModel(model, 'm').graph.node.map(({ opType }) => opType);
    expect(types).toEqual(['LocalAveragePool', 'Neg', 'LocalAveragePool', 'Add', 'Mul']);
  });

  it('forgets what the model says of the shapes of pooled values, and of those alone', async () => {
    const infos = [
      valueInfo('pooled', ['n', 3, 1, 1]),
      valueInfo('gate', ['n', 3, 1, 1]),
      valueInfo('z', ['n', 3, 'h', 'w']),
    ];
    const node = [
      pool,
      makeNode('Relu', ['pooled'], ['gate']),
      makeNode('Mul', ['x', 'gate'], ['z']),
      makeNode('Neg', ['z'], ['y']),
    ];
    const { model } = await convertParts({ node, valueInfo: infos });
    expect(decodeModel(model, 'm').graph.valueInfo.map(({ name }) => name)).toEqual(['z']);
  });

  it('says that a plane of one pixel is too small to tell means from pixels', async () => {
    const node = [pool, makeNode('Mul', ['x', 'pooled'], ['y'])];
    await expect(convert(buildBytes({ node }), { trainSize: 1 })).rejects.toMatchObject({
      code: 'ERR_NOT_LOCALIZABLE',
      message: expect.stringContaining('pool: its plane is 1x1 at this size'),
    });
  });

  it('says what it cannot look through', async () => {
    const branch = (name: string) =>
      buildGraph({ node: [makeNode('Relu', ['x'], [name])], input: [], output: [valueInfo(name, [])] });
    const choice = makeNode('If', ['on'], ['chosen'], { name: 'choice' });
    for (const name of ['then_branch', 'else_branch']) {
      choice.attribute.push(
        create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.GRAPH, g: branch(name) }),
      );
    }
    const parts = {
      node: [choice, pool, makeNode('Mul', ['pooled', 'chosen'], ['y'], { name: 'meeting' })],
      input: [valueInfo('x', image), valueInfo('on', [], DataType.BOOL)],
    };
    await expect(convertParts(parts)).rejects.toMatchObject({
      code: 'ERR_NOT_LOCALIZABLE',
      message: expect.stringContaining('pool: its mean meets chosen of unknown shape in meeting'),
    });
  });
});
