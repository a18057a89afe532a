// Constants: too short, too long, in the wrong field, elsewhere, sparse, with values that shapes are made of.
import { create } from '@bufbuild/protobuf';
import {
  TensorProto_DataLocation as DataLocation,
  TensorProto_DataType as DataType,
  SparseTensorProtoSchema,
  StringStringEntryProtoSchema,
  type TensorProto,
  TensorProtoSchema,
} from 'onnx-buf';
import type { Random } from '../random.js';
import { oddFloat, oddNumber, oddSide, oddText } from './oddities.js';
import { copyOf, graphsOf, type Mutation, nodesOf, tensorsOf } from './places.js';

const length: Mutation = (model, random) => {
  const tensor = random.any(tensorsOf(model));
  if (!tensor) return;
  const wanted = random.pick([0, 1, tensor.rawData.length - 1, tensor.rawData.length + 1, 3, 4, 8]);
  const longer = new Uint8Array(Math.max(0, wanted));
  longer.set(tensor.rawData.subarray(0, longer.length));
  tensor.rawData = longer;
};

const otherField: Mutation = (model, random) => {
  const tensor = random.any(tensorsOf(model));
  if (!tensor) return;
  const count = random.below(9);
  const list = <T>(make: () => T) => Array.from({ length: count }, make);
  if (random.chance(0.5)) tensor.rawData = new Uint8Array();
  const fields: readonly (() => void)[] = [
    () => {
      tensor.floatData = list(() => oddFloat(random));
    },
    () => {
      tensor.doubleData = list(() => oddFloat(random));
    },
    () => {
      tensor.int32Data = list(() => random.below(9) - 4);
    },
    () => {
      tensor.int64Data = list(() => oddNumber(random));
    },
    () => {
      tensor.uint64Data = list(() => BigInt(random.below(9)));
    },
    () => {
      tensor.stringData = list(() => new TextEncoder().encode(oddText(random)));
    },
  ];
  random.pick(fields)();
};

/** Sizes, axes, pads and the like: small lists of integers. */
const integers: Mutation = (model, random) => {
  const tensor = random.any(tensorsOf(model).filter(({ dataType }) => dataType === DataType.INT64));
  if (!tensor) return;
  const count = Math.min(64, tensor.int64Data.length || tensor.rawData.length / 8);
  const values = Array.from({ length: count }, () => oddSide(random));
  if (tensor.rawData.length === 0) tensor.int64Data = values;
  else tensor.rawData = new Uint8Array(BigInt64Array.from(values).buffer);
};

const floats: Mutation = (model, random) => {
  const tensor = random.any(tensorsOf(model).filter(({ dataType }) => dataType === DataType.FLOAT));
  if (!tensor) return;
  const value = oddFloat(random);
  if (tensor.floatData.length > 0) tensor.floatData[random.below(tensor.floatData.length)] = value;
  else if (tensor.rawData.length >= 4) {
    const raw = tensor.rawData.slice();
    new DataView(raw.buffer).setFloat32(4 * random.below(Math.floor(raw.length / 4)), value, true);
    tensor.rawData = raw;
  }
};

const places = [
  '',
  'weights.bin',
  '../secret',
  '/etc/hostname',
  '.',
  '/dev/zero',
  '*/_ORT_MEM_ADDR_/*',
  'a\0b',
  'x'.repeat(5000),
];

const external: Mutation = (model, random) => {
  const tensor = random.any(tensorsOf(model));
  if (!tensor) return;
  tensor.dataLocation = random.chance(0.9) ? DataLocation.EXTERNAL : (7 as DataLocation);
  const entries = {
    location: random.pick(places),
    offset: `${oddNumber(random)}`,
    length: `${oddNumber(random)}`,
  };
  tensor.externalData = Object.entries(entries)
    .filter(() => random.chance(0.8))
    .map(([key, value]) => create(StringStringEntryProtoSchema, { key, value }));
};

function sparseOf(tensor: TensorProto, random: Random) {
  const indices = create(TensorProtoSchema, {
    dataType: random.chance(0.9) ? DataType.INT64 : random.below(27),
    dims: [oddSide(random), ...(random.chance(0.3) ? [oddSide(random)] : [])],
    int64Data: Array.from({ length: random.below(6) }, () => oddSide(random)),
  });
  const values = random.chance(0.9) ? tensor : undefined;
  return create(SparseTensorProtoSchema, {
    ...(values && { values }),
    indices,
    dims: random.chance(0.5) ? tensor.dims : [oddSide(random), oddSide(random)],
  });
}

const sparse: Mutation = (model, random) => {
  const graph = random.any(graphsOf(model).filter(({ initializer }) => initializer.length > 0));
  if (!graph) return;
  const at = random.below(graph.initializer.length);
  const tensor = graph.initializer[at];
  if (!tensor) return;
  graph.sparseInitializer.push(sparseOf(tensor, random));
  if (random.chance(0.8)) graph.initializer.splice(at, 1);
};

/** An initializer instead of a node, or beside it. */
const constant: Mutation = (model, random) => {
  const graph = random.any(graphsOf(model));
  const tensor = random.any(tensorsOf(model));
  const name = random.any(nodesOf(model).flatMap(({ input, output }) => [...input, ...output]));
  if (!graph || !tensor || name === undefined) return;
  graph.initializer.push(Object.assign(copyOf(TensorProtoSchema, tensor), { name }));
};

const segment: Mutation = (model, random) => {
  const tensor = random.any(tensorsOf(model));
  if (tensor)
    tensor.segment = {
      $typeName: 'onnx.TensorProto.Segment',
      begin: oddNumber(random),
      end: oddNumber(random),
    };
};

export const tensorMutations: readonly Mutation[] = [
  length,
  otherField,
  integers,
  integers,
  floats,
  external,
  sparse,
  constant,
  segment,
];
