// Images as float32 values, whichever of two element types the model has them in.
import { Tensor } from 'onnxruntime-common';
import { float16Tensor, roundToFloat16, widenFloat16, withoutFloat16Array } from './float16.js';

/** The element types that images, and what networks compute of them, may have. */
export const imageTypes = ['float32', 'float16'] as const;
export type ImageType = (typeof imageTypes)[number];

export function isImageType(type: string | undefined): type is ImageType {
  return imageTypes.some((known) => known === type);
}

/** The values as a tensor of the given type, rounded where it is float16; the very same array where it is float32. */
export function toImageTensor(type: ImageType, values: Float32Array, dims: readonly number[]): Tensor {
  if (type === 'float32') return new Tensor('float32', values, dims);
  return float16Tensor(roundToFloat16(values), dims);
}

/** The values of a tensor of either type, fetched from the device if need be; undefined for any other. */
export async function floatsOf(tensor: Tensor): Promise<Float32Array | undefined> {
  if (!isImageType(tensor.type)) return undefined;
  const data = await tensor.getData(true);
  if (tensor.type === 'float32') return data as Float32Array;
  return widenFloat16(withoutFloat16Array(data) as Uint16Array);
}
