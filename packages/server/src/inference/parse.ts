// An inference request as it comes: JSON, and tensors as bytes behind it. Runs in a thread of its own, since JSON is parsed in one go.
import { RequestError } from '../errors.js';
import { countOf, sizeOf } from './datatypes.js';

/** An input, its values as they lie in memory. */
export interface ParsedInput {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly values: ArrayBuffer;
}

export interface RequestedOutput {
  readonly name: string;
  /** Whether it is wanted as bytes. */
  readonly isBinary: boolean;
}

export interface ParsedRequest {
  /** Where the request itself says it, as over gRPC. */
  readonly model?: string;
  readonly id: string | undefined;
  readonly inputs: readonly ParsedInput[];
  /** Undefined: all. */
  readonly outputs: readonly RequestedOutput[] | undefined;
  /** Of outputs that are not named. */
  readonly isBinary: boolean;
}

type Json = Readonly<Record<string, unknown>>;

function invalid(message: string): RequestError {
  return new RequestError(400, 'ERR_INVALID_ARGUMENT', message);
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function listIn(parent: Json, key: string): readonly Json[] | undefined {
  const list = parent[key] ?? undefined;
  if (list === undefined) return undefined;
  if (Array.isArray(list) && list.every(isObject)) return list;
  throw invalid(`${key} must be a list of objects`);
}

function textIn(parent: Json, key: string, what: string): string {
  const text = parent[key];
  if (typeof text === 'string') return text;
  throw invalid(`${what} must have a string ${key}`);
}

function shapeIn(parent: Json, name: string): readonly number[] {
  const { shape } = parent;
  const isSide = (side: unknown) => Number.isSafeInteger(side) && (side as number) >= 0;
  if (Array.isArray(shape) && shape.every(isSide)) return shape;
  throw invalid(`input ${name} must have a shape of whole numbers`);
}

function parametersIn(parent: Json): Json {
  const parameters = parent.parameters ?? {};
  if (isObject(parameters)) return parameters;
  throw invalid('parameters must be an object');
}

/** The values of a list, or of lists in lists of the given shape, in their order. */
function flat(data: unknown, shape: readonly number[], name: string): readonly unknown[] {
  const count = countOf(shape, name);
  if (!Array.isArray(data)) throw invalid(`input ${name} must have its data in a list`);
  if (data.length === count && !Array.isArray(data[0])) return data;
  let level: readonly unknown[] = [data];
  for (const side of shape) {
    const isShaped = level.every((list) => Array.isArray(list) && list.length === side);
    if (!isShaped) throw invalid(`input ${name}: its data are not ${shape.join('x')}, as its shape is`);
    level = (level as readonly unknown[][]).flat(1);
  }
  return level;
}

const ranges: Readonly<Record<string, readonly [number, number]>> = {
  UINT8: [0, 2 ** 8 - 1],
  UINT16: [0, 2 ** 16 - 1],
  UINT32: [0, 2 ** 32 - 1],
  INT8: [-(2 ** 7), 2 ** 7 - 1],
  INT16: [-(2 ** 15), 2 ** 15 - 1],
  INT32: [-(2 ** 31), 2 ** 31 - 1],
};

type Writer = (view: DataView, at: number, value: number) => void;

const writers: Readonly<Record<string, Writer>> = {
  UINT8: (view, at, value) => view.setUint8(at, value),
  UINT16: (view, at, value) => view.setUint16(at, value, true),
  UINT32: (view, at, value) => view.setUint32(at, value, true),
  INT8: (view, at, value) => view.setInt8(at, value),
  INT16: (view, at, value) => view.setInt16(at, value, true),
  INT32: (view, at, value) => view.setInt32(at, value, true),
  UINT64: (view, at, value) => view.setBigUint64(at, BigInt(value), true),
  INT64: (view, at, value) => view.setBigInt64(at, BigInt(value), true),
  FP32: (view, at, value) => view.setFloat32(at, value, true),
  FP64: (view, at, value) => view.setFloat64(at, value, true),
};

function isHeld(datatype: string, value: unknown): value is number {
  if (typeof value !== 'number') return false;
  if (datatype.startsWith('FP')) return true;
  const [least, most] = ranges[datatype] ?? [
    datatype === 'UINT64' ? 0 : Number.MIN_SAFE_INTEGER,
    Number.MAX_SAFE_INTEGER,
  ];
  return Number.isInteger(value) && value >= least && value <= most;
}

/** Values of JSON as they lie in memory. */
function valuesOf(data: readonly unknown[], datatype: string, name: string): ArrayBuffer {
  const size = sizeOf(datatype, name);
  if (datatype === 'BOOL') {
    if (data.every((value) => typeof value === 'boolean')) return Uint8Array.from(data, Number).buffer;
    throw invalid(`input ${name} must have true or false`);
  }
  const write = writers[datatype];
  if (!write) throw invalid(`input ${name}: JSON has no ${datatype}; send it as bytes`);
  const buffer = new ArrayBuffer(data.length * size);
  const view = new DataView(buffer);
  for (const [i, value] of data.entries()) {
    if (!isHeld(datatype, value)) throw invalid(`input ${name}: ${JSON.stringify(value)} is no ${datatype}`);
    write(view, i * size, value);
  }
  return buffer;
}

/** Bytes behind the JSON, in the order of those that lie there. */
class Tail {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  take(size: unknown, name: string): Uint8Array {
    const end = this.#at + (size as number);
    if (!Number.isSafeInteger(size) || (size as number) < 0 || end > this.#bytes.byteLength)
      throw invalid(`input ${name}: binary_data_size ${String(size)} ends behind the body`);
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  checkEmpty(): void {
    const left = this.#bytes.byteLength - this.#at;
    if (left > 0) throw invalid(`${left} bytes behind the last tensor belong to none`);
  }
}

function inputOf(parent: Json, tail: Tail): ParsedInput {
  const name = textIn(parent, 'name', 'an input');
  const datatype = textIn(parent, 'datatype', `input ${name}`);
  const shape = shapeIn(parent, name);
  const count = countOf(shape, name);
  const binarySize = parametersIn(parent).binary_data_size ?? undefined;
  if (binarySize === undefined) {
    const values = valuesOf(flat(parent.data, shape, name), datatype, name);
    return { name, datatype, shape, values };
  }
  if (parent.data !== undefined) throw invalid(`input ${name} has both data and binary_data_size`);
  const bytes = tail.take(binarySize, name);
  const size = sizeOf(datatype, name);
  if (bytes.byteLength !== count * size)
    throw invalid(`input ${name}: ${bytes.byteLength} bytes are not ${count} values of ${datatype}`);
  return { name, datatype, shape, values: new Uint8Array(bytes).buffer };
}

/**
 * Reads an inference request of the Open Inference Protocol; `jsonLength` is how many bytes of it are JSON, undefined where all are. Throws a
 * RequestError that names what is wrong.
 */
export function parseRequest(body: Uint8Array, jsonLength: number | undefined): ParsedRequest {
  const length = jsonLength ?? body.byteLength;
  if (length > body.byteLength)
    throw invalid(`the JSON is said to have ${length} bytes, and the body has ${body.byteLength}`);
  let request: unknown;
  try {
    request = JSON.parse(Buffer.from(body.buffer, body.byteOffset, length).toString());
  } catch (error) {
    throw invalid(`the request is no JSON: ${(error as Error).message}`);
  }
  if (!isObject(request)) throw invalid('the request must be an object');
  const tail = new Tail(body.subarray(length));
  const inputs = listIn(request, 'inputs')?.map((input) => inputOf(input, tail));
  if (!inputs) throw invalid('the request must have inputs');
  tail.checkEmpty();
  const isBinary = parametersIn(request).binary_data_output === true;
  const outputs = listIn(request, 'outputs')?.map((output) => {
    const { binary_data: binary = isBinary } = parametersIn(output);
    return { name: textIn(output, 'name', 'an output'), isBinary: binary === true };
  });
  const id = request.id ?? undefined;
  if (id !== undefined && typeof id !== 'string') throw invalid('id must be a string');
  return { id, inputs, outputs, isBinary };
}
