// The parts of the ONNX schema that the rest of the package speaks of, and small constructors for them.
import { create, type DescMessage, type MessageShape } from '@bufbuild/protobuf';
import {
  type AttributeProto,
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  TensorProto_DataType as DataType,
  type GraphProto,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from 'onnx-buf';

export type {
  AttributeProto,
  FunctionProto,
  GraphProto,
  ModelProto,
  NodeProto,
  TensorProto,
  ValueInfoProto,
} from 'onnx-buf';
export { DataType };

/** The default ONNX domain goes by two names. */
export function isOnnxDomain(domain: string): boolean {
  return domain === '' || domain === 'ai.onnx';
}

/** A number is an int; a reference is to an attribute of the function around the node. */
export type AttributeValue =
  | number
  | readonly number[]
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly text: string }
  | { readonly reference: string; readonly type: 'float' | 'int' | 'ints' };

function attribute(name: string, value: AttributeValue): AttributeProto {
  const { INT, INTS, FLOAT, FLOATS, STRING } = AttributeType;
  if (typeof value === 'number') return create(AttributeProtoSchema, { name, type: INT, i: BigInt(value) });
  if ('length' in value) return create(AttributeProtoSchema, { name, type: INTS, ints: value.map(BigInt) });
  if ('float' in value) return create(AttributeProtoSchema, { name, type: FLOAT, f: value.float });
  if ('floats' in value)
    return create(AttributeProtoSchema, { name, type: FLOATS, floats: [...value.floats] });
  if ('text' in value) {
    return create(AttributeProtoSchema, { name, type: STRING, s: new TextEncoder().encode(value.text) });
  }
  const type = { float: FLOAT, int: INT, ints: INTS }[value.type];
  return create(AttributeProtoSchema, { name, type, refAttrName: value.reference });
}

export interface NodeOptions {
  readonly domain?: string;
  readonly name?: string;
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
}

export function makeNode(
  opType: string,
  input: readonly string[],
  output: readonly string[],
  { domain = '', name = '', attributes = {} }: NodeOptions = {},
): NodeProto {
  return create(NodeProtoSchema, {
    opType,
    domain,
    name,
    input: [...input],
    output: [...output],
    attribute: Object.entries(attributes).map(([key, value]) => attribute(key, value)),
  });
}

/** What a graph says of an input or output that is a tensor; an undefined side may be of any size. */
export function makeTensorInfo(
  name: string,
  elemType: DataType,
  sides: readonly (number | undefined)[],
): ValueInfoProto {
  const dim = sides.map((side) =>
    create(TensorShapeProto_DimensionSchema, {
      value: side === undefined ? { case: undefined } : { case: 'dimValue', value: BigInt(side) },
    }),
  );
  const value = create(TypeProto_TensorSchema, { elemType, shape: create(TensorShapeProtoSchema, { dim }) });
  return create(ValueInfoProtoSchema, {
    name,
    type: create(TypeProtoSchema, { value: { case: 'tensorType', value } }),
  });
}

/** A message with the same fields as `message`, which are shared, not copied. */
export function shallowCopy<S extends DescMessage>(schema: S, message: MessageShape<S>): MessageShape<S> {
  return Object.assign(create(schema), message);
}

export function attributeOf(node: NodeProto, name: string): AttributeProto | undefined {
  return node.attribute.find((entry) => entry.name === name);
}

export function intOf(node: NodeProto, name: string, otherwise: number): number {
  const found = attributeOf(node, name);
  return found ? Number(found.i) : otherwise;
}

export function intsOf(node: NodeProto, name: string): number[] | undefined {
  return attributeOf(node, name)?.ints.map(Number);
}

export function floatOf(node: NodeProto, name: string, otherwise: number): number {
  return attributeOf(node, name)?.f ?? otherwise;
}

export function textOf(node: NodeProto, name: string): string {
  return new TextDecoder().decode(attributeOf(node, name)?.s);
}

/** Whether a Reduce… node with these axes reduces every axis. */
export function reducesAll(node: NodeProto, axes: readonly number[]): boolean {
  return axes.length === 0 && intOf(node, 'noop_with_empty_axes', 0) === 0;
}

/** The graphs that a node carries in its attributes (If, Loop, Scan). */
export function subgraphsOf(node: NodeProto): GraphProto[] {
  return node.attribute.flatMap((entry) => (entry.g ? [entry.g, ...entry.graphs] : entry.graphs));
}

/** The nodes and those in their subgraphs. */
export function allOf(nodes: readonly NodeProto[]): NodeProto[] {
  return nodes.flatMap((node) => [node, ...subgraphsOf(node).flatMap((graph) => allOf(graph.node))]);
}

/** How messages speak of a node: its name, else its operator and what it computes. */
export function labelOf(node: NodeProto): string {
  return node.name || `${node.opType} (computes ${node.output[0] ?? 'nothing'})`;
}

/** Whether `integersIn` can read the tensor. */
export function holdsIntegers({ dataType }: TensorProto): boolean {
  return dataType === DataType.INT32 || dataType === DataType.INT64;
}

/** The values of a constant integer tensor, or undefined when it holds something else. */
export function integersIn(tensor: TensorProto): number[] | undefined {
  if (tensor.dataType === DataType.INT32) {
    if (tensor.int32Data.length > 0) return [...tensor.int32Data];
    return readRaw(tensor, 4, (view, offset) => view.getInt32(offset, true));
  }
  if (tensor.dataType === DataType.INT64) {
    if (tensor.int64Data.length > 0) return tensor.int64Data.map(Number);
    return readRaw(tensor, 8, (view, offset) => Number(view.getBigInt64(offset, true)));
  }
  return undefined;
}

function readRaw(
  tensor: TensorProto,
  size: number,
  read: (view: DataView, offset: number) => number,
): number[] {
  const raw = tensor.rawData;
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  return Array.from({ length: Math.floor(raw.byteLength / size) }, (_, i) => read(view, i * size));
}
