import { Tensor } from 'onnxruntime-common';
import { describe, expect, it } from 'vitest';
import { exampleModel } from '../../../../test/fixtures/index.js';
import { buildBytes, buildModel, floats, integers, valueInfo } from '../../test/build-model.js';
import { largestDifference, noise } from '../../test/reference.js';
import { convert } from '../convert.js';
import { TlscError } from '../errors.js';
import { free } from '../free.js';
import { tensorTypeOf } from '../graph/inputs.js';
import { encodeModel, loadModel } from '../graph/model.js';
import { DataType, makeNode, type NodeProto, type ValueInfoProto } from '../graph/proto.js';
import { inspect } from '../inspect.js';
import { InferenceSession } from '../session/inference-session.js';
import { verify } from '../verify.js';
import { freeImageSizes } from './image-sizes.js';

const pooled = [
  makeNode('GlobalAveragePool', ['x'], ['pooled'], { name: 'pool' }),
  makeNode('Mul', ['x', 'pooled'], ['z'], { name: 'product' }),
];
const end = makeNode('Relu', ['z'], ['y']);

function shapesOf(values: readonly ValueInfoProto[]) {
  return values.map((value) => tensorTypeOf(value)?.shape);
}

describe('freeImageSizes', () => {
  it('knows height and width where channels come last', () => {
    const model = buildModel({
      node: [end],
      input: [valueInfo('x', [1, 32, 48, 3])],
      output: [valueInfo('y', [1, 32, 48, 3]), valueInfo('half', [1, 16, 24, 1])],
    });
    expect(freeImageSizes(model)).toEqual([32, 48]);
    expect(shapesOf(model.graph.input)).toEqual([[1, 'height', 'width', 3]]);
    expect(shapesOf(model.graph.output)).toEqual([
      [1, 'height', 'width', 3],
      [1, '', '', 1],
    ]);
  });

  it('frees height and width of inputs, outputs and what is noted between, and nothing else', () => {
    const model = buildModel({
      node: [...pooled, end],
      input: [
        valueInfo('x', [1, 3, 32, 48]),
        valueInfo('depth', [1, 1, 32, 48]),
        valueInfo('level', [1, 1, 1, 1]),
      ],
      output: [
        valueInfo('y', [1, 3, 32, 48]),
        valueInfo('half', [1, 3, 16, 24]),
        valueInfo('tokens', [1, 1536, 3]),
        valueInfo('count', [], DataType.INT64),
      ],
      valueInfo: [valueInfo('z', [1, 3, 32, 48])],
    });
    expect(freeImageSizes(model)).toEqual([32, 48]);
    expect(shapesOf(model.graph.input)).toEqual([
      [1, 3, 'height', 'width'],
      [1, 1, 'height', 'width'],
      [1, 1, 1, 1],
    ]);
    expect(shapesOf(model.graph.output)).toEqual([
      [1, 3, 'height', 'width'],
      [1, 3, '', ''],
      ['', '', ''],
      [],
    ]);
    expect(shapesOf(model.graph.valueInfo)).toEqual([undefined]);
    expect(tensorTypeOf(model.graph.valueInfo[0] as ValueInfoProto)?.elemType).toBe(DataType.FLOAT);
  });

  it('leaves what is free as it is', () => {
    const model = buildModel({ node: [...pooled, end], valueInfo: [valueInfo('z', [1, 3, 8, 8])] });
    const before = encodeModel(model);
    expect(freeImageSizes(model)).toBeUndefined();
    expect(encodeModel(model)).toEqual(before);
  });

  it('frees one side where only that one is fixed, under a name that is not taken', () => {
    const model = buildModel({ node: [...pooled, end], input: [valueInfo('x', ['width', 3, 'h', 24])] });
    expect(freeImageSizes(model)).toEqual([24, 24]);
    expect(shapesOf(model.graph.input)).toEqual([['width', 3, 'h', 'image_width']]);
  });
});

describe('a model of fixed size', () => {
  const fixed = (node: readonly NodeProto[], size = [32, 48]) =>
    buildBytes({
      node,
      initializer: [
        integers('plane', [1, 3, 32, 48]),
        integers('zero', [0]),
        integers('half', [16]),
        integers('border', [31]),
        integers('near_end', [30]),
        integers('end', [32]),
        floats('elements', [], [4608]),
        integers('part', [11]),
        integers('laid', [1, 3, 1536]),
        integers('rows', [2]),
        floats('map', [1, 1, 32, 48]),
      ],
      input: [valueInfo('x', [1, 3, ...size])],
      output: [valueInfo('y', [1, 3, ...size])],
    });

  it.each([
    ['another size', 16],
    ['its own size', [32, 48]],
  ] as const)('is converted at %s, to one of any size', async (_, trainSize) => {
    const bytes = fixed([...pooled, end]);
    const { model, report } = await convert(bytes, { trainSize });
    expect(report.warnings).toEqual([]);
    const session = await InferenceSession.create(model);
    expect(session.inputMetadata).toMatchObject([{ shape: [1, 3, 'height', 'width'] }]);
    expect(session.outputMetadata).toMatchObject([{ shape: [1, 3, 'height', 'width'] }]);
    expect((await session.run({ x: noise([1, 3, 70, 90]) })).y?.dims).toEqual([1, 3, 70, 90]);
    expect(await verify(bytes, model, { fullSize: [80, 100] })).toMatchObject({ passed: true });
  });

  const planes = { attributes: { axes: [2, 3] } };
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  it.each<[string, NodeProto[], (values: readonly number[]) => number]>([
    [
      'a sum times the reciprocal',
      [makeNode('ReduceSum', ['x', 'axes'], ['s']), makeNode('Mul', ['pixel', 's'], ['y'])],
      mean,
    ],
    [
      'a sum of squares',
      [makeNode('ReduceSumSquare', ['x'], ['s'], planes), makeNode('Div', ['s', 'pixels'], ['y'])],
      (values) => mean(values.map((value) => value * value)),
    ],
    [
      'a norm by the root',
      [makeNode('ReduceL2', ['x'], ['s'], planes), makeNode('Div', ['s', 'root'], ['y'])],
      (values) => Math.sqrt(mean(values.map((value) => value * value))),
    ],
  ])('is freed of the number of pixels: %s', async (_, node, expected) => {
    const bytes = buildBytes({
      node,
      initializer: [
        integers('axes', [2, 3]),
        floats('pixel', [], [1 / 1536]),
        floats('pixels', [], [1536]),
        floats('root', [1], [Math.sqrt(1536)]),
      ],
      input: [valueInfo('x', [1, 1, 32, 48])],
      output: [valueInfo('y', [1, 1, 1, 1])],
    });
    const { model, report } = await free(bytes);
    expect(report.nodes).toHaveLength(1);
    const session = await InferenceSession.create(model);
    const x = noise([1, 1, 40, 50]);
    const [y] = ((await session.run({ x })).y?.data ?? []) as Float32Array;
    expect(y).toBeCloseTo(expected([...(x.data as Float32Array)]), 5);
  });

  it('frees what products between pixels are divided by', async () => {
    const node = [
      makeNode('Reshape', ['x', 'rows'], ['p']),
      makeNode('Transpose', ['p'], ['pt'], { attributes: { perm: [0, 2, 1] } }),
      makeNode('MatMul', ['p', 'pt'], ['s']),
      makeNode('Div', ['s', 'pixels'], ['y']),
    ];
    const bytes = buildBytes({
      node,
      initializer: [integers('rows', [1, 3, -1]), floats('pixels', [], [1536])],
      input: [valueInfo('x', [1, 3, 32, 48])],
      output: [valueInfo('y', [1, 3, 3])],
    });
    const { model } = await free(bytes);
    const session = await InferenceSession.create(model);
    const x = new Tensor('float32', new Float32Array(3 * 40 * 50).fill(2), [1, 3, 40, 50]);
    expect((await session.run({ x })).y?.data[0]).toBeCloseTo(4, 5);
  });

  it('keeps a pooling whose borders are padded, as large as the plane at one size', async () => {
    const attributes = { kernel_shape: [16, 16], auto_pad: { text: 'SAME_UPPER' } };
    const node = [makeNode('AveragePool', ['x'], ['m'], { attributes }), makeNode('Sub', ['x', 'm'], ['y'])];
    const bytes = buildBytes({ node, input: [valueInfo('x', [1, 3, 'height', 'width'])] });
    expect((await convert(bytes, { trainSize: 16 })).report.sites).toEqual([]);
  });

  it('is the same as one that was exported for any size', async () => {
    const { model: free } = await loadModel(exampleModel('unet_se'));
    const { model: other } = await loadModel(exampleModel('unet_se'));
    for (const value of [...other.graph.input, ...other.graph.output]) {
      const fixedValue = valueInfo(value.name, [1, 3, 128, 128]);
      value.type = fixedValue.type as NonNullable<typeof value.type>;
    }
    const options = { trainSize: 64 };
    const [ours, theirs] = await Promise.all(
      [other, free].map(async (model) => {
        const session = await InferenceSession.create((await convert(encodeModel(model), options)).model);
        const { output } = await session.run({ input: noise([1, 3, 96, 128]) });
        return output?.data as Float32Array;
      }),
    );
    expect(largestDifference(ours as Float32Array, theirs as Float32Array)).toBe(0);
  });

  it.each<[string, NodeProto[]]>([
    ['half of the rows', [makeNode('Slice', ['z', 'zero', 'half', 'rows'], ['y'])]],
    ['all but a border', [makeNode('Slice', ['z', 'zero', 'border', 'rows'], ['y'])]],
    ['a Resize', [makeNode('Resize', ['z', '', '', 'plane'], ['y'])]],
    ['a Reshape', [makeNode('Reshape', ['z', 'plane'], ['y'])]],
    [
      'a Reshape to rows and back',
      [makeNode('Reshape', ['z', 'laid'], ['r']), makeNode('Reshape', ['r', 'plane'], ['y'])],
    ],
    [
      'an Expand',
      [
        makeNode('ReduceMax', ['z'], ['top'], { attributes: { axes: [2, 3] } }),
        makeNode('Expand', ['top', 'plane'], ['wide']),
        makeNode('Add', ['z', 'wide'], ['y']),
      ],
    ],
    [
      'a number of pixels',
      [
        makeNode('ReduceSum', ['z'], ['total'], { attributes: { keepdims: 1 } }),
        makeNode('Div', ['total', 'elements'], ['mean']),
        makeNode('Add', ['z', 'mean'], ['y']),
      ],
    ],
    [
      'a border that is moved to the other end',
      [
        makeNode('Slice', ['z', 'near_end', 'end', 'rows'], ['last']),
        makeNode('Slice', ['z', 'zero', 'near_end', 'rows'], ['first']),
        makeNode('Concat', ['last', 'first'], ['y'], { attributes: { axis: 2 } }),
      ],
    ],
    [
      'a pool over the plane',
      [
        makeNode('AveragePool', ['z'], ['p'], { attributes: { kernel_shape: [32, 48] } }),
        makeNode('Mul', ['z', 'p'], ['y']),
      ],
    ],
    [
      'a maximum over the plane',
      [
        makeNode('MaxPool', ['z'], ['p'], { attributes: { kernel_shape: [32, 48] } }),
        makeNode('Mul', ['z', 'p'], ['y']),
      ],
    ],
  ])('is freed of %s', async (title, rest) => {
    const original = fixed([...pooled, ...rest]);
    const { model, report } = await free(original);
    expect(report.size).toEqual([32, 48]);
    const [before, after] = await Promise.all([original, model].map((one) => InferenceSession.create(one)));
    const own = noise([1, 3, 32, 48]);
    const expected = (await before?.run({ x: own }))?.y?.data as Float32Array;
    expect(largestDifference((await after?.run({ x: own }))?.y?.data as Float32Array, expected)).toBe(0);
    const rows = { 'half of the rows': 20, 'all but a border': 39 }[title] ?? 40;
    expect((await after?.run({ x: noise([1, 3, 40, 56]) }))?.y?.dims).toEqual([1, 3, rows, 56]);
    const { model: local, report: converted } = await convert(original, { trainSize: 16, baseSize: 64 });
    expect(converted.freed).toEqual(report);
    expect(await verify(original, local, { fullSize: [80, 100] })).toMatchObject({ passed: true });
  });

  it.each<[string, NodeProto[], string]>([
    [
      'a Slice',
      [makeNode('Slice', ['z', 'zero', 'part', 'rows'], ['y'], { name: 'cut' })],
      'cut always takes 11 along',
    ],
    ['a map', [makeNode('Add', ['z', 'map'], ['y'], { name: 'add' })], 'add cannot run on an image of '],
  ])('is refused where %s depends on it', async (_, rest, message) => {
    const bytes = fixed([...pooled, ...rest]);
    for (const [trainSize, advice] of [
      [16, false],
      [[32, 48], true],
    ] as const) {
      const error = await convert(bytes, { trainSize }).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(TlscError);
      const { code, message: text } = error as TlscError;
      expect(code).toBe('ERR_UNSUPPORTED_MODEL');
      expect(text).toContain('the model was exported for images of 32x48 and depends on that: ');
      expect(text).toContain(message);
      expect(text.includes('nothing to gain from local statistics at the training size alone')).toBe(advice);
    }
    const { statistics, inputs } = await inspect(bytes);
    expect(inputs).toMatchObject([{ shape: [1, 3, 32, 48] }]);
    expect(statistics).toMatchObject([{ node: 'pool', reason: expect.stringContaining(message) }]);
    await expect(free(bytes)).rejects.toMatchObject({
      code: 'ERR_UNSUPPORTED_MODEL',
      message: expect.stringContaining(message),
    });
  });

  it('is handed back by free where its size is free already', async () => {
    const bytes = buildBytes({ node: [...pooled, end] });
    expect(await free(bytes)).toMatchObject({ model: bytes, report: { size: undefined, nodes: [] } });
  });

  it('is handed back as it is where there is nothing to convert', async () => {
    const bytes = fixed([makeNode('Add', ['x', 'map'], ['y'])]);
    expect((await convert(bytes, { trainSize: 16 })).model).toEqual(bytes);
  });

  it('is handed back, too, where it depends on it but has no statistic of planes', async () => {
    const node = [
      makeNode('Softmax', ['x'], ['s'], { attributes: { axis: 1 } }),
      makeNode('Add', ['s', 'map'], ['y'], { name: 'add' }),
    ];
    const { model, report } = await convert(fixed(node), { trainSize: 16 });
    expect(model).toEqual(fixed(node));
    expect(report).toMatchObject({ sites: [], kept: [], warnings: [{ node: 'add' }] });
  });

  it('is inspected at its own size', async () => {
    const { statistics, inputs, outputs } = await inspect(fixed([...pooled, end]));
    expect(statistics).toMatchObject([{ operator: 'LocalAveragePool', featureSize: [32, 48] }]);
    expect([...inputs, ...outputs]).toMatchObject([{ shape: [1, 3, 32, 48] }, { shape: [1, 3, 32, 48] }]);
  });
});
