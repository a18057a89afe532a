// What a model is fed when it is run to see what it does: images of some size, and values for whatever else it takes.
import { Tensor } from 'onnxruntime-common';
import { TlscError } from '../errors.js';
import { sidesIn } from '../session/image-layout.js';
import { toImageTensor } from '../session/image-tensors.js';
import type { Size } from '../size.js';
import {
  type ImageInput,
  imageInputsOf,
  inputsOf,
  isFloat,
  tensorTypeOf,
  typeName,
  withoutImages,
} from './inputs.js';
import type { Model } from './model.js';
import { noiseOf } from './noise.js';
import { DataType, type ValueInfoProto } from './proto.js';
import { type TrialValues, trialValuesOf } from './trial-values.js';

/** Whole numbers, all the same, as a tensor. */
type Filler = (value: number, count: number, dims: readonly number[]) => Tensor;

const fillers: Readonly<Record<number, Filler>> = {
  [DataType.INT8]: (value, count, dims) => new Tensor('int8', new Int8Array(count).fill(value), dims),
  [DataType.UINT8]: (value, count, dims) => new Tensor('uint8', new Uint8Array(count).fill(value), dims),
  [DataType.INT16]: (value, count, dims) => new Tensor('int16', new Int16Array(count).fill(value), dims),
  [DataType.UINT16]: (value, count, dims) => new Tensor('uint16', new Uint16Array(count).fill(value), dims),
  [DataType.INT32]: (value, count, dims) => new Tensor('int32', new Int32Array(count).fill(value), dims),
  [DataType.UINT32]: (value, count, dims) => new Tensor('uint32', new Uint32Array(count).fill(value), dims),
  [DataType.INT64]: (value, count, dims) =>
    new Tensor('int64', new BigInt64Array(count).fill(BigInt(value)), dims),
  [DataType.UINT64]: (value, count, dims) =>
    new Tensor('uint64', new BigUint64Array(count).fill(BigInt(value)), dims),
  [DataType.BOOL]: (value, count, dims) => new Tensor('bool', new Uint8Array(count).fill(value), dims),
};

/** Values of one input: a network of three channels is tried at 4000x4000 and more, and strangers' files declare what they like. */
const mostValues = 2 ** 26;

/** How many values an input of these sizes has. Throws ERR_UNSUPPORTED_MODEL where they are more than a model is tried with. */
function countOf(dims: readonly number[], input: string, model: string): number {
  const count = dims.reduce((product, side) => product * side, 1);
  if (count <= mostValues) return count;
  const message = `${model} cannot be tried: its input ${input} would be [${dims.join(', ')}], more than ${mostValues} values; at a smaller size it may be less`;
  throw new TlscError('ERR_UNSUPPORTED_MODEL', message, { parameter: input });
}

/** The sizes that the names of free dimensions stand for, going by the images: the same name is the same size everywhere. */
function bindNames(
  images: readonly Pick<ImageInput, 'shape' | 'layout'>[],
  [height, width]: Size,
  batch: number,
): ReadonlyMap<string, number> {
  const names = new Map<string, number>();
  for (const { shape, layout } of images) {
    for (const [axis, side] of [
      [layout.rows, height],
      [layout.columns, width],
      [0, batch],
    ] as const) {
      const name = shape[axis];
      if (typeof name === 'string' && name !== '' && !names.has(name)) names.set(name, side);
    }
  }
  return names;
}

function floatsFor(name: string, count: number, [low, high]: TrialValues['floats']): Float32Array {
  const next = noiseOf(name);
  return Float32Array.from({ length: count }, () => low + (high - low) * next());
}

/** What an input that is no image is fed. */
async function valuesFor(
  input: ValueInfoProto,
  { floats, integers, booleans }: TrialValues,
  names: ReadonlyMap<string, number>,
  batch: number,
  model: string,
): Promise<Tensor> {
  const refuse = (what: string) =>
    new TlscError(
      'ERR_UNSUPPORTED_MODEL',
      `${model} cannot be run to see its shapes: its input ${input.name} is ${what}`,
      { parameter: input.name },
    );
  const type = tensorTypeOf(input);
  if (!type) throw refuse('no tensor');
  const { elemType, shape } = type;
  const fill = fillers[elemType];
  if (!fill && !isFloat(elemType) && elemType !== DataType.DOUBLE)
    throw refuse(`of type ${typeName(elemType)}, which tlsc has no tensors of`);
  if (!shape) throw refuse('of unknown rank');
  const free = (name: string, axis: number) => names.get(name) ?? (axis === 0 ? batch : 1);
  const dims = shape.map((side, axis) => (typeof side === 'number' ? side : free(side, axis)));
  const count = countOf(dims, input.name, model);
  if (fill) return fill(elemType === DataType.BOOL ? Number(booleans) : integers, count, dims);
  const values = floatsFor(input.name, count, floats);
  if (elemType === DataType.DOUBLE) return new Tensor('float64', Float64Array.from(values), dims);
  return toImageTensor(elemType === DataType.FLOAT16 ? 'float16' : 'float32', values, dims);
}

/** Fills an image, all its channels, wherever they lie; the name is that of the input. */
export type Painter = (values: Float32Array, input: string) => void;

/**
 * Images of the given size for every input that takes such, of zeros unless `paint` changes them, and `values` for the others, which
 * are those of `trialValuesOf`. Free dimensions are 1, or what has the same name in an image; the first is
 * `batch`, or what that of the images is fixed to. Throws
 * ERR_UNSUPPORTED_MODEL, which names the input, where there is no image input, or one of no known shape, of a type that has no tensors, or larger than
 * a model is tried with.
 */
export async function trialFeeds(
  model: Model,
  size: Size,
  name: string,
  paint: Painter = () => {},
  values: TrialValues = trialValuesOf(model, size)[0],
  batch = 1,
): Promise<Record<string, Tensor>> {
  const images = imageInputsOf(model, size);
  if (images.length === 0) throw withoutImages(model, name);
  const [own] = images[0]?.shape ?? [];
  const count = typeof own === 'number' ? own : batch;
  const names = bindNames(images, size, count);
  const feeds: Record<string, Tensor> = {};
  for (const input of inputsOf(model)) {
    const image = images.find((one) => one.name === input.name);
    feeds[input.name] = image
      ? await imageFor(image, size, name, paint, batch)
      : await valuesFor(input, values, names, count, name);
  }
  return feeds;
}

async function imageFor(
  { name: input, elemType, shape, layout }: ImageInput,
  size: Size,
  name: string,
  paint: Painter,
  images: number,
): Promise<Tensor> {
  const [batch, channels] = [shape[0], shape[layout.channels]];
  if (typeof channels !== 'number') {
    const message = `input ${input} of ${name} does not say how many channels it has`;
    throw new TlscError('ERR_UNSUPPORTED_MODEL', message, { parameter: input });
  }
  const dims = sidesIn(layout, [typeof batch === 'number' ? batch : images, channels, ...size]);
  const values = new Float32Array(countOf(dims, input, name));
  paint(values, input);
  return toImageTensor(elemType === DataType.FLOAT16 ? 'float16' : 'float32', values, dims);
}
