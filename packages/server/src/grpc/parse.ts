// An inference request as gRPC carries it: tensors raw, or in a list for each kind of number. Read in the thread for requests, since a message is
// decoded in one go.
import { RequestError } from '../errors.js';
import { countOf, sizeOf } from '../inference/datatypes.js';
import type { ParsedInput, ParsedRequest } from '../inference/parse.js';
import { loadService } from './definition.js';

/** The lists, of which one is filled. Whole numbers of 64 bits come as text. */
interface Contents {
  readonly bool_contents: readonly boolean[];
  readonly int_contents: readonly number[];
  readonly int64_contents: readonly string[];
  readonly uint_contents: readonly number[];
  readonly uint64_contents: readonly string[];
  readonly fp32_contents: readonly number[];
  readonly fp64_contents: readonly number[];
}

/** An input, as it comes. */
interface GrpcInput {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly string[];
  readonly contents: Contents | null;
}

/** By the names of types, what lies in which list, and how. */
const lists: Readonly<Record<string, (contents: Contents) => { buffer: ArrayBufferLike; length: number }>> = {
  BOOL: ({ bool_contents }) => Uint8Array.from(bool_contents, Number),
  INT8: ({ int_contents }) => Int8Array.from(int_contents),
  INT16: ({ int_contents }) => Int16Array.from(int_contents),
  INT32: ({ int_contents }) => Int32Array.from(int_contents),
  INT64: ({ int64_contents }) => BigInt64Array.from(int64_contents, BigInt),
  UINT8: ({ uint_contents }) => Uint8Array.from(uint_contents),
  UINT16: ({ uint_contents }) => Uint16Array.from(uint_contents),
  UINT32: ({ uint_contents }) => Uint32Array.from(uint_contents),
  UINT64: ({ uint64_contents }) => BigUint64Array.from(uint64_contents, BigInt),
  FP32: ({ fp32_contents }) => Float32Array.from(fp32_contents),
  FP64: ({ fp64_contents }) => Float64Array.from(fp64_contents),
};

function mismatch(name: string, why: string): RequestError {
  return new RequestError(400, 'ERR_INPUT_MISMATCH', `input ${name}: ${why}`);
}

function checkCount(name: string, found: number, count: number): void {
  if (found !== count) throw mismatch(name, `${found} values, and its shape has ${count}`);
}

function fromRaw({ name, datatype }: GrpcInput, raw: Buffer, count: number): ArrayBuffer {
  checkCount(name, raw.byteLength / sizeOf(datatype, name), count);
  return new Uint8Array(raw).buffer;
}

function fromContents({ name, datatype, contents }: GrpcInput, count: number): ArrayBuffer {
  if (!contents) throw mismatch(name, 'it has no contents');
  const list = Object.hasOwn(lists, datatype) ? lists[datatype] : undefined;
  if (!list) throw mismatch(name, `${datatype} must come as raw_input_contents`);
  const { buffer, length } = list(contents);
  checkCount(name, length, count);
  return buffer as ArrayBuffer;
}

/** The inputs of a request, their raw contents beside them. */
function inputsOf(inputs: readonly GrpcInput[], raw: readonly Buffer[]): ParsedInput[] {
  if (raw.length > 0 && (raw.length !== inputs.length || inputs.some(({ contents }) => contents)))
    throw new RequestError(
      400,
      'ERR_INPUT_MISMATCH',
      `${raw.length} raw contents for ${inputs.length} inputs: they must come for all, or for none, and nothing beside them`,
    );
  return inputs.map((input, i) => {
    const { name, datatype } = input;
    const shape = input.shape.map(Number);
    if (!shape.every((side) => Number.isSafeInteger(side) && side >= 0))
      throw mismatch(name, `its shape is ${input.shape.join('x')}`);
    const count = countOf(shape, name);
    const bytes = raw[i];
    return {
      name,
      datatype,
      shape,
      values: bytes ? fromRaw(input, bytes, count) : fromContents(input, count),
    };
  });
}

/** A message, decoded. */
interface InferRequest {
  readonly model_name: string;
  readonly id: string;
  readonly inputs: readonly GrpcInput[];
  readonly outputs: readonly { readonly name: string }[];
  readonly raw_input_contents: readonly Buffer[];
}

/** Reads a message. Throws a RequestError. */
export async function parseGrpc(message: Uint8Array): Promise<ParsedRequest> {
  const { ModelInfer } = (await loadService()).service;
  const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  let request: InferRequest;
  try {
    request = ModelInfer?.requestDeserialize(bytes) as InferRequest;
  } catch (error) {
    throw new RequestError(
      400,
      'ERR_INVALID_ARGUMENT',
      `the message cannot be read: ${(error as Error).message}`,
    );
  }
  const { model_name: model, id, inputs, outputs, raw_input_contents: raw } = request;
  return {
    model,
    id,
    inputs: inputsOf(inputs, raw),
    outputs: outputs.length > 0 ? outputs.map(({ name }) => ({ name, isBinary: true })) : undefined,
    isBinary: true,
  };
}
