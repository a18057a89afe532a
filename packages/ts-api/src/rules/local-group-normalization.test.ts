import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Tensor } from 'onnxruntime-common';
import { describe, expect, it } from 'vitest';
import { roundedToFloat16 } from '../../../../test/fixtures/float16.js';
import {
  buildBytes,
  buildModel,
  floats,
  type GraphParts,
  halves,
  integers,
  type Versions,
  valueInfo,
} from '../../test/build-model.js';
import { convert } from '../../test/convert.js';
import { temporaryFolder, withExternalWeights } from '../../test/external-data.js';
import { largestDifference, localGroupNorm, noise } from '../../test/reference.js';
import { runModel } from '../../test/run-model.js';
import { Graph } from '../graph/graph.js';
import { decodeModel } from '../graph/model.js';
import { DataType, makeNode, type NodeProto, type TensorProto } from '../graph/proto.js';
import { InferenceSession } from '../session/inference-session.js';
import { verify } from '../verify.js';
import { rules } from './index.js';
import { localGroupNormalization } from './local-group-normalization.js';

const channels = 6;
const input = [valueInfo('x', ['batch', channels, 'height', 'width'])];
const weight = [1.5, -0.5, 2, 1, 0.25, -3];
const shift = [0.1, 0.2, -0.3, 0, 1, -1];
const ones = [1, 1, 1, 1, 1, 1];
const zeros = [0, 0, 0, 0, 0, 0];

interface Spelling {
  readonly title: string;
  readonly node: readonly NodeProto[];
  readonly initializer?: readonly TensorProto[];
  readonly opset?: number;
  /** Default: 2. */
  readonly groups?: number;
  /** What it scales and shifts by in all, per channel. Default: nothing. */
  readonly scale?: readonly number[];
  readonly bias?: readonly number[];
  readonly epsilon?: number;
  /** The nodes that are left beside the local one. Default: none. */
  readonly left?: readonly string[];
}

const constants = [
  floats('one', [2], [1, 1]),
  floats('zero', [2], [0, 0]),
  floats('groupScale', [2], [2, -0.5]),
  floats('groupBias', [2], [0.25, 1]),
  floats('weight', [6], weight),
  floats('shift', [6], shift),
  floats('weight3', [6, 1, 1], weight),
  floats('shift3', [6, 1, 1], shift),
  floats('weight4', [1, 6, 1, 1], weight),
  floats('shift4', [1, 6, 1, 1], shift),
  integers('grouped', [0, 2, -1]),
  integers('axes', [1, 2]),
];

/** The model of these nodes, with those of the constants that they use, for which `more` may hold others of their names. */
function modelOf(
  node: readonly NodeProto[],
  more: readonly TensorProto[] = [],
  { opset = 17, ...parts }: Partial<GraphParts> & Versions = {},
): Uint8Array {
  const others = constants.filter(({ name }) => !more.some((one) => one.name === name));
  const isRead = ({ name }: TensorProto) => node.some((one) => one.input.includes(name));
  const initializer = [...more, ...others].filter(isRead);
  return buildBytes({ node, initializer, input, ...parts }, { opset });
}

const perGroup = (values: readonly [number, number]) =>
  Array.from({ length: channels }, (_, i) => values[i < 3 ? 0 : 1]);

function groupNorm(parameters: readonly string[], attributes = {}): NodeProto {
  return makeNode('GroupNormalization', ['x', ...parameters], ['y'], {
    name: 'norm',
    attributes: { num_groups: 2, ...attributes },
  });
}

const regroup = makeNode('Reshape', ['x', 'grouped'], ['g']);
const shape = makeNode('Shape', ['x'], ['shape']);

function norm(from: string, to: string, parameters: readonly string[] = ['one', 'zero']): NodeProto {
  return makeNode('InstanceNormalization', [from, ...parameters], [to], { name: 'norm' });
}

/** From the reshape to `back`, an image again. */
function exported(back: string, parameters?: readonly string[]): NodeProto[] {
  return [regroup, norm('g', 'n', parameters), shape, makeNode('Reshape', ['n', 'shape'], [back])];
}

const spellings: readonly Spelling[] = [
  {
    title: 'GroupNormalization with parameters per group',
    node: [groupNorm(['groupScale', 'groupBias'], { epsilon: { float: 0.1 } })],
    opset: 18,
    scale: perGroup([2, -0.5]),
    bias: perGroup([0.25, 1]),
    epsilon: 0.1,
  },
  {
    title: 'GroupNormalization with computed parameters per group',
    node: [
      makeNode('Neg', ['groupScale'], ['scale']),
      makeNode('Neg', ['groupBias'], ['bias']),
      groupNorm(['scale', 'bias']),
    ],
    opset: 18,
    scale: perGroup([-2, 0.5]),
    bias: perGroup([-0.25, -1]),
    left: ['Expand', 'Expand', 'Neg', 'Neg', 'Reshape', 'Reshape', 'Reshape', 'Reshape'],
  },
  {
    title: 'GroupNormalization with parameters per channel',
    node: [groupNorm(['weight', 'shift'], { stash_type: 1 })],
    opset: 21,
    scale: weight,
    bias: shift,
  },
  {
    title: 'GroupNormalization with computed parameters per channel',
    node: [makeNode('Neg', ['weight'], ['scale']), groupNorm(['scale', 'shift'])],
    opset: 21,
    scale: weight.map((value) => -value),
    bias: shift,
    left: ['Neg'],
  },
  {
    title: 'its exported form',
    node: [
      ...exported('image'),
      makeNode('Mul', ['image', 'weight3'], ['scaled']),
      makeNode('Add', ['scaled', 'shift3'], ['y']),
    ],
    scale: weight,
    bias: shift,
  },
  {
    title: 'its exported form below opset 12',
    opset: 11,
    node: [
      ...exported('image'),
      makeNode('Mul', ['weight4', 'image'], ['scaled']),
      makeNode('Add', ['shift4', 'scaled'], ['y']),
    ],
    scale: weight,
    bias: shift,
  },
  {
    title: 'its exported form, parameters unsqueezed by nodes',
    node: [
      makeNode('Unsqueeze', ['weight', 'axes'], ['w']),
      makeNode('Unsqueeze', ['shift', 'axes'], ['s']),
      ...exported('image'),
      makeNode('Mul', ['image', 'w'], ['scaled']),
      makeNode('Add', ['scaled', 's'], ['y']),
    ],
    scale: weight,
    bias: shift,
    left: ['Reshape', 'Reshape', 'Unsqueeze', 'Unsqueeze'],
  },
  {
    title: 'its exported form with parameters of the inner norm',
    node: [
      ...exported('image', ['groupScale', 'groupBias']),
      makeNode('Mul', ['image', 'weight3'], ['scaled']),
      makeNode('Add', ['scaled', 'shift3'], ['y']),
    ],
    scale: perGroup([2, -0.5]).map((one, i) => one * (weight[i] as number)),
    bias: perGroup([0.25, 1]).map((one, i) => one * (weight[i] as number) + (shift[i] as number)),
  },
  {
    title: 'its exported form with computed parameters of the inner norm',
    node: [
      makeNode('Neg', ['groupScale'], ['gs']),
      makeNode('Neg', ['groupBias'], ['gb']),
      ...exported('image', ['gs', 'gb']),
      makeNode('Mul', ['image', 'weight3'], ['scaled']),
      makeNode('Add', ['scaled', 'shift3'], ['y']),
    ],
    scale: perGroup([-2, 0.5]).map((one, i) => one * (weight[i] as number)),
    bias: perGroup([-0.25, -1]).map((one, i) => one * (weight[i] as number) + (shift[i] as number)),
    left: [
      'Add',
      'Expand',
      'Expand',
      'Mul',
      'Mul',
      'Neg',
      'Neg',
      ...['Reshape', 'Reshape', 'Reshape', 'Reshape'],
    ],
  },
  { title: 'its exported form without a scale and a shift', node: exported('y') },
  {
    title: 'its exported form without a shift',
    node: [...exported('image'), makeNode('Mul', ['image', 'weight3'], ['y'])],
    scale: weight,
  },
  {
    title: 'its exported form without a scale',
    node: [...exported('image'), makeNode('Add', ['image', 'shift4'], ['y'])],
    bias: shift,
  },
  {
    title: 'its exported form scaled by one number',
    node: [...exported('image'), makeNode('Mul', ['image', 'half'], ['y'])],
    initializer: [floats('half', [], [0.5])],
    scale: ones.map(() => 0.5),
  },
  {
    title: 'its exported form by shapes that are computed or constant',
    node: [
      shape,
      makeNode('Slice', ['shape', 'from0', 'to1'], ['batch']),
      makeNode('Concat', ['batch', 'tail'], ['target'], { attributes: { axis: 0 } }),
      makeNode('Reshape', ['x', 'target'], ['g']),
      norm('g', 'n'),
      makeNode('Slice', ['shape', 'from2', 'to4'], ['sides']),
      makeNode('Concat', ['batch', 'six', 'sides'], ['whole'], { attributes: { axis: 0 } }),
      makeNode('Reshape', ['n', 'whole'], ['y']),
    ],
    initializer: [
      integers('from0', [0]),
      integers('to1', [1]),
      integers('tail', [2, -1]),
      integers('from2', [2]),
      integers('to4', [4]),
      integers('six', [6]),
    ],
  },
  {
    title: 'its exported form with nodes in between that do nothing',
    node: [
      regroup,
      makeNode('Identity', ['g'], ['g1']),
      norm('g1', 'n'),
      makeNode('Dropout', ['n'], ['n1']),
      shape,
      makeNode('Reshape', ['n1', 'shape'], ['image']),
      makeNode('Identity', ['image'], ['image1']),
      makeNode('Mul', ['image1', 'weight3'], ['scaled']),
      makeNode('Dropout', ['scaled'], ['scaled1']),
      makeNode('Add', ['scaled1', 'shift3'], ['all']),
      makeNode('Clip', ['all', '', 'limit'], ['y']), // an input left out has the name of a mask left out
    ],
    initializer: [floats('limit', [], [100])],
    scale: weight,
    bias: shift,
    left: ['Clip'],
  },
  {
    title: 'its exported form, groups of rank 4',
    node: [
      makeNode('Reshape', ['x', 'tall'], ['g']),
      norm('g', 'n'),
      shape,
      makeNode('Reshape', ['n', 'shape'], ['y']),
    ],
    initializer: [integers('tall', [0, 2, -1, 1])],
  },
  {
    title: 'InstanceNormalization of planes laid in rows',
    node: [
      makeNode('Reshape', ['x', 'rows'], ['g']),
      norm('g', 'n', ['weight', 'shift']),
      shape,
      makeNode('Reshape', ['n', 'shape'], ['y']),
    ],
    initializer: [integers('rows', [0, 6, -1])],
    groups: 6,
    scale: weight,
    bias: shift,
  },
  {
    title: 'its exported form, leaving a shift of what is used twice',
    node: [
      ...exported('image'),
      makeNode('Mul', ['image', 'weight3'], ['scaled']),
      makeNode('Add', ['scaled', 'shift3'], ['shifted']),
      makeNode('Sub', ['shifted', 'scaled'], ['difference']), // the shift, as if on its own
      makeNode('Add', ['scaled', 'difference'], ['y']),
    ],
    scale: weight,
    bias: shift,
    left: ['Add', 'Add', 'Sub'],
  },
  {
    title: 'its exported form, leaving what follows when the result is used twice',
    node: [
      ...exported('image'),
      makeNode('Mul', ['image', 'weight3'], ['scaled']),
      makeNode('Sub', ['image', 'image'], ['nothing']),
      makeNode('Add', ['scaled', 'nothing'], ['y']),
    ],
    scale: weight,
    left: ['Add', 'Mul', 'Sub'],
  },
  {
    title: 'its exported form, leaving a scale of the image by itself',
    node: [
      ...exported('image'),
      makeNode('Mul', ['image', 'image'], ['squared']),
      makeNode('Sqrt', ['squared'], ['size']),
      makeNode('Sign', ['x'], ['sign']),
      makeNode('Mul', ['size', 'none'], ['zeros']),
      makeNode('Add', ['zeros', 'shift3'], ['y']),
    ],
    initializer: [floats('none', [1], [0])],
    scale: zeros,
    bias: shift,
    left: ['Add', 'Mul', 'Mul', 'Sign', 'Sqrt'],
  },
];

describe('local-group-normalization', () => {
  it.each(spellings)('makes $title local', async (one) => {
    const { groups = 2, scale = ones, bias = zeros, epsilon = 1e-5, left = [] } = one;
    const source = modelOf(one.node, one.initializer, { opset: one.opset ?? 17 });
    const { model, report } = await convert(source, { trainSize: 16, baseSize: [8, 12] });
    expect(report.sites).toEqual([
      {
        node: 'norm',
        rule: 'local-group-normalization',
        operator: 'LocalGroupNormalization',
        featureSize: [16, 16],
        window: [8, 12],
      },
    ]);
    const { graph } = decodeModel(model, 'the model');
    const kinds = graph.node.map(({ opType }) => opType).sort();
    expect(kinds).toEqual([...left, 'LocalGroupNormalization'].sort());
    const x = noise([2, 6, 21, 19]);
    const expected = localGroupNorm(x, scale, bias, { groups, window: [8, 12] }, epsilon);
    for (const operators of ['native', 'portable'] as const)
      expect(largestDifference(await runModel(model, x, operators), expected)).toBeLessThan(1e-5);
  });

  it('leaves a scale that comes from the image', async () => {
    const node = [
      makeNode('Slice', ['x', 'start', 'end', 'sides'], ['corner']), // per image and channel
      ...exported('image'),
      makeNode('Mul', ['image', 'corner'], ['y']),
    ];
    const initializer = [integers('start', [0, 0]), integers('end', [1, 1]), integers('sides', [2, 3])];
    const { model } = await convert(modelOf(node, initializer), { trainSize: 16, baseSize: 8 });
    const x = noise([2, 6, 21, 19]);
    const normalized = localGroupNorm(x, ones, zeros, { groups: 2, window: [8, 8] }, 1e-5);
    const expected = normalized.map((one, i) => one * (x.data[i - (i % (21 * 19))] as number));
    for (const operators of ['native', 'portable'] as const)
      expect(largestDifference(await runModel(model, x, operators), expected)).toBeLessThan(1e-5);
  });

  it('makes what a Reshape made local as images, where it kept planes', async () => {
    const node = [
      shape,
      makeNode('Slice', ['shape', 'from2', 'to4'], ['sides']),
      makeNode('Concat', ['pairs', 'sides'], ['target'], { attributes: { axis: 0 } }),
      makeNode('Reshape', ['x', 'target'], ['images']),
      norm('images', 'n', ['weight2', 'shift2']),
      makeNode('Reshape', ['n', 'shape'], ['y']),
    ];
    const initializer = [
      integers('pairs', [-1, 2]),
      integers('from2', [2]),
      integers('to4', [4]),
      floats('weight2', [2], [1, 2]),
      floats('shift2', [2], [0, 1]),
    ];
    const { model, report } = await convert(modelOf(node, initializer), {
      trainSize: 16,
      baseSize: 8,
    });
    expect(report.sites).toMatchObject([{ node: 'norm', operator: 'LocalInstanceNormalization' }]);
    const x = noise([1, 6, 21, 19]);
    const expected = localGroupNorm(
      x,
      [1, 2, 1, 2, 1, 2],
      [0, 1, 0, 1, 0, 1],
      { groups: 6, window: [8, 8] },
      1e-5,
    );
    expect(largestDifference(await runModel(model, x, 'native'), expected)).toBeLessThan(1e-5);
  });

  it('tells images from groups where the groups of another normalization have rank 4', async () => {
    const node = [
      makeNode('Reshape', ['x', 'tall'], ['g']),
      makeNode('InstanceNormalization', ['g', 'one', 'zero'], ['n'], { name: 'groups' }),
      shape,
      makeNode('Reshape', ['n', 'shape'], ['image']),
      norm('image', 'y', ['weight', 'shift']),
    ];
    const { model, report } = await convert(modelOf(node, [integers('tall', [0, 2, -1, 1])]), {
      trainSize: 16,
      baseSize: 8,
    });
    expect(report.sites.map(({ operator }) => operator)).toEqual([
      'LocalGroupNormalization',
      'LocalInstanceNormalization',
    ]);
    const x = noise([2, 6, 21, 19]);
    const grouped = localGroupNorm(x, ones, zeros, { groups: 2, window: [8, 8] }, 1e-5);
    const image = new Tensor('float32', Float32Array.from(grouped), x.dims);
    const expected = localGroupNorm(image, weight, shift, { groups: 6, window: [8, 8] }, 1e-5);
    for (const operators of ['native', 'portable'] as const)
      expect(largestDifference(await runModel(model, x, operators), expected)).toBeLessThan(1e-4);
  });

  it('passes the self-check', async () => {
    const node = [
      ...exported('image'),
      makeNode('Mul', ['image', 'weight3'], ['scaled']),
      makeNode('Add', ['scaled', 'shift3'], ['y']),
    ];
    const source = modelOf(node);
    const { model } = await convert(source, { trainSize: 16 });
    await expect(verify(source, model, { fullSize: [40, 50] })).resolves.toMatchObject({ passed: true });
  });

  it('refuses a model that runs at one width alone, for a scale along it', async () => {
    const node = [...exported('image'), makeNode('Mul', ['image', 'weight'], ['y'], { name: 'scaling' })];
    await expect(convert(modelOf(node), { trainSize: [16, 6] })).rejects.toMatchObject({
      code: 'ERR_UNSUPPORTED_MODEL',
      message: expect.stringMatching(/runs on images of 16x6 alone.*: scaling cannot run on an image of/),
    });
  });

  it('leaves a scale that is random', async () => {
    const random = makeNode('RandomUniform', [], ['noise'], { attributes: { shape: [1, 6, 1, 1] } });
    const node = [random, ...exported('image'), makeNode('Mul', ['image', 'noise'], ['y'])];
    const { model } = await convert(modelOf(node), { trainSize: 16 });
    const { graph } = decodeModel(model, 'the model');
    expect(graph.node.map(({ opType }) => opType)).toEqual([
      'RandomUniform',
      'LocalGroupNormalization',
      'Mul',
    ]);
  });

  it('takes exact windows in fast mode', async () => {
    const { model, report } = await convert(modelOf(exported('y')), {
      trainSize: 16,
      baseSize: 12,
      fast: true,
    });
    expect(report.sites).toMatchObject([{ window: [12, 12], maxStride: undefined }]);
    const x = noise([1, 6, 25, 30]);
    const expected = localGroupNorm(x, ones, zeros, { groups: 2, window: [12, 12] }, 1e-5);
    for (const operators of ['native', 'portable'] as const)
      expect(largestDifference(await runModel(model, x, operators), expected)).toBeLessThan(1e-5);
  });

  const float16Spellings: readonly { title: string; opset: number; node: readonly NodeProto[] }[] = [
    { title: 'GroupNormalization', opset: 21, node: [groupNorm(['weight', 'shift'])] },
    {
      title: 'its exported form',
      opset: 17,
      node: [
        ...exported('image'),
        makeNode('Mul', ['image', 'weight3'], ['scaled']),
        makeNode('Add', ['scaled', 'shift3'], ['y']),
      ],
    },
  ];

  it.each(float16Spellings)('makes $title in float16 local', async ({ opset, node }) => {
    const initializer = [
      halves('one', [2], [1, 1]),
      halves('zero', [2], [0, 0]),
      halves('weight', [6], weight),
      halves('shift', [6], shift),
      halves('weight3', [6, 1, 1], weight),
      halves('shift3', [6, 1, 1], shift),
    ];
    const [first = regroup, ...rest] = node.map((one) =>
      makeNode(
        one.opType,
        one.input.map((name) => (name === 'x' ? 'h' : name)),
        one.output.map((name) => (name === 'y' ? 'z' : name)),
        { name: one.name, attributes: one.opType === 'GroupNormalization' ? { num_groups: 2 } : {} },
      ),
    );
    const toHalves = makeNode('Cast', ['x'], ['h'], { attributes: { to: DataType.FLOAT16 } });
    const toFloats = makeNode('Cast', ['z'], ['y'], { attributes: { to: DataType.FLOAT } });
    const nodes = [toHalves, first, ...rest, toFloats];
    const { model } = await convert(modelOf(nodes, initializer, { opset }), {
      trainSize: 16,
      baseSize: [8, 12],
    });
    const plane = noise([2, 6, 21, 19]);
    const x = new Tensor('float32', (plane.data as Float32Array).map(roundedToFloat16), plane.dims);
    const parameters = [weight.map(roundedToFloat16), shift.map(roundedToFloat16)] as const;
    const expected = localGroupNorm(x, ...parameters, { groups: 2, window: [8, 12] }, 1e-5);
    // Half a step at values below 16.
    for (const operators of ['native', 'portable'] as const)
      expect(largestDifference(await runModel(model, x, operators), expected)).toBeLessThan(2 ** -8 + 1e-5);
  });

  it('makes it local in float32 where float16 is cast around the normalization', async () => {
    const [reshape = regroup, inner = regroup, sides = regroup, back = regroup] = exported('z');
    const rename = (one: NodeProto, from: string, to: string) =>
      makeNode(
        one.opType,
        one.input.map((name) => (name === from ? to : name)),
        one.output,
        { name: one.name },
      );
    const cast = (from: string, to: string, type: DataType) =>
      makeNode('Cast', [from], [to], { attributes: { to: type } });
    const [grouped = '', normalized = ''] = [reshape.output[0], inner.output[0]];
    const nodes = [
      cast('x', 'h', DataType.FLOAT16),
      rename(reshape, 'x', 'h'),
      rename(sides, 'x', 'h'),
      cast(grouped, 'wide', DataType.FLOAT),
      rename(inner, grouped, 'wide'),
      cast(normalized, 'narrow', DataType.FLOAT16),
      rename(back, normalized, 'narrow'),
      makeNode('Mul', ['z', 'weight3'], ['scaled']),
      cast('scaled', 'y', DataType.FLOAT),
    ];
    const parameters = [floats('one', [2], [1, 1]), floats('zero', [2], [0, 0])];
    const bytes = modelOf(nodes, [...parameters, halves('weight3', [6, 1, 1], weight)], {});
    const { model, report } = await convert(bytes, { trainSize: 16, baseSize: [8, 12] });
    expect(report.sites).toMatchObject([{ operator: 'LocalGroupNormalization' }]);
    const plane = noise([2, 6, 21, 19]);
    const x = new Tensor('float32', (plane.data as Float32Array).map(roundedToFloat16), plane.dims);
    const expected = localGroupNorm(x, weight, zeros, { groups: 2, window: [8, 12] }, 1e-5);
    for (const operators of ['native', 'portable'] as const)
      expect(largestDifference(await runModel(model, x, operators), expected)).toBeLessThan(2 ** -7);
  });

  it('shares no node with another rule', () => {
    const node = [...exported('y'), groupNorm(['weight', 'shift']), norm('x', 'z', ['weight', 'shift'])];
    const graph = new Graph(buildModel({ node, initializer: constants }).graph);
    const recognized = node.map((one) => rules.filter((rule) => rule.recognizes(graph, one)));
    expect(recognized.map((found) => found.map(({ name }) => name))).toEqual([
      [],
      ['local-group-normalization'],
      [],
      [],
      ['local-group-normalization'],
      ['local-instance-normalization'],
    ]);
    expect(localGroupNormalization.recognizes(graph, regroup)).toBe(false);
  });

  const nearMisses: readonly {
    title: string;
    node: readonly NodeProto[];
    initializer?: readonly TensorProto[];
    reason: string;
  }[] = [
    {
      title: 'groups that are not whole channels',
      node: [
        makeNode('Reshape', ['x', 'target'], ['g'], { name: 'regroup' }),
        norm('g', 'n', ['four', 'four']),
        shape,
        makeNode('Reshape', ['n', 'shape'], ['y']),
      ],
      initializer: [integers('target', [0, 4, -1]), floats('four', [4], [1, 1, 1, 1])],
      reason:
        'its input is reshaped from 1x6x16x16 to 1x4x384 by regroup, to groups that are not whole channels',
    },
    {
      title: 'groups across images',
      node: [
        makeNode('Reshape', ['x', 'target'], ['g'], { name: 'regroup' }),
        norm('g', 'n'),
        shape,
        makeNode('Reshape', ['n', 'shape'], ['y']),
      ],
      initializer: [integers('target', [3, 2, -1])],
      reason:
        'its input is reshaped from 1x6x16x16 to 3x2x256 by regroup, to groups that are not whole channels',
    },
    {
      title: 'signals of rank 3',
      node: [
        makeNode('Reshape', ['x', 'rows'], ['signal']),
        makeNode('Reshape', ['signal', 'grouped'], ['g']),
        norm('g', 'n'),
        shape,
        makeNode('Reshape', ['n', 'shape'], ['y']),
      ],
      initializer: [integers('rows', [0, 6, -1])],
      reason: 'its input has rank 3, not 4',
    },
    {
      title: 'GroupNormalization of rank 3',
      node: [
        makeNode('Reshape', ['x', 'rows'], ['signal']),
        makeNode('GroupNormalization', ['signal', 'weight', 'shift'], ['n'], {
          name: 'norm',
          attributes: { num_groups: 2 },
        }),
        shape,
        makeNode('Reshape', ['n', 'shape'], ['y']),
      ],
      initializer: [integers('rows', [0, 6, -1])],
      reason: 'its input has rank 3, not 4',
    },
    {
      title: 'groups that are used elsewhere, too',
      node: [
        ...exported('image'),
        makeNode('ReduceMax', ['n'], ['most'], { attributes: { axes: [0, 1, 2] } }),
        makeNode('Add', ['image', 'most'], ['y']),
      ],
      reason: 'what it makes of its groups is used elsewhere than in one reshape back to images',
    },
    {
      title: 'groups that are not reshaped back at once',
      node: [
        regroup,
        norm('g', 'n'),
        makeNode('Relu', ['n'], ['positive']),
        shape,
        makeNode('Reshape', ['positive', 'shape'], ['y']),
      ],
      reason: 'what it makes of its groups is used elsewhere than in one reshape back to images',
    },
    {
      title: 'groups that become other images',
      node: [regroup, norm('g', 'n'), makeNode('Reshape', ['n', 'other'], ['y'], { name: 'back' })],
      initializer: [integers('other', [0, 3, 32, -1])],
      reason: 'its groups are reshaped by back to 1x3x32x16, not back to 1x6x16x16',
    },
    {
      title: 'another step between the reshape and the norm',
      node: [
        makeNode('Reshape', ['x', 'grouped'], ['g'], { name: 'regroup' }),
        makeNode('Relu', ['g'], ['positive'], { name: 'relu' }),
        norm('positive', 'n'),
        shape,
        makeNode('Reshape', ['n', 'shape'], ['y']),
      ],
      reason: 'relu (Relu) lies between it and regroup',
    },
    {
      title: 'parameters that are neither per group nor per channel',
      node: [groupNorm(['lone', 'lone'])],
      initializer: [floats('lone', [1], [1])],
      reason: 'its parameter lone has 1 values, not 2 or 6',
    },
    {
      title: 'groups in float64',
      node: [
        makeNode('Cast', ['x'], ['double'], { attributes: { to: DataType.DOUBLE } }),
        makeNode('Cast', ['weight'], ['w'], { attributes: { to: DataType.DOUBLE } }),
        makeNode('GroupNormalization', ['double', 'w', 'w'], ['n'], {
          name: 'norm',
          attributes: { num_groups: 2 },
        }),
        makeNode('Cast', ['n'], ['y'], { attributes: { to: DataType.FLOAT } }),
      ],
      reason: 'its input is float64; only float32 and float16 can be converted',
    },
  ];

  it.each(nearMisses)('refuses $title', async ({ node, initializer = [], reason }) => {
    const opset = node.some(({ opType }) => opType === 'GroupNormalization') ? 21 : 17;
    await expect(convert(modelOf(node, initializer, { opset }), { trainSize: 16 })).rejects.toMatchObject({
      code: 'ERR_NOT_LOCALIZABLE',
      message: expect.stringContaining(`norm: ${reason}`),
    });
  });

  it.each([
    {
      title: 'by its operator',
      opset: 21,
      inner: [
        makeNode('GroupNormalization', ['mean', 'weight', 'shift'], ['normal'], {
          name: 'norm',
          attributes: { num_groups: 2 },
        }),
      ],
    },
    {
      title: 'in its exported form',
      opset: 17,
      inner: [
        makeNode('Reshape', ['mean', 'grouped'], ['g'], { name: 'regroup' }),
        norm('g', 'n'),
        makeNode('Shape', ['mean'], ['shape']),
        makeNode('Reshape', ['n', 'shape'], ['normal']),
      ],
    },
  ])('refuses a pooled value that is normalized in groups $title', async ({ opset, inner }) => {
    const node = [
      makeNode('GlobalAveragePool', ['x'], ['mean'], { name: 'pool' }),
      ...inner,
      makeNode('Mul', ['x', 'normal'], ['y']),
    ];
    await expect(convert(modelOf(node, [], { opset }), { trainSize: 16 })).rejects.toMatchObject({
      code: 'ERR_NOT_LOCALIZABLE',
      message: expect.stringMatching(/pool: [^\n]*(norm|regroup)/),
    });
  });

  it('keeps the name and the notes of a normalization that is written out', async () => {
    const [first, normal, ...rest] = exported('image') as [NodeProto, NodeProto];
    normal.docString = 'of groups';
    const node = [first, normal, ...rest, makeNode('Mul', ['image', 'weight3'], ['y'], { name: 'scaling' })];
    const { model } = await convert(modelOf(node), { trainSize: 16 });
    expect(decodeModel(model, 'the model').graph.node).toMatchObject([
      { name: 'norm', docString: 'of groups' },
    ]);
    normal.name = '';
    const unnamed = await convert(modelOf(node), { trainSize: 16 });
    expect(decodeModel(unnamed.model, 'the model').graph.node).toMatchObject([{ name: 'scaling' }]);
  });

  it('refuses the result as an output of the model before it is reshaped back', async () => {
    const node = [...exported('y')];
    const output = [valueInfo('y', ['n', 'c', 'h', 'w']), valueInfo('n', ['b', 'g', 'l'])];
    await expect(convert(modelOf(node, [], { output }), { trainSize: 16 })).rejects.toMatchObject({
      code: 'ERR_NOT_LOCALIZABLE',
      message: expect.stringContaining(
        'norm: what it makes of its groups is used elsewhere than in one reshape back to images',
      ),
    });
  });

  it('reads parameters that lie in another file', async () => {
    const node = [
      ...exported('image', ['groupScale', 'groupBias']),
      makeNode('Mul', ['image', 'weight3'], ['y']),
    ];
    const bytes = modelOf(node);
    const { model: inTwoFiles, weights } = withExternalWeights(bytes, 'weights.bin');
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'weights.bin'), weights);
    const options = { trainSize: 8 };
    const { model } = await convert(inTwoFiles, { ...options, externalDataFolder: folder });
    const expected = await convert(bytes, options);
    const x = noise([1, channels, 21, 17]);
    const session = await InferenceSession.create(model, { externalDataFolder: folder });
    const { y } = await session.run({ x });
    await session.release();
    expect(y?.data).toEqual(await runModel(expected.model, x, 'native'));
  });
});
