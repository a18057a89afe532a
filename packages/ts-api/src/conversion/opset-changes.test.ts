import { create } from '@bufbuild/protobuf';
import { AttributeProto_AttributeType, AttributeProtoSchema } from 'onnx-buf';
import { describe, expect, it } from 'vitest';
import { buildGraph, floats, integers } from '../../test/build-model.js';
import { anyOutput, expectSame, x } from '../../test/raised.js';
import { DataType, makeNode, type NodeProto, type TensorProto } from '../graph/proto.js';

const reduced = (opType: string, attributes: Record<string, number | number[]> = {}) => [
  makeNode('Abs', ['x'], ['a']),
  makeNode(opType, ['a'], ['y'], { attributes }),
];
const reductions = ['L1', 'L2', 'LogSum', 'LogSumExp', 'Max', 'Mean', 'Min', 'Prod', 'Sum', 'SumSquare'];
const split = (attributes: Record<string, number | number[]>) => [
  makeNode('Split', ['x'], ['s', 't'], { attributes }),
  makeNode('Concat', ['t', 's'], ['y'], { attributes: { axis: 1 } }),
];
const pooled = (mode: string) => [
  makeNode('GridSample', ['x', 'grid'], ['y'], { attributes: { mode: { text: mode } } }),
];
const resize = [
  makeNode('Resize', ['x', 'roi', 'scales', 'sizes'], ['y'], { attributes: { mode: { text: 'linear' } } }),
];
const resizeConstants = [floats('roi', [0]), floats('scales', [0]), integers('sizes', [2, 4, 9, 11])];
/** ONNX Runtime has no kernel for its opset 22. */
const newestOf: Readonly<Record<string, number>> = { RoiAlign: 21 };
const norm = [makeNode('GroupNormalization', ['x', 's', 'b'], ['y'], { attributes: { num_groups: 2 } })];

type Case = readonly [what: string, from: number, node: readonly NodeProto[], TensorProto[]?];

const old = (from: number, what: string, node: readonly NodeProto[], constants: TensorProto[] = []): Case => [
  `${what}, as opset ${from} has it`,
  from,
  node,
  constants,
];
const text = (value: string) => ({ text: value });
const perChannel = ['s', 'b', 'm', 'v'].map((name) => floats(name, [4], [0.5, 1, 1.5, 2]));

const listed: Case[] = [
  ...['nearest', 'linear'].flatMap((mode): Case[] => [
    old(7, `Upsample by ${mode}`, [
      makeNode('Upsample', ['x'], ['y'], {
        attributes: { mode: text(mode), scales: { floats: [1, 1, 2, 3] } },
      }),
    ]),
    old(
      9,
      `Upsample by ${mode}`,
      [makeNode('Upsample', ['x', 'scales'], ['y'], { attributes: { mode: text(mode) } })],
      [floats('scales', [4], [1, 1, 2, 2])],
    ),
    old(
      10,
      `Resize by ${mode}`,
      [makeNode('Resize', ['x', 'scales'], ['y'], { attributes: { mode: text(mode) } })],
      [floats('scales', [4], [1, 1, 1.5, 2])],
    ),
  ]),
  old(
    7,
    'BatchNormalization',
    [makeNode('BatchNormalization', ['x', 's', 'b', 'm', 'v'], ['y'], { attributes: { spatial: 1 } })],
    perChannel,
  ),
  old(7, 'Slice along some axes', [
    makeNode('Slice', ['x'], ['y'], { attributes: { starts: [1, -3], ends: [3, 100], axes: [1, 3] } }),
  ]),
  old(9, 'Slice along the first', [
    makeNode('Slice', ['x'], ['y'], { attributes: { starts: [0, 1], ends: [1, 3] } }),
  ]),
  old(7, 'TopK', [makeNode('TopK', ['x'], ['y', 'i'], { attributes: { axis: 1, k: 2 } })]),
  old(7, 'Clip to two bounds', [
    makeNode('Clip', ['x'], ['y'], { attributes: { min: { float: -0.25 }, max: { float: 0.25 } } }),
  ]),
  old(7, 'Clip to one', [makeNode('Clip', ['x'], ['y'], { attributes: { max: { float: 0.25 } } })]),
  old(7, 'Clip to none', [makeNode('Clip', ['x'], ['y'])]),
  old(7, 'Pad', [makeNode('Pad', ['x'], ['y'], { attributes: { pads: [0, 0, 1, 2, 0, 0, 3, 1] } })]),
  old(7, 'Pad by a value', [
    makeNode('Pad', ['x'], ['y'], { attributes: { pads: [0, 0, 1, 2, 0, 0, 3, 1], value: { float: 0.5 } } }),
  ]),
  old(7, 'Pad by what is mirrored', [
    makeNode('Pad', ['x'], ['y'], { attributes: { mode: text('reflect'), pads: [0, 0, 1, 2, 0, 0, 3, 1] } }),
  ]),
  old(7, 'Dropout', [makeNode('Dropout', ['x'], ['y'], { attributes: { ratio: { float: 0.3 } } })]),
  [
    'Dropout with a ratio',
    11,
    [makeNode('Dropout', ['x'], ['y'], { attributes: { ratio: { float: 0.3 } } })],
  ],
  [
    'Squeeze and Unsqueeze',
    11,
    [
      makeNode('Unsqueeze', ['x'], ['u'], { attributes: { axes: [0, 3] } }),
      makeNode('Squeeze', ['u'], ['y'], { attributes: { axes: [0] } }),
    ],
  ],
  [
    'Squeeze of all that can be',
    11,
    [
      makeNode('Unsqueeze', ['x'], ['u'], { attributes: { axes: [0, 3] } }),
      makeNode('Squeeze', ['u'], ['y']),
    ],
  ],
  ['Split with sizes', 11, split({ axis: 1, split: [1, 3] })],
  ['Split in equal parts', 11, split({ axis: 3 })],
  ['Split in equal parts', 13, split({ axis: 3 })],
  ...reductions.flatMap((name): Case[] => [
    [`Reduce${name} over axes`, 11, reduced(`Reduce${name}`, { axes: [1, -1], keepdims: 0 })],
    [`Reduce${name} over all`, 13, reduced(`Reduce${name}`)],
  ]),
  ...['Softmax', 'LogSoftmax', 'Hardmax'].flatMap((name): Case[] => [
    [`${name} over all but the first axis`, 11, [makeNode(name, ['x'], ['y'])]],
    [`${name} from an axis on`, 12, [makeNode(name, ['x'], ['y'], { attributes: { axis: -2 } })]],
    [`${name} over the last axis`, 12, [makeNode(name, ['x'], ['y'], { attributes: { axis: 3 } })]],
  ]),
  ['Resize to sizes', 11, resize, resizeConstants],
  [
    'BatchNormalization',
    11,
    [makeNode('BatchNormalization', ['x', 'a', 'b', 'a', 'c'], ['y'])],
    [floats('a', [4]), floats('b', [4]), floats('c', [4], [1, 2, 3, 4])],
  ],
  [
    'RoiAlign',
    11,
    [
      makeNode('RoiAlign', ['x', 'boxes', 'which'], ['y'], {
        attributes: { output_height: 3, output_width: 3 },
      }),
    ],
    [floats('boxes', [2, 4], [0.3, 0.4, 5, 4.5, 1.2, 0, 6, 5]), integers('which', [0, 1])],
  ],
  ...['bilinear', 'bicubic', 'nearest'].map(
    (mode): Case => [`GridSample, ${mode}`, 16, pooled(mode), [floats('grid', [2, 3, 5, 2])]],
  ),
  [
    'GridSample by default',
    16,
    [makeNode('GridSample', ['x', 'grid'], ['y'])],
    [floats('grid', [2, 3, 5, 2])],
  ],
  [
    'DFT along the axis that was the default',
    17,
    [
      makeNode('Unsqueeze', ['x', 'last'], ['u']),
      makeNode('DFT', ['u'], ['y'], { attributes: { onesided: 1 } }),
    ],
    [integers('last', [-1])],
  ],
  [
    'DFT along an axis',
    17,
    [
      makeNode('Unsqueeze', ['x', 'last'], ['u']),
      makeNode('DFT', ['u'], ['y'], { attributes: { axis: 3, inverse: 1 } }),
    ],
    [integers('last', [-1])],
  ],
  ['GroupNormalization', 18, norm, [floats('s', [2], [2, -3]), floats('b', [2], [5, 7])]],
  [
    'GroupNormalization with computed parameters',
    18,
    [makeNode('Neg', ['p'], ['s']), makeNode('Abs', ['p'], ['b']), ...norm],
    [floats('p', [2], [2, -3])],
  ],
];

const pool = { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], ceil_mode: 1 };

/** What got new versions that mean the same. */
const unchanged: Case[] = [
  ['MaxPool', 11, [makeNode('MaxPool', ['x'], ['y'], { attributes: pool })]],
  ['AveragePool', 11, [makeNode('AveragePool', ['x'], ['y'], { attributes: pool })]],
  [
    'AveragePool that counts what is padded',
    11,
    [makeNode('AveragePool', ['x'], ['y'], { attributes: { ...pool, count_include_pad: 1 } })],
  ],
  ['LpPool', 11, [makeNode('LpPool', ['x'], ['y'], { attributes: { kernel_shape: [3, 3] } })]],
  ...['nearest', 'linear', 'cubic'].map((text): Case => {
    const node = [makeNode('Resize', ['x', 'roi', 'scales'], ['y'], { attributes: { mode: { text } } })];
    return [
      `Resize by scales, ${text}`,
      11,
      node,
      [floats('roi', [0]), floats('scales', [4], [1, 1, 1.7, 2])],
    ];
  }),
  ...['constant', 'edge', 'reflect'].map((text): Case => {
    const node = [makeNode('Pad', ['x', 'pads'], ['y'], { attributes: { mode: { text } } })];
    return [`Pad, ${text}`, 11, node, [integers('pads', [0, 0, 1, 2, 0, 0, 2, -1])]];
  }),
  [
    'CumSum, Pow, Clip, Mod and Shape',
    12,
    [
      makeNode('CumSum', ['x', 'axis'], ['c']),
      makeNode('Pow', ['c', 'two'], ['p']),
      makeNode('Clip', ['p', '', 'two'], ['q']),
      makeNode('Mod', ['q', 'two'], ['m'], { attributes: { fmod: 1 } }),
      makeNode('Shape', ['x'], ['s']),
      makeNode('Reshape', ['m', 's'], ['y']),
    ],
    [integers('axis', [2]), floats('two', [], [2])],
  ],
];

const cases = [...listed, ...unchanged].map(([what, from, node, initializer = []]) => ({
  what,
  from,
  node,
  initializer,
}));

/** The nodes in both branches of an If, which computes y of what they do. */
function inBranches(node: readonly NodeProto[]): NodeProto[] {
  const computed = new Set(node.flatMap(({ output }) => output));
  const choice = makeNode('If', ['yes'], ['y']);
  for (const name of ['then_branch', 'else_branch']) {
    const renamed = (value: string) => (computed.has(value) ? `${value}_${name}` : value);
    const inner = node.map(({ opType, input, output, attribute }) =>
      Object.assign(makeNode(opType, input.map(renamed), output.map(renamed)), { attribute }),
    );
    const g = buildGraph({ node: inner, input: [], output: [anyOutput(renamed('y'))] });
    const type = AttributeProto_AttributeType.GRAPH;
    choice.attribute.push(create(AttributeProtoSchema, { name, type, g }));
  }
  const [value, to] = [{ value_int: 0 }, { to: DataType.BOOL }];
  return [
    makeNode('Constant', [], ['zero'], { attributes: value }),
    makeNode('Cast', ['zero'], ['yes'], { attributes: to }),
    choice,
  ];
}

describe('raising the opset keeps what a model computes:', () => {
  it.each(cases)('$what, from $from on', async ({ what, from, node, initializer }) => {
    for (const to of [from + 1, 13, 15, 18, 21, 22])
      if (to > from && to <= (newestOf[what] ?? 22)) await expectSame({ node, initializer }, from, to);
  });

  it.each(cases)('$what, from $from on, in branches', async ({ what, from, node, initializer }) => {
    await expectSame({ node: inBranches(node), initializer }, from, newestOf[what] ?? 22);
  });

  it('a Softmax over the axis that is the last, where ranks are known, stays one node', async () => {
    for (const axis of [3, -1]) {
      const node = [makeNode('Softmax', ['x'], ['y'], { attributes: { axis } })];
      const { graph } = await expectSame({ node }, 12, 22, new Map([['x', x.dims]]));
      expect(graph.node.map(({ opType }) => opType)).toEqual(['Softmax']);
    }
    const node = [makeNode('Softmax', ['x'], ['y'], { attributes: { axis: 1 } })];
    const { graph } = await expectSame({ node }, 12, 22, new Map([['x', x.dims]]));
    expect(graph.node.map(({ opType }) => opType)).toEqual(['Shape', 'Flatten', 'Softmax', 'Reshape']);
  });
});
