// Models of every age: each opset from the lowest on, initializers that are listed as inputs, and what exporters put between.
import { create } from '@bufbuild/protobuf';
import { AttributeProto_AttributeType, AttributeProtoSchema } from 'onnx-buf';
import { describe, expect, it } from 'vitest';
import {
  buildBytes,
  floats,
  type GraphParts,
  integers,
  type Versions,
  valueInfo,
} from '../test/build-model.js';
import { largestDifference, noise } from '../test/reference.js';
import { convert } from './convert.js';
import { decodeModel } from './graph/model.js';
import { makeNode, type NodeProto, type TensorProto } from './graph/proto.js';
import { InferenceSession } from './session/inference-session.js';
import { verify } from './verify.js';

/** The newest that the ONNX Runtime of onnxruntime-node loads. */
const newest = 26;
const opsets = Array.from({ length: newest - 6 }, (_, i) => 7 + i);

const weights = [
  floats('weight', [3, 3]),
  floats('bias', [3]),
  floats('kernel', [3, 3, 1, 1]),
  floats('scale', [3]),
  floats('shift', [3]),
  integers('height_width', [2, 3]),
  integers('planes', [0, 3, 1, 1]),
];

/** A mean, by attribute or, from opset 18 on, by input. */
function mean(from: string, to: string, opset: number): NodeProto {
  return opset < 18
    ? makeNode('ReduceMean', [from], [to], { attributes: { axes: [2, 3], keepdims: 1 } })
    : makeNode('ReduceMean', [from, 'height_width'], [to]);
}

/** Instance norm, then attention by a mean and a convolution, then by a pool and a Linear layer: none has a name. */
function network(opset: number): NodeProto[] {
  return [
    makeNode('InstanceNormalization', ['x', 'scale', 'shift'], ['n']),
    mean('n', 'm', opset),
    makeNode('Conv', ['m', 'kernel'], ['c']),
    makeNode('Sigmoid', ['c'], ['s']),
    makeNode('Mul', ['n', 's'], ['a']),
    makeNode('GlobalAveragePool', ['a'], ['p']),
    makeNode('Flatten', ['p'], ['f']),
    makeNode('Gemm', ['f', 'weight', 'bias'], ['l'], { attributes: { transB: 1 } }),
    makeNode('Relu', ['l'], ['r']),
    makeNode('Reshape', ['r', 'planes'], ['g']),
    makeNode('Mul', ['a', 'g'], ['y']),
  ];
}

const x = noise([2, 3, 20, 26]);

/** What the converted model makes of `x`, on the kernels; the bodies and the original have been compared with it. */
async function convertAndRun(parts: GraphParts, versions: Versions, fast = false) {
  const bytes = buildBytes(parts, versions);
  const { model, report } = await convert(bytes, { trainSize: 12, baseSize: [12, 16], fast });
  const checked = await verify(bytes, model, { fullSize: [20, 26] });
  expect(checked).toMatchObject({ passed: true });
  const session = await InferenceSession.create(model);
  const { y } = await session.run({ x });
  await session.release();
  return { output: y?.data as Float32Array, report, model: decodeModel(model, 'm') };
}

const usual = await convertAndRun({ node: network(17), initializer: weights }, { opset: 17 });

async function expectUsual(parts: GraphParts, versions: Versions): Promise<typeof usual> {
  const result = await convertAndRun(parts, versions);
  expect(result.report.sites.map(({ operator }) => operator)).toEqual([
    'LocalInstanceNormalization',
    'LocalAveragePool',
    'LocalAveragePool',
  ]);
  expect(largestDifference(result.output, usual.output)).toBeLessThan(1e-6);
  return result;
}

function irVersionOf(opset: number): number {
  return Math.min(3 + Math.max(0, opset - 8), 10);
}

function constantNode({ name, ...tensor }: TensorProto): NodeProto {
  const node = makeNode('Constant', [], [name]);
  const t = { ...tensor, name: '' } as TensorProto;
  node.attribute.push(
    create(AttributeProtoSchema, { name: 'value', type: AttributeProto_AttributeType.TENSOR, t }),
  );
  return node;
}

describe('a model of any age', () => {
  it.each(opsets)('of opset %d is converted right', async (opset) => {
    const versions = { opset, irVersion: irVersionOf(opset) };
    const listed = weights.map(({ name, dims, dataType }) => valueInfo(name, dims.map(Number), dataType));
    const input = versions.irVersion < 4 ? { input: [valueInfo('x', ['n', 3, 'h', 'w']), ...listed] } : {};
    await expectUsual({ node: network(opset), initializer: weights, ...input }, versions);
  });

  it.each([11, newest])('of opset %d is converted right in fast mode', async (opset) => {
    const usualFast = await convertAndRun({ node: network(17), initializer: weights }, { opset: 17 }, true);
    const parts = { node: network(opset), initializer: weights };
    const { output } = await convertAndRun(parts, { opset, irVersion: irVersionOf(opset) }, true);
    expect(largestDifference(output, usualFast.output)).toBeLessThan(1e-6);
  });

  it('is not newer than the newest', async () => {
    const parts = { node: network(newest), initializer: weights };
    await expect(InferenceSession.create(buildBytes(parts, { opset: newest + 1 }))).rejects.toMatchObject({
      code: 'ERR_INVALID_MODEL',
    });
  });

  it.each([3, 4, 7])('of IR version %d with initializers as inputs is converted right', async (irVersion) => {
    const listed = weights.map(({ name, dims, dataType }) => valueInfo(name, dims.map(Number), dataType));
    const input = [valueInfo('x', ['n', 3, 'h', 'w']), ...listed];
    const { model } = await expectUsual(
      { node: network(11), initializer: weights, input },
      { opset: 11, irVersion },
    );
    // Before IR version 4 they were constants for all that; from it on, whoever runs the model may change them.
    const names = model.graph.input.map(({ name }) => name);
    expect(names.includes('kernel')).toBe(irVersion >= 4);
    expect(names.includes('weight')).toBe(irVersion >= 4);
    expect(model.graph.initializer.map(({ name }) => name).includes('weight')).toBe(irVersion >= 4);
  });

  it('has constants as nodes', async () => {
    for (const opset of [11, 18]) {
      const node = [...weights.map(constantNode), ...network(opset)];
      const { model } = await expectUsual({ node }, { opset });
      expect(model.graph.node.filter(({ opType }) => opType === 'Constant').length).toBeLessThan(6);
    }
  });

  it('has its weights behind Identity nodes, as exporters write weights that are shared', async () => {
    const behind = weights.map(({ name }) => makeNode('Identity', [`${name}_0`], [name]));
    const initializer = weights.map((tensor) => ({ ...tensor, name: `${tensor.name}_0` }) as TensorProto);
    for (const opset of [11, 18]) {
      const { model } = await expectUsual({ node: [...behind, ...network(opset)], initializer }, { opset });
      expect(model.graph.node.some(({ output }) => output[0] === 'weight')).toBe(false);
      expect(model.graph.initializer.some(({ name }) => name === 'weight_0')).toBe(false);
    }
  });

  it('has Identity and Dropout between what was pooled and its end', async () => {
    for (const opset of [11, 12, 13, 22]) {
      const ratio = opset < 12 ? [] : ['ratio'];
      const rename = (node: NodeProto, from: string, to: string) =>
        makeNode(
          node.opType,
          node.input.map((name) => (name === from ? to : name)),
          node.output,
          {},
        );
      const [norm, first, conv, sigmoid, mul, pool, flatten, gemm, relu, reshape, product] = network(
        opset,
      ) as [
        NodeProto,
        NodeProto,
        NodeProto,
        NodeProto,
        NodeProto,
        NodeProto,
        NodeProto,
        NodeProto,
        NodeProto,
        NodeProto,
        NodeProto,
      ];
      const node = [
        norm,
        first,
        makeNode('Identity', ['m'], ['m_1']),
        makeNode('Dropout', ['m_1', ...ratio], ['m_2', 'mask'].slice(0, 1)),
        rename(conv, 'm', 'm_2'),
        sigmoid,
        makeNode('Identity', ['n'], ['n_1']),
        rename(mul, 'n', 'n_1'),
        pool,
        flatten,
        makeNode('Dropout', ['f', ...ratio], ['f_1']),
        makeNode('Gemm', ['f_1', 'weight', 'bias'], ['l'], { attributes: { transB: 1 } }),
        makeNode('Identity', ['l'], ['l_1']),
        rename(relu, 'l', 'l_1'),
        reshape,
        product,
      ];
      expect(gemm.opType).toBe('Gemm');
      const { report } = await expectUsual(
        { node, initializer: [...weights, floats('ratio', [], [0.5])] },
        { opset },
      );
      expect(report.sites.map(({ validLayers }) => validLayers)).toEqual([undefined, 4, 4]);
    }
  });

  it('names sites whose nodes have no names', () => {
    expect(usual.report.sites.map(({ node }) => node)).toEqual([
      'InstanceNormalization (computes n)',
      'ReduceMean (computes m)',
      'GlobalAveragePool (computes p)',
    ]);
  });

  it('has activations that came late', async () => {
    for (const [opType, opset] of [
      ['Mish', 18],
      ['HardSwish', 14],
      ['Gelu', 20],
      ['Swish', 24],
    ] as const) {
      const node = [
        makeNode('GlobalAveragePool', ['x'], ['p']),
        makeNode(opType, ['p'], ['q']),
        makeNode('Mul', ['x', 'q'], ['y']),
      ];
      const { report } = await convertAndRun({ node }, { opset });
      expect(report.sites.map(({ validLayers }) => validLayers)).toEqual([1]);
    }
  });
});
