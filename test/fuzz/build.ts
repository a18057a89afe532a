// Small models in few words.
import { create } from '@bufbuild/protobuf';
import {
  type AttributeProto,
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  TensorProto_DataType as DataType,
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  type TensorProto,
  TensorProtoSchema,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from 'onnx-buf';

/** Whole numbers are ints. */
export type AttributeValue = bigint | number | string | readonly number[];

function attribute(name: string, value: AttributeValue): AttributeProto {
  const { FLOAT, INT, INTS, STRING } = AttributeType;
  if (typeof value === 'string')
    return create(AttributeProtoSchema, { name, type: STRING, s: new TextEncoder().encode(value) });
  if (typeof value === 'object')
    return create(AttributeProtoSchema, { name, type: INTS, ints: value.map(BigInt) });
  if (typeof value === 'number' && !Number.isInteger(value))
    return create(AttributeProtoSchema, { name, type: FLOAT, f: value });
  return create(AttributeProtoSchema, { name, type: INT, i: BigInt(value) });
}

/** `inputs` and `outputs` are names with spaces between; '_' leaves one out. */
export function node(
  opType: string,
  inputs: string,
  outputs: string,
  attributes: Readonly<Record<string, AttributeValue>> = {},
): NodeProto {
  const split = (names: string) =>
    names
      .split(' ')
      .filter(Boolean)
      .map((name) => (name === '_' ? '' : name));
  return create(NodeProtoSchema, {
    opType,
    input: split(inputs),
    output: split(outputs),
    attribute: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
  });
}

export function weights(name: string, ...dims: readonly number[]): TensorProto {
  const count = dims.reduce((product, side) => product * side, 1);
  const floatData = Array.from({ length: count }, (_, i) => Math.sin(i + 1) / 2);
  return create(TensorProtoSchema, { name, dataType: DataType.FLOAT, dims: dims.map(BigInt), floatData });
}

export function integers(name: string, ...values: readonly number[]): TensorProto {
  const dims = [BigInt(values.length)];
  return create(TensorProtoSchema, { name, dataType: DataType.INT64, dims, int64Data: values.map(BigInt) });
}

export function tensorInfo(
  name: string,
  sides: readonly (number | string)[],
  elemType = DataType.FLOAT,
): ValueInfoProto {
  const dim = sides.map((side) =>
    create(TensorShapeProto_DimensionSchema, {
      value:
        typeof side === 'string'
          ? { case: 'dimParam', value: side }
          : { case: 'dimValue', value: BigInt(side) },
    }),
  );
  const value = create(TypeProto_TensorSchema, { elemType, shape: create(TensorShapeProtoSchema, { dim }) });
  return create(ValueInfoProtoSchema, {
    name,
    type: create(TypeProtoSchema, { value: { case: 'tensorType', value } }),
  });
}

export interface Parts {
  readonly nodes: readonly NodeProto[];
  readonly constants?: readonly TensorProto[];
  readonly opset?: number;
  readonly type?: DataType;
}

/** From the image `x` of three channels to the image `y`. */
export function build({ nodes, constants = [], opset = 17, type = DataType.FLOAT }: Parts): ModelProto {
  return create(ModelProtoSchema, {
    irVersion: 8n,
    opsetImport: [create(OperatorSetIdProtoSchema, { version: BigInt(opset) })],
    graph: create(GraphProtoSchema, {
      name: 'seed',
      node: [...nodes],
      initializer: [...constants],
      input: [tensorInfo('x', ['n', 3, 'h', 'w'], type)],
      output: [tensorInfo('y', ['n', 'c', 'oh', 'ow'], type)],
    }),
  });
}
