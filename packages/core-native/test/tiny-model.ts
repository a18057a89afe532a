// Encodes the few fields of ONNX's ModelProto that the tests need, so that this package depends on no ONNX library.
// Field numbers are those of onnx.proto.

/** TensorProto.DataType */
export const elementTypes = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
} as const;

export type ElementType = keyof typeof elementTypes;

export interface Value {
  readonly name: string;
  readonly type: ElementType;
  /** A number is a size, a string a free dimension's name, '' one without a name. */
  readonly shape: readonly (number | string)[];
  /** A sequence of such tensors instead of a tensor. */
  readonly isSequence?: boolean;
}

/** A number is an INT, `{ f }` a FLOAT, an array INTS. */
export type Attribute = number | string | readonly number[] | { readonly f: number };

export interface Node {
  readonly op: string;
  readonly domain?: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
}

export interface Initializer {
  readonly name: string;
  readonly type: ElementType;
  readonly dims: readonly number[];
  /** The values, or the name of the file that holds them and nothing else. */
  readonly data: ArrayBufferView | string;
}

export interface TinyModel {
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly nodes: readonly Node[];
  readonly initializers?: readonly Initializer[];
  readonly metadata?: Readonly<Record<string, string>>;
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Buffer.from([...bytes, Number(rest)]);
}

function int(field: number, value: number): Buffer {
  return Buffer.concat([varint(field * 8), varint(value)]);
}

function float(field: number, value: number): Buffer {
  return Buffer.concat([varint(field * 8 + 5), Buffer.from(new Float32Array([value]).buffer)]);
}

/** A string, or bytes, or a message made of its fields. */
function block(field: number, content: string | Uint8Array | readonly Buffer[]): Buffer {
  const bytes = Array.isArray(content) ? Buffer.concat(content) : Buffer.from(content as string);
  return Buffer.concat([varint(field * 8 + 2), varint(bytes.length), bytes]);
}

function attribute(name: string, value: Attribute): Buffer {
  if (typeof value === 'number') return block(5, [block(1, name), int(3, value), int(20, 2)]);
  if (typeof value === 'string') return block(5, [block(1, name), block(4, value), int(20, 3)]);
  if ('f' in value) return block(5, [block(1, name), float(2, value.f), int(20, 1)]);
  return block(5, [block(1, name), ...value.map((i) => int(8, i)), int(20, 7)]);
}

function node({ op, domain = '', inputs, outputs, attributes = {} }: Node): Buffer {
  return block(1, [
    ...inputs.map((name) => block(1, name)),
    ...outputs.map((name) => block(2, name)),
    block(4, op),
    ...Object.entries(attributes).map(([name, value]) => attribute(name, value)),
    block(7, domain),
  ]);
}

function valueInfo(field: number, { name, type, shape, isSequence }: Value): Buffer {
  const dims = shape.map((dim) =>
    block(1, typeof dim === 'number' ? [int(1, dim)] : dim === '' ? [] : [block(2, dim)]),
  );
  const tensor = block(1, [int(1, elementTypes[type]), block(2, dims)]);
  return block(field, [block(1, name), block(2, isSequence ? [block(4, [block(1, [tensor])])] : [tensor])]);
}

function initializer({ name, type, dims, data }: Initializer): Buffer {
  const values =
    typeof data === 'string'
      ? [block(13, [block(1, 'location'), block(2, data)]), int(14, 1)]
      : [block(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength))];
  return block(5, [...dims.map((dim) => int(1, dim)), int(2, elementTypes[type]), block(8, name), ...values]);
}

/** The bytes of an ONNX file. */
export function encode({ inputs, outputs, nodes, initializers = [], metadata = {} }: TinyModel): Uint8Array {
  const graph = [
    ...nodes.map(node),
    block(2, 'tiny'),
    ...initializers.map(initializer),
    ...inputs.map((value) => valueInfo(11, value)),
    ...outputs.map((value) => valueInfo(12, value)),
  ];
  const props = Object.entries(metadata).map(([key, value]) => block(14, [block(1, key), block(2, value)]));
  const opset = (domain: string, version: number) => block(8, [block(1, domain), int(2, version)]);
  return Buffer.concat([int(1, 8), opset('', 17), opset('tlsc', 1), block(7, graph), ...props]);
}
