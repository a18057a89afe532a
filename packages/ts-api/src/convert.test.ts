import { create } from '@bufbuild/protobuf';
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  FunctionProtoSchema,
  OperatorSetIdProtoSchema,
  StringStringEntryProtoSchema,
  TensorProtoSchema,
} from 'onnx-buf';
import { describe, expect, it } from 'vitest';
import { exampleModel } from '../../../test/fixtures/index.js';
import {
  buildBytes,
  buildGraph,
  buildModel,
  choose,
  floats,
  image,
  imagesIn,
  integers,
  valueInfo,
} from '../test/build-model.js';
import { convert } from '../test/convert.js';
import { largestDifference, noise, windowMeans } from '../test/reference.js';
import { localNodesOf } from './conversion/local-operators.js';
import { decodeModel, encodeModel, type Model } from './graph/model.js';
import { DataType, intsOf, makeNode } from './graph/proto.js';
import { inspect } from './inspect.js';
import { InferenceSession } from './session/inference-session.js';
import { version } from './version.js';

const pool = makeNode('GlobalAveragePool', ['x'], ['pooled'], { name: 'pool' });
const scaled = makeNode('Mul', ['x', 'pooled'], ['y']);
const simple = { node: [pool, scaled] };
/** ONNX Runtime pools no float64, but takes means of it. */
const mean = makeNode('ReduceMean', ['x'], ['pooled'], { attributes: { axes: [2, 3] } });
const truth = create(TensorProtoSchema, { name: 'yes', dataType: DataType.BOOL, int32Data: [1] });

describe('convert', () => {
  it('spans 1.5 times the training size, rounded down, by default', async () => {
    const { report } = await convert(buildBytes(simple), { trainSize: [15, 32] });
    expect(report).toMatchObject({
      trainSize: [15, 32],
      baseSize: [22, 48],
      sites: [{ featureSize: [15, 32], window: [22, 48] }],
    });
  });

  it('rounds windows down, per axis', async () => {
    const half = makeNode('AveragePool', ['x'], ['h'], {
      attributes: { kernel_shape: [2, 2], strides: [2, 2] },
    });
    const node = [half, makeNode('GlobalAveragePool', ['h'], ['p']), makeNode('Mul', ['h', 'p'], ['y'])];
    const { report } = await convert(buildBytes({ node }), { trainSize: [30, 32], baseSize: [31, 47] });
    expect(report.sites[0]?.window).toEqual([Math.floor((15 * 31) / 30), Math.floor((16 * 47) / 32)]);
  });

  it('bounds the strides of fast mode by five pixels of the image', async () => {
    const half = makeNode('AveragePool', ['x'], ['h'], {
      attributes: { kernel_shape: [2, 2], strides: [2, 2] },
    });
    const thumb = makeNode('AveragePool', ['x'], ['t'], {
      attributes: { kernel_shape: [8, 4], strides: [8, 4] },
    });
    const node = [
      half,
      makeNode('GlobalAveragePool', ['h'], ['p']),
      makeNode('Mul', ['h', 'p'], ['hp']),
      thumb,
      makeNode('GlobalAveragePool', ['t'], ['q']),
      makeNode('Mul', ['t', 'q'], ['tq']),
      makeNode('Identity', ['hp'], ['y']),
    ];
    const graph = { node };
    const { report, model } = await convert(buildBytes(graph), { trainSize: 32, fast: true });
    expect(report.sites.map(({ maxStride }) => maxStride)).toEqual([
      [2, 2],
      [1, 1],
    ]);
    const [pool] = localNodesOf(decodeModel(model, 'm'));
    expect(pool && intsOf(pool, 'max_stride')).toEqual([2, 2]);
    const exact = await convert(buildBytes(graph), { trainSize: 32 });
    expect(exact.report.sites[0]?.maxStride).toBeUndefined();
  });

  it('refuses a window that fast mode would find no sample in', async () => {
    await expect(
      convert(buildBytes(simple), { trainSize: 64, baseSize: 4, fast: true }),
    ).rejects.toMatchObject({ code: 'ERR_NOT_LOCALIZABLE', parameter: 'baseSize' });
    await expect(
      convert(buildBytes(simple), { trainSize: 64, baseSize: 5, fast: true }),
    ).resolves.toBeDefined();
  });

  it('hands back a model without global statistics byte for byte', async () => {
    const bytes = buildBytes({ node: [makeNode('Relu', ['x'], ['y'])] });
    const { model, report } = await convert(bytes, { trainSize: 64 });
    expect(model).toEqual(bytes);
    expect(report.sites).toEqual([]);
    expect((await convert(exampleModel('unet'), { trainSize: 64 })).report.sites).toEqual([]);
  });

  it('notes the sizes in the model and raises the IR version only as far as functions need', async () => {
    const old = await convert(buildBytes(simple, { irVersion: 4 }), { trainSize: 16 });
    expect(old.report.irVersion).toBe(8);
    const metadata = decodeModel(old.model, 'm').metadataProps.map(({ key, value }) => [key, value]);
    expect(metadata).toEqual([
      ['tlsc.version', version],
      ['tlsc.train_size', '16x16'],
      ['tlsc.base_size', '24x24'],
      ['tlsc.sites', JSON.stringify(old.report.sites)],
    ]);
    const recent = await convert(buildBytes(simple, { irVersion: 10, opset: 18 }), { trainSize: 16 });
    expect(recent.report).toMatchObject({ irVersion: 10, opset: 18 });
  });

  it('notes its sizes once, whatever an earlier conversion has left there', async () => {
    const model = buildModel(simple);
    model.metadataProps = [
      create(StringStringEntryProtoSchema, { key: 'tlsc.train_size', value: '99x99' }),
      create(StringStringEntryProtoSchema, { key: 'author', value: 'nobody' }),
    ];
    const { model: converted } = await convert(encodeModel(model), { trainSize: 16 });
    const { metadataProps } = decodeModel(converted, 'm');
    const sizes = metadataProps.filter(({ key }) => key === 'tlsc.train_size').map(({ value }) => value);
    expect(sizes).toEqual(['16x16']);
    expect(metadataProps[0]?.value).toBe('nobody');
  });

  it('carries each body once, and only those in use', async () => {
    const node = [
      pool,
      makeNode('Mul', ['x', 'pooled'], ['z']),
      makeNode('GlobalAveragePool', ['z'], ['p']),
      makeNode('Mul', ['z', 'p'], ['y']),
    ];
    const { model } = await convert(buildBytes({ node }), { trainSize: 16 });
    expect(decodeModel(model, 'm').functions.map(({ name }) => name)).toEqual([
      'LocalAveragePool',
      'ReplicateScale',
    ]);
  });

  it('raises opset 11 to 12, the ratio of Dropout dropped', async () => {
    const dropout = makeNode('Dropout', ['x'], ['d'], { attributes: { ratio: { float: 0.5 } } });
    const node = [dropout, makeNode('GlobalAveragePool', ['d'], ['pooled']), scaled];
    const { report } = await convert(buildBytes({ node }, { opset: 11, irVersion: 6 }), { trainSize: 16 });
    expect(report).toMatchObject({ opset: 12, sites: [{ window: [24, 24] }] });
  });

  it('raises branches along with the model', async () => {
    const branchOf = (name: string) => {
      const dropout = makeNode('Dropout', ['z'], [name], { attributes: { ratio: { float: 0.3 } } });
      return buildGraph({ node: [dropout], input: [], output: [valueInfo(name, ['n', 3, 'h', 'w'])] });
    };
    const choice = makeNode('If', ['yes'], ['y']);
    for (const [name, g] of [
      ['then_branch', branchOf('a')],
      ['else_branch', branchOf('b')],
    ] as const) {
      choice.attribute.push(
        create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.GRAPH, g }),
      );
    }
    const node = [pool, makeNode('Mul', ['x', 'pooled'], ['z']), choice];
    const { report } = await convert(buildBytes({ node, initializer: [truth] }, { opset: 11 }), {
      trainSize: 16,
    });
    expect(report).toMatchObject({ opset: 12, sites: [{ window: [24, 24] }] });
  });

  it('does not mind names that look like its own', async () => {
    const node = [
      makeNode('GlobalAveragePool', ['x'], ['tlsc_shape_of_x']),
      makeNode('Mul', ['x', 'tlsc_shape_of_x'], ['y']),
    ];
    expect((await convert(buildBytes({ node }), { trainSize: 16 })).report.sites).toHaveLength(1);
  });

  it('refuses two nodes of one name, as ONNX Runtime does', async () => {
    const node = [pool, makeNode('Mul', ['x', 'pooled'], ['y'], { name: 'pool' })];
    await expect(convert(buildBytes({ node }), { trainSize: 16 })).rejects.toMatchObject({
      code: 'ERR_INVALID_MODEL',
      message: expect.stringContaining('pool'),
    });
  });

  it('refuses opset 6', async () => {
    const conversion = convert(buildBytes(simple, { opset: 6, irVersion: 4 }), { trainSize: 16 });
    await expect(conversion).rejects.toMatchObject({
      code: 'ERR_UNSUPPORTED_MODEL',
      message: expect.stringContaining('opset 6'),
    });
  });

  const import1 = create(OperatorSetIdProtoSchema, { domain: 'tlsc', version: 1n });
  const localPool = makeNode('LocalAveragePool', ['x'], ['local'], { domain: 'tlsc' });
  const inner = buildGraph({
    node: [localPool],
    input: [],
    output: [valueInfo('local', ['n', 3, 'h', 'w'])],
  });
  const leftovers: readonly { title: string; edit: (model: Model) => void }[] = [
    { title: 'the import', edit: ({ opsetImport }) => opsetImport.push(import1) },
    { title: 'a node that nothing imports', edit: ({ graph }) => graph.node.push(localPool) },
    {
      title: 'a node in a branch',
      edit: ({ graph }) => {
        const branch = { name: 'then_branch', type: AttributeProto_AttributeType.GRAPH, g: inner };
        const choice = makeNode('If', ['yes'], ['gate']);
        choice.attribute.push(create(AttributeProtoSchema, branch));
        graph.node.push(choice);
      },
    },
    {
      title: 'a node in a function',
      edit: ({ functions }) =>
        functions.push(create(FunctionProtoSchema, { name: 'Own', domain: 'own', node: [localPool] })),
    },
    {
      title: 'a function of the same name',
      edit: ({ functions }) =>
        functions.push(create(FunctionProtoSchema, { name: 'LocalAveragePool', domain: 'tlsc' })),
    },
    {
      title: 'a function of another name',
      edit: ({ functions }) =>
        functions.push(create(FunctionProtoSchema, { name: 'Own', domain: 'tlsc', input: ['a'] })),
    },
  ];

  it('refuses to convert twice', async () => {
    const { model } = await convert(buildBytes(simple), { trainSize: 16 });
    await expect(convert(model, { trainSize: 16 })).rejects.toMatchObject({ code: 'ERR_ALREADY_CONVERTED' });
  });

  it.each(leftovers)('refuses a model that has nothing of domain tlsc but $title', async ({ edit }) => {
    const model = buildModel(simple);
    edit(model);
    await expect(convert(encodeModel(model), { trainSize: 16 })).rejects.toMatchObject({
      code: 'ERR_ALREADY_CONVERTED',
    });
  });

  it('refuses a window of 0 and names the site', async () => {
    await expect(convert(buildBytes(simple), { trainSize: 64, baseSize: [64, 1] })).resolves.toBeDefined();
    const quarter = makeNode('AveragePool', ['x'], ['h'], {
      attributes: { kernel_shape: [4, 4], strides: [4, 4] },
    });
    const node = [
      quarter,
      makeNode('GlobalAveragePool', ['h'], ['p'], { name: 'deep' }),
      makeNode('Mul', ['h', 'p'], ['y']),
    ];
    await expect(convert(buildBytes({ node }), { trainSize: 64, baseSize: [64, 3] })).rejects.toMatchObject({
      code: 'ERR_NOT_LOCALIZABLE',
      message: expect.stringContaining('deep would get a window of 16x0'),
    });
  });

  it('names every statistic that it cannot convert, at once', async () => {
    const node = [
      pool,
      makeNode('Mul', ['x', 'pooled'], ['z']),
      makeNode('MeanVarianceNormalization', ['z'], ['a'], { name: 'first' }),
    ];
    node.push(makeNode('MeanVarianceNormalization', ['a'], ['y'], { name: 'second' }));
    const error = await convert(buildBytes({ node }), { trainSize: 16 }).catch((reason: unknown) => reason);
    expect((error as Error).message).toMatch(/2 global statistics.*first: .*second: /s);
  });

  it('refuses a statistic inside a branch', async () => {
    const branches = {
      whenTrue: [makeNode('GlobalAveragePool', ['x'], ['p'], { name: 'inner' })],
      whenFalse: [makeNode('GlobalMaxPool', ['x'], ['q'])],
    };
    const bytes = buildBytes({
      node: [choose('asked', 'gate', branches), makeNode('Mul', ['x', 'gate'], ['y'])],
      input: [valueInfo('x', image), valueInfo('asked', [], DataType.BOOL)],
    });
    await expect(convert(bytes, { trainSize: 16 })).rejects.toMatchObject({
      code: 'ERR_NOT_LOCALIZABLE',
      message: expect.stringContaining('inner: it is inside choice (If)'),
    });
  });

  it('refuses a training size that the network cannot run at', async () => {
    const strided = makeNode('Conv', ['x', 'w'], ['h'], { attributes: { strides: [8, 8] } });
    const node = [strided, makeNode('GlobalAveragePool', ['h'], ['p']), makeNode('Mul', ['h', 'p'], ['y'])];
    const bytes = buildBytes({ node, initializer: [floats('w', [3, 3, 8, 8])] });
    await expect(convert(bytes, { trainSize: 4 })).rejects.toMatchObject({
      code: 'ERR_TRAIN_SIZE',
      parameter: 'trainSize',
      message: expect.stringContaining('the model cannot run at 4x4'),
    });
  });

  it.each([
    [
      'an input that is no image',
      { node: [makeNode('GlobalAveragePool', ['x'], ['y'])], input: [valueInfo('x', ['n', 3, 'w'])] },
      'it has x of rank 3',
    ],
    [
      'a float64 image',
      { node: [mean, scaled], ...imagesIn(DataType.DOUBLE) },
      'takes double images (input x); only float and float16 can be handled',
    ],
    [
      'an image of unknown channels',
      { ...simple, input: [valueInfo('x', ['n', 'c', 'h', 'w'])] },
      'does not say how many channels',
    ],
  ])('refuses a model with %s', async (_, parts, message) => {
    await expect(convert(buildBytes(parts), { trainSize: 16 })).rejects.toMatchObject({
      code: 'ERR_UNSUPPORTED_MODEL',
      message: expect.stringContaining(message),
    });
  });

  it.each([11, 12, 14, 15, 17, 22])(
    'writes bodies of float16 into a float16 model of opset %d',
    async (opset) => {
      const bytes = buildBytes({ ...simple, ...imagesIn(DataType.FLOAT16) }, { opset });
      const { functions } = decodeModel((await convert(bytes, { trainSize: 16 })).model, 'm');
      expect(functions.map(({ name }) => name).sort()).toEqual(['LocalAveragePool', 'ReplicateScale']);
      const casts = functions.flatMap(({ node }) => node).filter(({ opType }) => opType.startsWith('Cast'));
      const types = casts.map(({ opType, attribute }) => [opType, Number(attribute[0]?.i)]);
      expect(types).toContainEqual(['Cast', DataType.FLOAT16]);
      expect(types).not.toContainEqual(['Cast', DataType.FLOAT]);
    },
  );

  /** A mean in float16 and one in float32, of which the first goes into no product. */
  const mixed = {
    node: [
      makeNode('Cast', ['x'], ['h'], { attributes: { to: DataType.FLOAT16 } }),
      makeNode('GlobalAveragePool', ['h'], ['p'], { name: 'half' }),
      makeNode('Sub', ['h', 'p'], ['d']),
      makeNode('Cast', ['d'], ['f'], { attributes: { to: DataType.FLOAT } }),
      makeNode('Mul', ['f', 'x'], ['z']),
      makeNode('GlobalAveragePool', ['x'], ['pooled'], { name: 'single' }),
      makeNode('Mul', ['z', 'pooled'], ['y']),
    ],
  };

  it.each([15, 17, 22])('converts a model with means in both types of opset %d', async (opset) => {
    const { model } = await convert(buildBytes(mixed, { opset }), { trainSize: 8, baseSize: [5, 6] });
    const x = noise([1, 3, 13, 9]);
    const means = windowMeans(x, [5, 6]);
    const expected = Array.from(x.data as Float32Array, (value, i) => {
      const mean = means[i] as number;
      return (value - mean) * value * mean;
    });
    for (const operators of ['native', 'portable'] as const) {
      const session = await InferenceSession.create(model, { operators });
      const { y } = await session.run({ x });
      await session.release();
      // Of float16 there are the roundings of x, of its mean and of their difference, all below 1.
      expect(largestDifference(y?.data as Float32Array, expected)).toBeLessThan(3 * 2 ** -11);
    }
  });

  it('refuses one below opset 15 and names the nodes', async () => {
    await expect(convert(buildBytes(mixed, { opset: 14 }), { trainSize: 8 })).rejects.toMatchObject({
      code: 'ERR_NOT_LOCALIZABLE',
      message: expect.stringContaining(
        'single: it is float32 where half is float16; LocalAveragePool in both takes opset 15',
      ),
    });
  });

  it('warns of nodes that keep a size of the past', async () => {
    const initializer = [integers('zero', [0]), integers('half', [8]), integers('rows', [2])];
    const half = makeNode('Slice', ['x', 'zero', 'half', 'rows'], ['h'], { name: 'upper' });
    const node = [half, makeNode('GlobalAveragePool', ['h'], ['p']), makeNode('Mul', ['h', 'p'], ['y'])];
    const bytes = buildBytes({ node, initializer });
    const { report } = await convert(bytes, { trainSize: 16 });
    const warnings = [{ node: 'upper', reason: expect.stringMatching(/^always takes 8 along axis 2/) }];
    expect(report.warnings).toEqual(warnings);
    expect((await inspect(bytes, { trainSize: 16 })).warnings).toEqual(warnings);
    expect((await convert(buildBytes(simple), { trainSize: 16 })).report.warnings).toEqual([]);
  });

  it('takes a pool over the whole plane at the training size for the mean that it is', async () => {
    const attributes = { kernel_shape: [16, 16] };
    const node = [
      makeNode('AveragePool', ['x'], ['p'], { name: 'pool', attributes }),
      makeNode('Mul', ['x', 'p'], ['y']),
    ];
    const { report } = await convert(buildBytes({ node }), { trainSize: 16 });
    expect(report).toMatchObject({ sites: [{ node: 'pool', window: [24, 24] }], warnings: [] });
  });

  it('refuses sizes that are none', async () => {
    const bytes = buildBytes(simple);
    await expect(convert(bytes, { trainSize: 0 })).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      parameter: 'trainSize',
    });
    await expect(convert(bytes, { trainsize: 16 } as never)).rejects.toThrow(/trainsize/);
    await expect(convert(bytes, null as never)).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' });
    await expect(convert(bytes, { trainSize: 16, signal: {} as never })).rejects.toMatchObject({
      parameter: 'signal',
    });
    await expect(convert(bytes, { trainSize: Object.create(null) })).rejects.toMatchObject({
      parameter: 'trainSize',
    });
    await expect(convert(bytes, {} as never)).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      parameter: 'trainSize',
    });
    await expect(convert(bytes, { trainSize: 8, fast: 'yes' as never })).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      parameter: 'fast',
    });
    await expect(convert(bytes, { trainSize: 8, baseSize: [1, -1] })).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      parameter: 'baseSize',
    });
  });

  it('does not begin once aborted', async () => {
    const signal = AbortSignal.abort('enough');
    await expect(convert(buildBytes(simple), { trainSize: 16, signal })).rejects.toMatchObject({
      code: 'ERR_ABORTED',
      cause: 'enough',
    });
  });
});
