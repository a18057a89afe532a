// Images as float32 values, whichever of two element types the model has them in.
import { Tensor } from 'onnxruntime-common';
import { float16Tensor, roundToFloat16, widenFloat16, withoutFloat16Array } from './float16.js';

/** The element types that images, and what networks compute of them, may have. */
export const imageTypes = ['float32', 'float16'] as const;
export type ImageType = (typeof imageTypes)[number];

export function isImageType(type: string | undefined): type is ImageType {
  return imageTypes.some((known) => known === type);
}

/** Calls `work` for ranges that cover 0..length. */
export type Slicer = (length: number, work: (begin: number, end: number) => void) => Promise<void>;

const inOnePiece: Slicer = async (length, work) => work(0, length);

/** The values as a tensor of the given type, rounded where it is float16; the very same array where it is float32. */
export async function toImageTensor(
  type: ImageType,
  values: Float32Array,
  dims: readonly number[],
  slicer = inOnePiece,
): Promise<Tensor> {
  if (type === 'float32') return new Tensor('float32', values, dims);
  const bits = new Uint16Array(values.length);
  await slicer(values.length, (begin, end) => roundToFloat16(values, bits, begin, end));
  return float16Tensor(bits, dims);
}

/** The values of a tensor of either type, fetched from the device if need be; undefined for any other. */
export async function floatsOf(tensor: Tensor, slicer = inOnePiece): Promise<Float32Array | undefined> {
  if (!isImageType(tensor.type)) return undefined;
  const data = await tensor.getData(true);
  if (tensor.type === 'float32') return data as Float32Array;
  const bits = withoutFloat16Array(data) as Uint16Array;
  const values = new Float32Array(bits.length);
  await slicer(bits.length, (begin, end) => widenFloat16(bits, values, begin, end));
  return values;
}
