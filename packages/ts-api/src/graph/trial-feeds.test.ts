import { create } from '@bufbuild/protobuf';
import {
  TensorProtoSchema,
  TypeProto_SequenceSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  ValueInfoProtoSchema,
} from 'onnx-buf';
import { describe, expect, it } from 'vitest';
import { buildBytes, buildModel, choose, floats, integers, valueInfo } from '../../test/build-model.js';
import { largestDifference, noise } from '../../test/reference.js';
import { convert } from '../convert.js';
import { inspect } from '../inspect.js';
import { floatsOf } from '../session/image-tensors.js';
import { InferenceSession } from '../session/inference-session.js';
import { verify } from '../verify.js';
import { measure } from './measure.js';
import { paintNoise } from './noise.js';
import { DataType, makeNode, type ValueInfoProto } from './proto.js';
import { trialFeeds } from './trial-feeds.js';
import { showFed, trialValuesOf } from './trial-values.js';

const node = [
  makeNode('GlobalAveragePool', ['x'], ['pooled'], { name: 'pool' }),
  makeNode('Mul', ['x', 'pooled'], ['y']),
];

async function dimsOf(...input: ValueInfoProto[]): Promise<Record<string, readonly number[]>> {
  const feeds = await trialFeeds(buildModel({ node, input }), [16, 24], 'm');
  return Object.fromEntries(Object.entries(feeds).map(([name, { dims }]) => [name, dims]));
}

/** The same for two images at once, or as many as the model wants. */
async function dimsOfTwo(...input: ValueInfoProto[]): Promise<(readonly number[])[]> {
  const feeds = await trialFeeds(buildModel({ node, input }), [16, 24], 'm', undefined, undefined, 2);
  return Object.values(feeds).map(({ dims }) => dims);
}

function sequence(name: string): ValueInfoProto {
  const value = create(TypeProto_SequenceSchema, {});
  return create(ValueInfoProtoSchema, {
    name,
    type: create(TypeProtoSchema, { value: { case: 'sequenceType', value } }),
  });
}

function withoutShape(name: string): ValueInfoProto {
  const value = create(TypeProto_TensorSchema, { elemType: DataType.FLOAT });
  return create(ValueInfoProtoSchema, {
    name,
    type: create(TypeProtoSchema, { value: { case: 'tensorType', value } }),
  });
}

describe('trialFeeds', () => {
  it.each<[string, (number | string)[], number[]]>([
    ['a fixed batch', [2, 3, 'h', 'w'], [2, 3, 16, 24]],
    ['a free batch', ['n', 3, 'h', 'w'], [1, 3, 16, 24]],
    ['dimensions without names', ['', 1, '', ''], [1, 1, 16, 24]],
    ['dimensions below 0', [-1, 3, -1, -1], [1, 3, 16, 24]],
    ['the very size', [1, 3, 16, 24], [1, 3, 16, 24]],
  ])('makes an image for %s', async (_, shape, dims) => {
    expect(await dimsOf(valueInfo('x', shape))).toEqual({ x: dims });
  });

  it.each([
    ['an image', valueInfo('x', ['n', 2 ** 20, 'h', 'w'])],
    ['anything else', valueInfo('x', [2 ** 30])],
  ])('makes nothing as large as strangers may declare %s', async (_, input) => {
    await expect(dimsOf(valueInfo('photo', [1, 3, 'h', 'w']), input)).rejects.toMatchObject({
      code: 'ERR_UNSUPPORTED_MODEL',
      parameter: 'x',
      message: expect.stringContaining('more than 67108864 values'),
    });
  });

  it('makes an image for every input that takes one, and gives names one size', async () => {
    const inputs = [
      valueInfo('x', ['n', 3, 'h', 'w']),
      valueInfo('depth', ['n', 1, '', '']),
      valueInfo('rows', ['h', 'steps', 5]),
      valueInfo('kernel', [1, 3, 7, 7]),
      valueInfo('level', []),
      valueInfo('h', ['w'], DataType.INT64),
    ];
    expect(await dimsOf(...inputs)).toEqual({
      x: [1, 3, 16, 24],
      depth: [1, 1, 16, 24],
      rows: [16, 1, 5],
      kernel: [1, 3, 7, 7],
      level: [],
      h: [24],
    });
  });

  const { FLOAT, DOUBLE, FLOAT16, INT8, UINT8, INT16, UINT16, INT32, UINT32, INT64, UINT64, BOOL } = DataType;

  it('has values of every type that tensors have', async () => {
    const types = [FLOAT, DOUBLE, FLOAT16, INT8, UINT8, INT16, UINT16, INT32, UINT32, INT64, UINT64, BOOL];
    const others = types.map((type) => valueInfo(DataType[type], [2], type));
    const outputs = others.map(({ name }, i) => valueInfo(`${name}_out`, [2], types[i] as DataType));
    const identities = others.map(({ name }) => makeNode('Identity', [name], [`${name}_out`]));
    const parts = {
      node: [...node, ...identities],
      input: [valueInfo('x', ['n', 3, 'h', 'w']), ...others],
      output: [valueInfo('y', ['n', 3, 'h', 'w']), ...outputs],
    };
    const feeds = await trialFeeds(buildModel(parts), [8, 8], 'm');
    const session = await InferenceSession.create(buildBytes(parts));
    const { y, ...results } = await session.run(feeds);
    expect(y?.data).toEqual(new Float32Array(3 * 8 * 8));
    expect(Object.keys(results)).toHaveLength(12);
    for (const tensor of Object.values(results)) {
      const values = [...((await floatsOf(tensor)) ?? (tensor.data as Float64Array))].map(Number);
      const isFloat = tensor.type.startsWith('float');
      for (const value of values) {
        if (!isFloat) expect(value).toBe(1);
        expect(value).toBeGreaterThanOrEqual(isFloat ? 0.25 : 1);
        expect(value).toBeLessThanOrEqual(isFloat ? 0.75 : 1);
      }
      expect(new Set(values).size).toBe(isFloat ? 2 : 1);
    }
    await session.release();
  });

  it('paints each image and fills each vector in its own way, the same each time', async () => {
    const image = ['n', 3, 'h', 'w'] as const;
    const input = [
      valueInfo('x', image),
      valueInfo('mask', image),
      ...['a', 'b'].map((v) => valueInfo(v, [3])),
    ];
    const model = buildModel({ node, input });
    const [first, again] = [
      await trialFeeds(model, [8, 8], 'm', paintNoise),
      await trialFeeds(model, [8, 8], 'm', paintNoise),
    ];
    expect(first).toEqual(again);
    expect(first?.x?.data).not.toEqual(first?.mask?.data);
    expect(first?.a?.data).not.toEqual(first?.b?.data);
  });

  it('leaves initializers that are listed as inputs to the model', async () => {
    const bias = floats('bias', [1]);
    const model = buildModel(
      { node, initializer: [bias], input: [valueInfo('x', ['n', 3, 'h', 'w']), valueInfo('bias', [1])] },
      { irVersion: 3, opset: 11 },
    );
    expect(Object.keys(await trialFeeds(model, [8, 8], 'm'))).toEqual(['x']);
  });

  it.each<[string, ValueInfoProto, string]>([
    ['of strings', valueInfo('other', [1], DataType.STRING), 'input other is of type string'],
    ['of complex numbers', valueInfo('other', [1], DataType.COMPLEX64), 'input other is of type complex64'],
    ['that is a sequence', sequence('other'), 'input other is no tensor'],
    ['of unknown rank', withoutShape('other'), 'input other is of unknown rank'],
    [
      'of unknown channels',
      valueInfo('other', [1, '', '', '']),
      'input other of m does not say how many channels',
    ],
  ])('refuses an input %s', async (_, other, message) => {
    await expect(dimsOf(valueInfo('x', [1, 3, 'h', 'w']), other)).rejects.toMatchObject({
      code: 'ERR_UNSUPPORTED_MODEL',
      parameter: 'other',
      message: expect.stringContaining(message),
    });
  });

  it('refuses a model without an image input, and lists what it takes', async () => {
    await expect(dimsOf(valueInfo('a', [1]), sequence('b'), withoutShape('c'))).rejects.toMatchObject({
      code: 'ERR_UNSUPPORTED_MODEL',
      message:
        'm has no input that takes images, N×C×H×W or N×H×W×C; it has a of rank 1; b, no tensor; c of unknown rank',
    });
  });
});

describe('trialValuesOf', () => {
  const image = valueInfo('x', ['n', 3, 'h', 'w']);

  it('has one choice where there are only images', () => {
    expect(trialValuesOf(buildModel({ node, input: [image] }), [8, 8])).toHaveLength(1);
  });

  it('has choices for the kinds of inputs that there are, no two alike', () => {
    const input = [image, valueInfo('level', []), valueInfo('flag', [], DataType.BOOL)];
    const choices = trialValuesOf(buildModel({ node, input }), [8, 8]);
    expect(new Set(choices.map(({ floats: range, booleans }) => `${range} ${booleans}`)).size).toBe(8);
    expect(new Set(choices.map(({ integers: whole }) => whole))).toEqual(new Set([1]));
  });

  it('are told as what the inputs get', () => {
    const kinds = { level: DataType.FLOAT, flag: DataType.BOOL, task: DataType.INT64 };
    const input = [image, ...Object.entries(kinds).map(([name, type]) => valueInfo(name, [], type))];
    const model = buildModel({ node, input });
    const [first] = trialValuesOf(model, [8, 8]);
    const ones = trialValuesOf(model, [8, 8]).find(({ floats: [low] }) => low === 1);
    const shown = [first, ones].map((values) => values && showFed(model, [8, 8], values));
    expect(shown).toEqual([
      [
        { input: 'level', values: '0.25 to 0.75' },
        { input: 'flag', values: 'true' },
        { input: 'task', values: '1' },
      ],
      expect.arrayContaining([{ input: 'level', values: '1' }]),
    ]);
  });
});

describe('trialFeeds for several images', () => {
  it('feeds as many of what goes with each', async () => {
    const sides = ['height', 'width'];
    expect(await dimsOfTwo(valueInfo('x', ['n', 3, ...sides]), valueInfo('level', ['n', 1]))).toEqual([
      [2, 3, 16, 24],
      [2, 1],
    ]);
    expect(await dimsOfTwo(valueInfo('x', [4, 3, ...sides]), valueInfo('level', ['m', 'k']))).toEqual([
      [4, 3, 16, 24],
      [4, 1],
    ]);
  });
});

describe('measure', () => {
  it('gives the shapes of what comes out of a sequence that a branch has made', async () => {
    const split = (parts: string) => [
      makeNode('SplitToSequence', ['x', 'three'], [parts], { attributes: { axis: 1 } }),
    ];
    const branches = { whenTrue: split('a'), whenFalse: split('b') };
    const model = buildModel({
      node: [choose('yes', 'parts', branches), makeNode('SequenceAt', ['parts', 'zero'], ['y'])],
      initializer: [
        create(TensorProtoSchema, { name: 'yes', dataType: DataType.BOOL, int32Data: [1] }),
        { ...integers('three', [3]), dims: [] },
        { ...integers('zero', [0]), dims: [] },
      ],
    });
    const { shapes } = await measure(model, [8, 8], 'm');
    expect(shapes.get('y')).toEqual([1, 3, 8, 8]);
    expect(shapes.has('parts')).toBe(false);
  });

  /** Adds the row of `table`, which has so many, that the input `task` says. */
  const picked = (rows: number) =>
    buildModel({
      node: [makeNode('Gather', ['table', 'task'], ['row']), makeNode('Add', ['x', 'row'], ['y'])],
      initializer: [floats('table', [rows, 1])],
      input: [valueInfo('x', ['n', 3, 'h', 'w']), valueInfo('task', [], DataType.INT64)],
    });

  it('falls back to other values where a model does not take the first', async () => {
    const { shapes } = await measure(picked(1), [8, 8], 'm');
    expect(shapes.get('row')).toEqual([1]);
  });

  it('tells the failure of the first values where there are no others', async () => {
    await expect(measure(picked(0), [8, 8], 'm')).rejects.toMatchObject({
      code: 'ERR_TRAIN_SIZE',
      message: expect.stringContaining('idx=1'),
    });
  });
});

describe('a model with several inputs', () => {
  /** Two images in a batch of two each, a level that is added, and a switch. */
  const parts = {
    node: [
      makeNode('Where', ['flag', 'level', 'zero'], ['added']),
      makeNode('Concat', ['x', 'depth'], ['both'], { attributes: { axis: 1 } }),
      makeNode('Conv', ['both', 'kernel'], ['c']),
      makeNode('GlobalAveragePool', ['c'], ['pooled'], { name: 'pool' }),
      makeNode('Mul', ['c', 'pooled'], ['scaled']),
      makeNode('Add', ['scaled', 'added'], ['y']),
    ],
    initializer: [floats('kernel', [3, 4, 1, 1]), floats('zero', [1], [0]), integers('unused', [1])],
    input: [
      valueInfo('level', [1]),
      valueInfo('x', [2, 3, 'h', 'w']),
      valueInfo('depth', [2, 1, 'h', 'w']),
      valueInfo('flag', [], DataType.BOOL),
    ],
  };

  it('is converted, inspected and verified', async () => {
    const bytes = buildBytes(parts);
    const { model, report } = await convert(bytes, { trainSize: [16, 20] });
    expect(report.sites).toMatchObject([{ node: 'pool', featureSize: [16, 20], window: [24, 30] }]);
    expect((await inspect(bytes)).statistics).toMatchObject([{ featureSize: [256, 256] }]);
    expect(await verify(bytes, model, { fullSize: [40, 50] })).toMatchObject({ passed: true });
    const session = await InferenceSession.create(model);
    const images = { x: noise([2, 3, 16, 20]), depth: noise([2, 1, 16, 20], 5) };
    const rest = await trialFeeds(buildModel(parts), [16, 20], 'm');
    const original = await InferenceSession.create(bytes);
    const [ours, theirs] = await Promise.all(
      [session, original].map((one) => one.run({ ...rest, ...images })),
    );
    expect(largestDifference(ours?.y?.data as Float32Array, theirs?.y?.data as Float32Array)).toBeLessThan(
      1e-6,
    );
  });
});
