// float16 tensors (IEEE 754 binary16) from and to float32 values. JavaScript has an array of halves from Node 24 on; elsewhere
// onnxruntime-common's tensors hold their bits.
import { Tensor } from 'onnxruntime-common';

const Float16 = (
  globalThis as {
    Float16Array?: new (buffer: ArrayBufferLike, offset: number, length: number) => Uint16Array;
  }
).Float16Array;

/** These bits as the array that onnxruntime-common's tensors hold here. */
export function float16Data(bits: Uint16Array): Uint16Array {
  return Float16 ? new Float16(bits.buffer, bits.byteOffset, bits.length) : bits;
}

/** A tensor over these bits. */
export function float16Tensor(bits: Uint16Array, dims: readonly number[]): Tensor {
  return new Tensor('float16', float16Data(bits), dims);
}

/** The bits of a float16 tensor's data; data of other types as it is. Nothing is copied. */
export function withoutFloat16Array(data: Tensor['data']): Tensor['data'] {
  if (!Float16 || !(data instanceof Float16)) return data;
  return new Uint16Array(data.buffer, data.byteOffset, data.length);
}

const single = new Float32Array(1);
const singleBits = new Uint32Array(single.buffer);

/** The bits of the half nearest to a float32 value, of two the even one; from 65520 on that is infinity. */
function halfBits(value: number): number {
  single[0] = value;
  const bits = singleBits[0] as number;
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude < 0x38800000) {
    // Below 2^-14 halves are multiples of 2^-24, as float32 values from 0.5 to 1 are.
    single[0] = Math.abs(value) + 0.5;
    return sign | ((singleBits[0] as number) - 0x3f000000);
  }
  // Of 23 digits 10 stay; what they carry raises the exponent, which counts from 15 instead of 127.
  const even = (magnitude >>> 13) & 1;
  return sign | ((magnitude - (112 << 23) + 0xfff + even) >>> 13);
}

/** The bits of the nearest halves. */
export function roundToFloat16(values: Float32Array): Uint16Array<ArrayBuffer> {
  const bits = new Uint16Array(values.length);
  for (let i = 0; i < bits.length; i++) bits[i] = halfBits(values[i] as number);
  return bits;
}

function halfValue(bits: number): number {
  const exponent = (bits >>> 10) & 31;
  const fraction = bits & 1023;
  const sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}

/** The value of every half, by its bits; made when the first is asked for. */
let widened: Float32Array | undefined;

/** The values of halves, of which none is lost. */
export function widenFloat16(bits: Uint16Array): Float32Array {
  widened ??= Float32Array.from({ length: 2 ** 16 }, (_, i) => halfValue(i));
  const values = new Float32Array(bits.length);
  for (let i = 0; i < values.length; i++) values[i] = widened[bits[i] as number] as number;
  return values;
}
