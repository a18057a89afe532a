// The types of the Open Inference Protocol, and those of ONNX Runtime.
import { Tensor } from '@tlsc/api';
import { RequestError } from '../errors.js';

type Values = Exclude<Tensor['data'], readonly string[]>;
/** In memory, one beside the other. */
interface Layout {
  readonly type: Tensor.Type;
  readonly bytes: number;
  readonly over: (buffer: ArrayBuffer) => Values;
}

// Node.js has it from 24 on, and tensors want it where it is there.
const half = ((globalThis as { Float16Array?: unknown }).Float16Array ?? Uint16Array) as typeof Uint16Array;

const layouts: Readonly<Record<string, Layout>> = {
  BOOL: { type: 'bool', bytes: 1, over: (buffer) => new Uint8Array(buffer) },
  UINT8: { type: 'uint8', bytes: 1, over: (buffer) => new Uint8Array(buffer) },
  UINT16: { type: 'uint16', bytes: 2, over: (buffer) => new Uint16Array(buffer) },
  UINT32: { type: 'uint32', bytes: 4, over: (buffer) => new Uint32Array(buffer) },
  UINT64: { type: 'uint64', bytes: 8, over: (buffer) => new BigUint64Array(buffer) },
  INT8: { type: 'int8', bytes: 1, over: (buffer) => new Int8Array(buffer) },
  INT16: { type: 'int16', bytes: 2, over: (buffer) => new Int16Array(buffer) },
  INT32: { type: 'int32', bytes: 4, over: (buffer) => new Int32Array(buffer) },
  INT64: { type: 'int64', bytes: 8, over: (buffer) => new BigInt64Array(buffer) },
  FP16: { type: 'float16', bytes: 2, over: (buffer) => new half(buffer) },
  FP32: { type: 'float32', bytes: 4, over: (buffer) => new Float32Array(buffer) },
  FP64: { type: 'float64', bytes: 8, over: (buffer) => new Float64Array(buffer) },
};

const names = new Map([
  ...Object.entries(layouts).map(([name, { type }]) => [type, name] as const),
  // What models say that they take, and sessions do not.
  ['string', 'BYTES'] as const,
]);

/** How the protocol calls a type; ONNX Runtime's own name where it has none. */
export function datatypeOf(type: string): string {
  return names.get(type as Tensor.Type) ?? type.toUpperCase();
}

function layoutOf(datatype: string, name: string): Layout {
  const layout = Object.hasOwn(layouts, datatype) ? layouts[datatype] : undefined;
  if (layout) return layout;
  const known = Object.keys(layouts).join(', ');
  throw new RequestError(
    400,
    'ERR_INPUT_MISMATCH',
    `input ${name}: datatype ${datatype} is none of ${known}`,
  );
}

/** The bytes of one value. Throws where there is no such type. */
export function sizeOf(datatype: string, name: string): number {
  return layoutOf(datatype, name).bytes;
}

/** A tensor over values as they lie in memory, which is theirs alone. */
export function tensorOver(
  datatype: string,
  name: string,
  shape: readonly number[],
  buffer: ArrayBuffer,
): Tensor {
  const { type, over } = layoutOf(datatype, name);
  return new Tensor(type, over(buffer) as Float32Array, shape);
}

/** The bytes of a tensor's values, in place. */
export function bytesOf({ data }: Tensor): Uint8Array {
  const { buffer, byteOffset, byteLength } = data as Float32Array;
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** How many values a shape has. Throws where that is no number to allocate for. */
export function countOf(shape: readonly number[], name: string): number {
  const count = shape.reduce((product, side) => product * side, 1);
  if (Number.isSafeInteger(count)) return count;
  throw new RequestError(400, 'ERR_INPUT_MISMATCH', `input ${name}: its shape has too many values`);
}
