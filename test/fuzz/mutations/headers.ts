// Versions, domains and metadata, tlsc's own record among them, and what few models have.
import { create } from '@bufbuild/protobuf';
import {
  GraphProtoSchema,
  OperatorSetIdProtoSchema,
  StringStringEntryProtoSchema,
  TensorAnnotationSchema,
  TrainingInfoProtoSchema,
} from 'onnx-buf';
import { oddNumber, oddText } from './oddities.js';
import { copyOf, graphsOf, type Mutation, nodesOf, valuesOf } from './places.js';

const irVersion: Mutation = (model, random) => {
  model.irVersion = random.chance(0.7) ? BigInt(random.below(16)) : oddNumber(random);
};

const opset: Mutation = (model, random) => {
  const entry = random.any(model.opsetImport);
  if (entry) entry.version = random.chance(0.7) ? BigInt(random.below(30)) : oddNumber(random);
};

const imports: Mutation = (model, random) => {
  const domain = random.pick([
    '',
    'ai.onnx',
    'tlsc',
    'own',
    'com.microsoft',
    'com.ms.internal.nhwc',
    'ai.onnx.ml',
    oddText(random),
  ]);
  if (random.chance(0.2)) model.opsetImport.splice(random.below(model.opsetImport.length), 1);
  else
    model.opsetImport.push(create(OperatorSetIdProtoSchema, { domain, version: BigInt(random.below(25)) }));
};

const records: Readonly<Record<string, readonly string[]>> = {
  'tlsc.version': ['0.1.0', '', '99', '{}'],
  'tlsc.train_size': [
    '16x16',
    '0x0',
    '-1x5',
    '1e9x1e9',
    '16',
    'NaNxNaN',
    '99999x99999',
    '16x16x16',
    '65536x65536',
  ],
  'tlsc.base_size': ['24x24', '0x0', '1x1', '1e308x2', '99999x99999', ''],
  'tlsc.sites': [
    '[]',
    '{}',
    '[null]',
    '[[[[]]]]',
    '['.repeat(20_000),
    'null',
    '[{"node":1}]',
    '[{"__proto__":{"rule":"x"}}]',
  ],
};

const record: Mutation = (model, random) => {
  for (const [key, values] of Object.entries(records)) {
    if (!random.chance(0.8)) continue;
    const value = random.pick(values);
    const entry = model.metadataProps.find((one) => one.key === key);
    if (entry && random.chance(0.5)) entry.value = value;
    else if (!entry || random.chance(0.3))
      model.metadataProps.push(create(StringStringEntryProtoSchema, { key, value }));
  }
};

const metadata: Mutation = (model, random) => {
  const owner = random.any([model, ...graphsOf(model), ...nodesOf(model)]);
  owner?.metadataProps.push(
    create(StringStringEntryProtoSchema, { key: oddText(random), value: oddText(random) }),
  );
};

const training: Mutation = (model, random) => {
  const graph =
    model.graph && random.chance(0.5) ? copyOf(GraphProtoSchema, model.graph) : create(GraphProtoSchema);
  model.trainingInfo.push(create(TrainingInfoProtoSchema, { initialization: graph, algorithm: graph }));
};

const quantization: Mutation = (model, random) => {
  const entry = () =>
    create(StringStringEntryProtoSchema, {
      key: random.pick(['SCALE_TENSOR', 'ZERO_POINT_TENSOR', oddText(random)]),
      value: random.any(valuesOf(model)) ?? '',
    });
  random.any(graphsOf(model))?.quantizationAnnotation.push(
    create(TensorAnnotationSchema, {
      tensorName: random.any(valuesOf(model)) ?? '',
      quantParameterTensorNames: [entry(), entry()],
    }),
  );
};

const noGraph: Mutation = (model) => {
  delete model.graph;
};

export const headerMutations: readonly Mutation[] = [
  irVersion,
  irVersion,
  opset,
  opset,
  opset,
  imports,
  imports,
  record,
  record,
  metadata,
  training,
  quantization,
  noGraph,
];
