// What a model is fed when it is run to see what it does: images of some size, zeros for whatever else it takes.
import { Tensor } from 'onnxruntime-common';
import { TlscError } from '../errors.js';
import { float16Tensor } from '../session/float16.js';
import { toImageTensor } from '../session/image-tensors.js';
import type { Size } from '../size.js';
import {
  type ImageInput,
  imageInputsOf,
  inputsOf,
  type Shape,
  tensorTypeOf,
  typeName,
  withoutImages,
} from './inputs.js';
import type { Model } from './model.js';
import { DataType, type ValueInfoProto } from './proto.js';

type Zeros = (count: number, dims: readonly number[]) => Tensor;

const zeros: Readonly<Record<number, Zeros>> = {
  [DataType.FLOAT]: (count, dims) => new Tensor('float32', new Float32Array(count), dims),
  [DataType.DOUBLE]: (count, dims) => new Tensor('float64', new Float64Array(count), dims),
  [DataType.FLOAT16]: (count, dims) => float16Tensor(new Uint16Array(count), dims),
  [DataType.INT8]: (count, dims) => new Tensor('int8', new Int8Array(count), dims),
  [DataType.UINT8]: (count, dims) => new Tensor('uint8', new Uint8Array(count), dims),
  [DataType.INT16]: (count, dims) => new Tensor('int16', new Int16Array(count), dims),
  [DataType.UINT16]: (count, dims) => new Tensor('uint16', new Uint16Array(count), dims),
  [DataType.INT32]: (count, dims) => new Tensor('int32', new Int32Array(count), dims),
  [DataType.UINT32]: (count, dims) => new Tensor('uint32', new Uint32Array(count), dims),
  [DataType.INT64]: (count, dims) => new Tensor('int64', new BigInt64Array(count), dims),
  [DataType.UINT64]: (count, dims) => new Tensor('uint64', new BigUint64Array(count), dims),
  [DataType.BOOL]: (count, dims) => new Tensor('bool', new Uint8Array(count), dims),
};

function countOf(dims: readonly number[]): number {
  return dims.reduce((product, side) => product * side, 1);
}

/** The sizes that the names of free dimensions stand for, going by the images: the same name is the same size everywhere. */
function bindNames(images: readonly { readonly shape: Shape }[], size: Size): ReadonlyMap<string, number> {
  const names = new Map<string, number>();
  for (const { shape } of images) {
    for (const [axis, side] of size.entries()) {
      const name = shape[axis + 2];
      if (typeof name === 'string' && name !== '' && !names.has(name)) names.set(name, side);
    }
  }
  return names;
}

function zerosFor(input: ValueInfoProto, names: ReadonlyMap<string, number>, model: string): Tensor {
  const refuse = (what: string) =>
    new TlscError(
      'ERR_UNSUPPORTED_MODEL',
      `${model} cannot be run to see its shapes: its input ${input.name} is ${what}`,
      { parameter: input.name },
    );
  const type = tensorTypeOf(input);
  if (!type) throw refuse('no tensor');
  const make = zeros[type.elemType];
  if (!make) throw refuse(`of type ${typeName(type.elemType)}, which tlsc has no tensors of`);
  if (!type.shape) throw refuse('of unknown rank');
  const dims = type.shape.map((side) => (typeof side === 'number' ? side : (names.get(side) ?? 1)));
  return make(countOf(dims), dims);
}

/**
 * Images of the given size for every input that takes such, of zeros unless `paint` changes them, and zeros for the others. Free
 * dimensions are 1, but for those that have the name of an image's height or width. Throws ERR_UNSUPPORTED_MODEL, which names the
 * input, where there is no image input, or one of no known shape or of a type that has no tensors.
 */
export async function trialFeeds(
  model: Model,
  size: Size,
  name: string,
  paint = (_values: Float32Array): void => {},
): Promise<Record<string, Tensor>> {
  const images = imageInputsOf(model, size);
  if (images.length === 0) throw withoutImages(model, name);
  const names = bindNames(images, size);
  const feeds: Record<string, Tensor> = {};
  for (const input of inputsOf(model)) {
    const image = images.find((one) => one.name === input.name);
    feeds[input.name] = image ? await imageFor(image, size, name, paint) : zerosFor(input, names, name);
  }
  return feeds;
}

async function imageFor(
  { name: input, elemType, shape: [batch, channels] }: ImageInput,
  size: Size,
  name: string,
  paint: (values: Float32Array) => void,
): Promise<Tensor> {
  if (typeof channels !== 'number') {
    const message = `input ${input} of ${name} does not say how many channels it has`;
    throw new TlscError('ERR_UNSUPPORTED_MODEL', message, { parameter: input });
  }
  const dims = [typeof batch === 'number' ? batch : 1, channels, ...size];
  const values = new Float32Array(countOf(dims));
  paint(values);
  return toImageTensor(elemType === DataType.FLOAT16 ? 'float16' : 'float32', values, dims);
}
