// A check that cannot fail checks nothing: every kind of corruption, made on purpose.
import { create } from '@bufbuild/protobuf';
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  FunctionProtoSchema,
  OperatorSetIdProtoSchema,
  SparseTensorProtoSchema,
  StringStringEntryProtoSchema,
  TensorAnnotationSchema,
  TensorProtoSchema,
  TrainingInfoProtoSchema,
} from 'onnx-buf';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Conversion, convert } from '../src/convert.js';
import { decodeModel, encodeModel, type Model } from '../src/graph/model.js';
import { DataType, makeNode } from '../src/graph/proto.js';
import { buildGraph, buildModel, floats, integers, valueInfo } from './build-model.js';
import { checkConversion } from './convert.js';

const entry = (key: string, value: string) => create(StringStringEntryProtoSchema, { key, value });

/** Field 999, three bytes, of a schema to come. */
const unknown = [{ no: 999, wireType: 2, data: Uint8Array.from([3, 97, 98, 99]) }] as never;

/** A model with one of everything that ONNX files may hold and conversions must leave alone. */
function buildOriginal(): Uint8Array {
  const inner = buildGraph({
    node: [makeNode('Mul', ['z', 'two'], ['twice']), makeNode('Neg', ['twice'], ['negative'])],
    initializer: [floats('two', [], [2])],
    input: [],
    output: [valueInfo('negative', ['n', 3, 'h', 'w'])],
  });
  const other = buildGraph({
    node: [makeNode('Identity', ['z'], ['same'])],
    input: [],
    output: [valueInfo('same', ['n', 3, 'h', 'w'])],
  });
  const choice = makeNode('If', ['yes'], ['chosen'], { name: 'choice' });
  for (const [name, g] of Object.entries({ then_branch: inner, else_branch: other }))
    choice.attribute.push(
      create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.GRAPH, g }),
    );
  const mean = makeNode('ReduceMean', ['x'], ['mean'], {
    name: 'mean',
    attributes: { axes: [2, 3], keepdims: 0 },
  });
  mean.docString = 'squeeze';
  mean.metadataProps = [entry('scope', 'net.squeeze')];
  const leaky = makeNode('LeakyRelu', ['sum'], ['y'], {
    name: 'leaky',
    attributes: { alpha: { float: 0.1 } },
  });
  leaky.docString = 'last';
  leaky.$unknown = unknown;
  const model = buildModel({
    node: [
      mean,
      makeNode('Gemm', ['mean', 'fc'], ['linear'], { name: 'fc', attributes: { transB: 1 } }),
      makeNode('Reshape', ['linear', 'planes'], ['gate'], { name: 'reshape' }),
      makeNode('Mul', ['x', 'gate'], ['z'], { name: 'mul' }),
      choice,
      makeNode('Scaled', ['chosen'], ['s'], { name: 'scaled', domain: 'own' }),
      makeNode('Add', ['s', 'offset'], ['sum'], { name: 'add' }),
      leaky,
    ],
    initializer: [
      floats('fc', [3, 3]),
      integers('planes', [0, 3, 1, 1]),
      floats('offset', [3, 1, 1]),
      floats('idle', [2]),
      floats('scale', []),
      create(TensorProtoSchema, { name: 'yes', dataType: DataType.BOOL, int32Data: [1] }),
    ],
    valueInfo: [
      valueInfo('mean', ['n', 3]),
      valueInfo('linear', ['n', 3]),
      valueInfo('gate', ['n', 3, 1, 1]),
      valueInfo('z', ['n', 3, 'h', 'w']),
      valueInfo('s', ['n', 3, 'h', 'w']),
    ],
  });
  model.producerName = 'tests';
  model.docString = 'a network';
  model.$unknown = unknown;
  model.metadataProps = [entry('author', 'nobody')];
  model.trainingInfo = [create(TrainingInfoProtoSchema, { initializationBinding: [entry('a', 'b')] })];
  const onnx17 = create(OperatorSetIdProtoSchema, { domain: '', version: 17n });
  model.functions = [
    create(FunctionProtoSchema, {
      ...{ name: 'Scaled', domain: 'own', input: ['a'], output: ['b'], opsetImport: [onnx17] },
      node: [makeNode('Abs', ['a'], ['b'])],
    }),
  ];
  model.opsetImport.push(create(OperatorSetIdProtoSchema, { domain: 'own', version: 1n }));
  model.graph.docString = 'its graph';
  model.graph.metadataProps = [entry('k', 'v')];
  model.graph.sparseInitializer = [
    create(SparseTensorProtoSchema, {
      values: floats('sparse', [1]),
      indices: integers('', [1]),
      dims: [4n],
    }),
  ];
  model.graph.quantizationAnnotation = ['z', 'linear'].map((tensorName) =>
    create(TensorAnnotationSchema, {
      tensorName,
      quantParameterTensorNames: [entry('SCALE_TENSOR', 'scale')],
    }),
  );
  return encodeModel(model);
}

const nodeOf = ({ graph }: Model, name: string) => {
  const node = graph.node.find((one) => one.name === name || one.output[0] === name);
  if (!node) throw new Error(`no node ${name}`);
  return node;
};
const initializerOf = ({ graph }: Model, name: string) => {
  const tensor = graph.initializer.find((one) => one.name === name);
  if (!tensor) throw new Error(`no initializer ${name}`);
  return tensor;
};
const innerOf = (model: Model) => {
  const inner = nodeOf(model, 'choice').attribute.find(({ name }) => name === 'then_branch')?.g;
  if (!inner) throw new Error('no branch');
  return inner;
};
const without = <T>(list: readonly T[], gone: T) => list.filter((one) => one !== gone);

/** What each corruption does to the converted model, and what the check says of it. */
const corruptions: Readonly<Record<string, { edit: (model: Model) => void; fault: string }>> = {
  'two nodes change places': {
    edit: ({ graph }) => graph.node.reverse(),
    fault: 'sum is read before it is computed',
  },
  'independent nodes change places': {
    edit: ({ graph }) => {
      const spare = graph.node.splice(-1, 1);
      graph.node.splice(-1, 0, ...spare);
    },
    fault: 'nodes have changed places',
  },
  'a value is read that nothing computes': {
    edit: (model) => (nodeOf(model, 'add').input[0] = 'nothing'),
    fault: 'nothing is read but never computed',
  },
  'a branch reads what is not there': {
    edit: (model) => innerOf(model).node.map((node) => (node.input[0] = 'nothing')),
    fault: 'inside If choice: nothing is read but never computed',
  },
  'an output is not computed': {
    edit: (model) => (nodeOf(model, 'leaky').output[0] = 'other'),
    fault: 'output y is never computed',
  },
  'a value is computed twice': {
    edit: ({ graph }) => graph.node.push(makeNode('Neg', ['x'], ['s'])),
    fault: 's is computed twice',
  },
  'a constant has the name of a value': {
    edit: ({ graph }) => graph.initializer.push(floats('s', [1])),
    fault: 's is computed twice',
  },
  'two constants have one name': {
    edit: ({ graph }) => graph.initializer.push(floats('offset', [1])),
    fault: 'offset is given twice',
  },
  'a constant is shadowed in a branch': {
    edit: ({ graph }) => graph.initializer.push(floats('twice', [1])),
    fault: 'twice shadows one outside',
  },
  'two nodes have one name': {
    edit: (model) => (nodeOf(model, 'add').name = 'mul'),
    fault: 'several nodes are named mul',
  },
  'a function is missing': {
    edit: (model) => model.functions.pop(),
    fault: 'there is no such function',
  },
  'a domain is not imported': {
    edit: (model) => model.opsetImport.pop(),
    fault: 'tlsc::LocalAveragePool is of a domain that is not imported',
  },
  'a function calls what it has not imported': {
    edit: (model) => model.functions.map((one) => (one.opsetImport = [])),
    fault: 'is of a domain that is not imported',
  },
  'a function does not compute its output': {
    edit: (model) => model.functions.map((one) => (one.output = ['nothing'])),
    fault: 'output nothing is never computed',
  },
  'a function is added that nobody calls': {
    edit: (model) => model.functions.push(create(FunctionProtoSchema, { name: 'Idle', domain: 'tlsc' })),
    fault: 'function tlsc::Idle has been added',
  },
  "a function of the model's own changes": {
    edit: (model) => model.functions.map((one) => (one.docString = 'changed')),
    fault: 'functions have changed',
  },
  'an opset changes': {
    edit: ({ opsetImport }) => opsetImport.map((one) => (one.version += 1n)),
    fault: 'the imported opsets have changed',
  },
  'the IR version falls': { edit: (model) => (model.irVersion = 7n), fault: 'the IR version is 7' },
  "the model's doc string goes": {
    edit: (model) => (model.docString = ''),
    fault: 'a field of the model has changed',
  },
  'training info goes': {
    edit: (model) => (model.trainingInfo = []),
    fault: 'a field of the model has changed',
  },
  'an unknown field of the model goes': {
    edit: (model) => (model.$unknown = []),
    fault: 'a field of the model has changed',
  },
  'metadata goes': {
    edit: (model) => (model.metadataProps = model.metadataProps.slice(1)),
    fault: 'metadata has changed',
  },
  "the graph's doc string goes": {
    edit: ({ graph }) => (graph.docString = ''),
    fault: 'a field of the graph has changed',
  },
  "the graph's metadata goes": {
    edit: ({ graph }) => (graph.metadataProps = []),
    fault: 'a field of the graph has changed',
  },
  'a sparse initializer goes': {
    edit: ({ graph }) => (graph.sparseInitializer = []),
    fault: 'a field of the graph has changed',
  },
  'an output changes its type': {
    edit: ({ graph }) => (graph.output = [valueInfo('y', ['n', 3, 'h', 'v'])]),
    fault: 'a field of the graph has changed',
  },
  'a node is left out': {
    edit: (model) => {
      model.graph.node = without(model.graph.node, nodeOf(model, 'scaled'));
      model.graph.valueInfo = model.graph.valueInfo.filter(({ name }) => name !== 's');
      nodeOf(model, 'add').input[0] = 'chosen';
    },
    fault: 'node Scaled of s is missing',
  },
  'an attribute changes': {
    edit: (model) => nodeOf(model, 'leaky').attribute.map((one) => (one.f = 0.2)),
    fault: 'node LeakyRelu of y has become LeakyRelu, or has other attributes',
  },
  'an unknown field of a node goes': {
    edit: (model) => (nodeOf(model, 'leaky').$unknown = []),
    fault: 'node LeakyRelu of y has become',
  },
  'a doc string of an untouched node goes': {
    edit: (model) => (nodeOf(model, 'leaky').docString = ''),
    fault: 'node LeakyRelu of y has lost its doc string',
  },
  'a doc string of a replaced node goes': {
    edit: (model) => (nodeOf(model, 'mean').docString = ''),
    fault: 'node ReduceMean of mean has lost its doc string',
  },
  'metadata of a replaced node go': {
    edit: (model) => (nodeOf(model, 'mean').metadataProps = []),
    fault: 'node ReduceMean of mean has lost metadata',
  },
  'the name of a replaced node goes': {
    edit: (model) => (nodeOf(model, 'mul').name = ''),
    fault: 'node Mul of z has the name ',
  },
  'something in a branch changes': {
    edit: (model) => innerOf(model).node.map((node) => (node.docString = 'changed')),
    fault: 'node If of chosen has become',
  },
  'a node is added that serves nothing': {
    edit: ({ graph }) => graph.node.push(makeNode('Neg', ['x'], ['idle_node'])),
    fault: 'node Neg of idle_node serves nothing',
  },
  'a weight changes': {
    edit: (model) => (initializerOf(model, 'offset').floatData[1] = 7),
    fault: 'initializer offset has changed',
  },
  'a constant goes that nothing ever read': {
    edit: (model) =>
      (model.graph.initializer = without(model.graph.initializer, initializerOf(model, 'idle'))),
    fault: 'initializer idle is missing',
  },
  'a constant is added that serves nothing': {
    edit: ({ graph }) => graph.initializer.push(floats('spare', [1])),
    fault: 'initializer spare serves nothing',
  },
  'a type goes that is right': {
    edit: ({ graph }) => (graph.valueInfo = graph.valueInfo.filter(({ name }) => name === 'z')),
    fault: 'the type of s is missing, and would be right',
  },
  'a type stays that is wrong now': {
    edit: ({ graph }) => graph.valueInfo.push(valueInfo('linear', ['n', 3])),
    fault: 'linear is said to be [,3] and is [1,3,',
  },
  'the type of a value that is gone stays': {
    edit: ({ graph }) => graph.valueInfo.push(valueInfo('gate', ['n', 3, 1, 1])),
    fault: 'the type of gate is given, which is not there',
  },
  'a quantization goes': {
    edit: ({ graph }) => graph.quantizationAnnotation.pop(),
    fault: 'the quantization of linear is missing or has changed',
  },
  'a quantization stays whose tensor is gone': {
    edit: ({ graph }) => graph.quantizationAnnotation.map((one) => (one.tensorName = 'gate')),
    fault: 'the quantization of gate names gate, which is not there',
  },
};

describe('the check of conversions', () => {
  let original: Uint8Array;
  let conversion: Conversion;

  beforeAll(async () => {
    original = buildOriginal();
    conversion = await convert(original, { trainSize: 16, baseSize: 12 });
  });

  it('passes a conversion of a model that has everything', async () => {
    await expect(checkConversion(original, conversion)).resolves.toBeUndefined();
  });

  it.each(Object.keys(corruptions))('sees that %s', async (title) => {
    const converted = decodeModel(conversion.model, 'm');
    corruptions[title]?.edit(converted);
    const corrupted = { ...conversion, model: encodeModel(converted) };
    await expect(checkConversion(original, corrupted)).rejects.toThrow(corruptions[title]?.fault);
  });

  it('sees that a model was not raised as asked, or was although nobody asked', async () => {
    const raised = await convert(original, { trainSize: 16, baseSize: 12, opset: 18 });
    await expect(checkConversion(original, raised, 18)).resolves.toBeUndefined();
    await expect(checkConversion(original, raised)).rejects.toThrow('the imported opsets have changed');
    await expect(checkConversion(original, conversion, 18)).rejects.toThrow(
      'the imported opsets have changed',
    );
  });

  it.each(Object.keys(corruptions))('sees in a raised model that %s', async (title) => {
    const { model, ...rest } = await convert(original, { trainSize: 16, baseSize: 12, opset: 18 });
    const converted = decodeModel(model, 'm');
    corruptions[title]?.edit(converted);
    const corrupted = { ...rest, model: encodeModel(converted) };
    await expect(checkConversion(original, corrupted, 18)).rejects.toThrow(corruptions[title]?.fault);
  });

  it('sees that a model without statistics was written anew', async () => {
    const bytes = encodeModel(buildModel({ node: [makeNode('Relu', ['x'], ['y'])] }));
    const copy = await convert(bytes, { trainSize: 16 });
    // The same message with its model version, 0, written down.
    const changed = { ...copy, model: Buffer.concat([bytes, Uint8Array.from([0x28, 0])]) };
    await expect(checkConversion(bytes, changed)).rejects.toThrow('the bytes differ');
  });
});
