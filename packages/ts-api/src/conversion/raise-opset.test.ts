import { create } from '@bufbuild/protobuf';
import { FunctionProtoSchema, OperatorSetIdProtoSchema, StringStringEntryProtoSchema } from 'onnx-buf';
import { describe, expect, it } from 'vitest';
import { buildBytes, floats, integers } from '../../test/build-model.js';
import { convert } from '../../test/convert.js';
import { build, expectSame, raise, run } from '../../test/raised.js';
import { largestDifference } from '../../test/reference.js';
import { decodeModel, encodeModel, type Model, opsetOf } from '../graph/model.js';
import { DataType, makeNode, type NodeProto } from '../graph/proto.js';
import { verify } from '../verify.js';

describe('raising the opset', () => {
  it('adds constants and nodes under names that nothing has, equal constants once', async () => {
    const squeeze = (from: string, to: string) =>
      makeNode('ReduceSum', [from], [to], { name: to, attributes: { axes: [1] } });
    const node = [squeeze('x', 'axes_1'), squeeze('axes_1', 'z'), makeNode('Softmax', ['z'], ['y'])];
    const initializer = [integers('y_1', [0])];
    const { graph } = await expectSame({ node, initializer }, 12, 22);
    expect(graph.initializer.map(({ name }) => name)).toEqual(['y_1', 'axes_2']);
    const outputs = graph.node.flatMap(({ output }) => output);
    expect(outputs).toEqual(['axes_1', 'z', 'y_2', 'y_3', 'y_4', 'y']);
  });

  it('leaves nodes, initializers and what else the model says as they are', async () => {
    const node = [
      makeNode('Conv', ['x', 'w'], ['c'], { name: 'conv', attributes: { dilations: [1, 1] } }),
      makeNode('ReduceMean', ['c'], ['m'], { name: 'mean', attributes: { axes: [2, 3], keepdims: 1 } }),
      makeNode('Mul', ['c', 'm'], ['y'], { name: 'mul' }),
    ];
    const initializer = [floats('w', [4, 4, 1, 1])];
    const before = build({ node, initializer }, 13);
    before.metadataProps.push(create(StringStringEntryProtoSchema, { key: 'author', value: 'me' }));
    const expected = decodeModel(encodeModel(before), 'expected');
    const [, mean] = expected.graph.node;
    Object.assign(mean ?? {}, { input: ['c', 'axes_1'], attribute: mean?.attribute.slice(1) });
    expected.graph.initializer.push(integers('axes_1', [2, 3]));
    for (const entry of expected.opsetImport) entry.version = 18n;
    const raised = await raise(before, 18);
    expect(raised).toEqual(decodeModel(encodeModel(expected), 'expected'));
  });

  it('leaves operators of other domains that go by the same names', async () => {
    const node = makeNode('ReduceSum', ['x'], ['y'], { domain: 'mine', attributes: { axes: [1] } });
    const { graph } = await raise(build({ node: [node] }, 12), 22);
    expect(graph.node).toEqual([node]);
  });

  it('counts the parts of a Split in equal parts, which ONNX Runtime would do without', async () => {
    const node = [makeNode('Split', ['x'], ['y', 'z'], { attributes: { axis: 3 } })];
    const { graph } = await expectSame({ node }, 13, 18);
    expect(graph.node[0]?.attribute.map(({ name, i }) => [name, i])).toEqual([
      ['axis', 3n],
      ['num_outputs', 2n],
    ]);
  });

  it('drops the empty scales of a Resize to sizes', async () => {
    const node = [makeNode('Resize', ['x', 'roi', 'scales', 'sizes'], ['y'])];
    const initializer = [floats('roi', [0]), floats('scales', [0]), integers('sizes', [2, 4, 9, 11])];
    const { graph } = await expectSame({ node, initializer }, 11, 22);
    expect(graph.node[0]?.input).toEqual(['x', 'roi', '', 'sizes']);
    expect(graph.initializer.map(({ name }) => name)).toEqual(['roi', 'sizes']);
  });

  const nowhere: [string, NodeProto, number, number, string][] = [
    [
      'a mode that is no more',
      makeNode('Resize', ['x', 'r', 's'], ['y'], {
        name: 'up',
        attributes: { coordinate_transformation_mode: { text: 'tf_half_pixel_for_nn' } },
      }),
      12,
      13,
      'up (Resize) resizes by tf_half_pixel_for_nn, which opset 13 has no more',
    ],
    [
      'statistics of training',
      makeNode('BatchNormalization', ['x', 'a', 'b', 'c', 'd'], ['y', 'e', 'f', 'g', 'h'], { name: 'bn' }),
      13,
      14,
      'bn (BatchNormalization) computes statistics for training, which opset 14 does in another way',
    ],
  ];

  it.each(nowhere)('refuses %s', async (_, node, from, to, why) => {
    await expect(raise(build({ node: [node] }, from), to)).rejects.toMatchObject({
      code: 'ERR_UNSUPPORTED_MODEL',
      message: `m.onnx cannot be raised to opset ${to}:\n  ${why}`,
    });
    await expect(raise(build({ node: [node] }, from - 1), to - 1)).resolves.toBeDefined();
  });

  it('does not go down', async () => {
    await expect(raise(build({ node: [makeNode('Relu', ['x'], ['y'])] }, 17), 16)).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      parameter: 'opset',
      message: 'opset must be at least 17, the opset of m.onnx, not 16',
    });
    await expect(raise(build({ node: [makeNode('Relu', ['x'], ['y'])] }, 17), 17)).resolves.toBeDefined();
  });
});

/** A model that calls a function of its own, `own`, whose body is the node, from a to b. */
function calling(body: NodeProto, opset: number): Model {
  const model = build({ node: [makeNode('own', ['x'], ['y'], { domain: 'mine' })] }, opset);
  model.functions.push(
    create(FunctionProtoSchema, {
      name: 'own',
      domain: 'mine',
      input: ['a'],
      output: ['b'],
      node: [body],
      opsetImport: [create(OperatorSetIdProtoSchema, { domain: '', version: BigInt(opset) })],
    }),
  );
  model.opsetImport.push(create(OperatorSetIdProtoSchema, { domain: 'mine', version: 1n }));
  return model;
}

describe('the bodies of functions', () => {
  const body = () => makeNode('Softmax', ['a'], ['b'], { name: 'inner' });

  it('are read in the opset of the model, whatever they say', async () => {
    const raised = calling(body(), 12);
    for (const entry of raised.opsetImport) if (entry.domain === '') entry.version = 22n;
    const [before, after] = [await run(calling(body(), 12)), await run(raised)];
    expect(largestDifference(before.data as Float32Array, after.data as Float32Array)).toBeGreaterThan(0.1);
  });

  it('are refused where something in them has changed', async () => {
    await expect(raise(calling(body(), 12), 22)).rejects.toMatchObject({
      code: 'ERR_UNSUPPORTED_MODEL',
      message:
        "m.onnx cannot be raised to opset 22:\n  inner (Softmax) in the model's function own has another form from opset 13 on",
    });
  });

  it('import the new opset, too, where nothing has', async () => {
    const before = await run(calling(body(), 13));
    const raised = await raise(calling(body(), 13), 22);
    expect(raised.functions[0]?.opsetImport[0]?.version).toBe(22n);
    const after = await run(raised);
    expect(largestDifference(after.data as Float32Array, before.data as Float32Array)).toBeLessThan(1e-6);
  });
});

/** Instance normalization, then channel attention: with what changes in 13, 18, 20 and 21 on the way. */
const network = [
  makeNode('InstanceNormalization', ['x', 'scale', 'shift'], ['n'], { name: 'norm' }),
  makeNode('ReduceMean', ['n'], ['m'], { name: 'mean', attributes: { axes: [2, 3], keepdims: 0 } }),
  makeNode('Gemm', ['m', 'weight'], ['l']),
  makeNode('Unsqueeze', ['l'], ['u'], { attributes: { axes: [2, 3] } }),
  makeNode('Mul', ['n', 'u'], ['a']),
  makeNode('Softmax', ['a'], ['t'], { attributes: { axis: 3 } }),
  makeNode('Softmax', ['a'], ['r'], { name: 'spread', attributes: { axis: 2 } }), // over planes
  makeNode('Add', ['t', 'r'], ['y']),
];
const constants = [floats('scale', [3]), floats('shift', [3]), floats('weight', [3, 3])];
const sizes = { trainSize: 12, baseSize: 16 };
const ofNetwork = { ...sizes, exclude: ['spread*'] };

describe('convert with an opset', () => {
  it.each([12, 13, 15, 17, 18, 20, 21, 22])('of %d converts the raised model', async (opset) => {
    const bytes = buildBytes({ node: network, initializer: constants }, { opset: 12, irVersion: 4 });
    const { model, report } = await convert(bytes, { ...ofNetwork, opset });
    expect(report).toMatchObject({ opset, irVersion: 8 });
    expect(opsetOf(decodeModel(model, 'converted'))).toBe(opset);
    expect(report.sites.map(({ node }) => node)).toEqual(['norm', 'mean']);
    const functions = decodeModel(model, 'converted').functions.flatMap(({ opsetImport }) => opsetImport);
    expect(new Set(functions.map(({ version }) => version))).toEqual(new Set([BigInt(opset)]));
    expect(await verify(bytes, model, { fullSize: [20, 28] })).toMatchObject({ passed: true });
  });

  it('raises nothing when none is given, but 11', async () => {
    for (const [from, to] of [
      [11, 12],
      [12, 12],
    ]) {
      const bytes = buildBytes({ node: network, initializer: constants }, { opset: from as number });
      expect((await convert(bytes, ofNetwork)).report).toMatchObject({
        opset: to,
        kept: [{ node: 'spread' }],
      });
    }
  });

  it('converts group normalization by group and by channel', async () => {
    const node = [makeNode('GroupNormalization', ['x', 's', 'b'], ['y'], { attributes: { num_groups: 3 } })];
    const initializer = [floats('s', [3], [2, 3, -1]), floats('b', [3], [5, 7, 1])];
    const bytes = buildBytes({ node, initializer }, { opset: 18 });
    const { model, report } = await convert(bytes, { ...sizes, opset: 22 });
    expect(report.sites.map(({ operator }) => operator)).toEqual(['LocalGroupNormalization']);
    expect(await verify(bytes, model, { fullSize: [20, 28] })).toMatchObject({ passed: true });
  });

  it('makes statistics of two types local, which takes 15', async () => {
    const node = [
      makeNode('GlobalAveragePool', ['x'], ['p']),
      makeNode('Mul', ['x', 'p'], ['a']),
      makeNode('Cast', ['a'], ['h'], { attributes: { to: DataType.FLOAT16 } }),
      makeNode('GlobalAveragePool', ['h'], ['q']),
      makeNode('Mul', ['h', 'q'], ['b']),
      makeNode('Cast', ['b'], ['y'], { attributes: { to: DataType.FLOAT } }),
    ];
    const bytes = buildBytes({ node }, { opset: 13 });
    await expect(convert(bytes, sizes)).rejects.toMatchObject({ code: 'ERR_NOT_LOCALIZABLE' });
    const { report } = await convert(bytes, { ...sizes, opset: 15 });
    expect(report.sites).toHaveLength(2);
  });

  it('hands back a model without statistics as it is', async () => {
    const bytes = buildBytes({ node: [makeNode('Relu', ['x'], ['y'])] }, { opset: 13 });
    const { model, report } = await convert(bytes, { ...sizes, opset: 17 });
    expect(report.opset).toBe(13);
    expect(Buffer.compare(model, bytes)).toBe(0);
  });

  it.each([11, 23, 17.5, '17', Number.NaN])('refuses %s', async (opset) => {
    const bytes = buildBytes({ node: network, initializer: constants }, { opset: 12 });
    await expect(convert(bytes, { ...sizes, opset: opset as number })).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      parameter: 'opset',
      message: expect.stringContaining('opset must be a whole number from 12 to 22, not '),
    });
  });

  it('refuses to lower', async () => {
    const bytes = buildBytes({ node: [makeNode('GlobalAveragePool', ['x'], ['y'])] }, { opset: 17 });
    await expect(convert(bytes, { ...sizes, opset: 13 })).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      parameter: 'opset',
      message: 'opset must be at least 17, the opset of the model, not 13',
    });
  });
});
