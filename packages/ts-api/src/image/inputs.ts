// What a model takes beside the photo: a mask, a strength, a blend weight.
import { Tensor } from 'onnxruntime-common';
import { invalidArgument, TlscError } from '../errors.js';
import type { ImageRegion } from '../session/copy-image.js';
import { type Feeds, isTensor } from '../session/feeds.js';
import { float16Tensor, roundToFloat16 } from '../session/float16.js';
import type { TensorMetadata } from '../session/image-input.js';
import { layoutOf } from '../session/image-layout.js';
import { isImageType } from '../session/image-tensors.js';
import type { InferenceSession } from '../session/inference-session.js';
import { type Size, showSize } from '../size.js';
import type { DecodeOptions, ImageSource } from './decode.js';
import { readPicture } from './files.js';
import { checkPhoto, isPhoto, type Photo, type Picture, pictureOf } from './photo.js';
import { tensorOf } from './tensors.js';
import { toNetwork, type ValueOptions } from './values.js';

/** A number fills the input; an image becomes what it takes, at the photo's size; a tensor is fed as it is. */
export type OtherInput = number | ImageSource | Photo | Tensor;

/** By name. */
export type OtherInputs = Readonly<Record<string, OtherInput>>;

/** The feeds of the other inputs for a region of a photo of this size, and for what the region was filled up to. */
export type OtherFeeds = (size: Size, region: ImageRegion, padded: Size) => Promise<Feeds>;

const makers: Readonly<Partial<Record<string, (count: number, value: number) => Tensor['data']>>> = {
  float32: (count, value) => new Float32Array(count).fill(value),
  float64: (count, value) => new Float64Array(count).fill(value),
  int8: (count, value) => new Int8Array(count).fill(value),
  uint8: (count, value) => new Uint8Array(count).fill(value),
  int16: (count, value) => new Int16Array(count).fill(value),
  uint16: (count, value) => new Uint16Array(count).fill(value),
  int32: (count, value) => new Int32Array(count).fill(value),
  uint32: (count, value) => new Uint32Array(count).fill(value),
  int64: (count, value) => new BigInt64Array(count).fill(BigInt(Math.trunc(value))),
  uint64: (count, value) => new BigUint64Array(count).fill(BigInt(Math.max(0, Math.trunc(value)))),
  bool: (count, value) => new Uint8Array(count).fill(value === 0 ? 0 : 1),
};

/** Free sides of images are the photo's, all others 1. */
function dimsFor({ shape }: TensorMetadata, [height, width]: Size): number[] {
  const { channels, rows, columns } = layoutOf(shape);
  return shape.map((side, axis) => {
    if (typeof side === 'number') return side;
    if (shape.length !== 4 || axis === 0 || axis === channels) return 1;
    return axis === rows ? height : axis === columns ? width : 1;
  });
}

/** The most values that a number fills. */
const mostValues = 2 ** 27;

function filled(info: TensorMetadata, value: number, size: Size): Tensor {
  const { name, type } = info;
  const dims = dimsFor(info, size);
  const count = dims.reduce((product, side) => product * side, 1);
  if (count > mostValues)
    throw invalidArgument(`inputs.${name}`, 'a tensor: that is too many values to fill', value);
  if (type === 'float16') {
    const [bits = 0] = roundToFloat16(Float32Array.of(value));
    return float16Tensor(new Uint16Array(count).fill(bits), dims);
  }
  const make = makers[type];
  if (make) {
    const isHeld = type.startsWith('float') || type === 'bool' || Number(make(1, value)[0]) === value;
    if (!isHeld) throw invalidArgument(`inputs.${name}`, `a number that ${type} can hold`, value);
    return new Tensor(type, make(count, value), dims);
  }
  throw new TlscError('ERR_UNSUPPORTED_MODEL', `input ${name} takes no numbers`, { parameter: name });
}

async function imageFor(
  info: TensorMetadata,
  picture: Picture,
  values: ValueOptions,
  size: Size,
  region: ImageRegion,
  padded: Size,
): Promise<Tensor> {
  const { name, type, shape } = info;
  const { pixels, colours } = picture;
  if (!isImageType(type) || shape.length !== 4)
    throw new TlscError('ERR_UNSUPPORTED_MODEL', `input ${name} takes no image of float32 or float16`, {
      parameter: name,
    });
  if (pixels.height !== size[0] || pixels.width !== size[1])
    throw new TlscError(
      'ERR_INPUT_MISMATCH',
      `the image for input ${name} has ${showSize([pixels.height, pixels.width])} pixels, the photo ${showSize(size)}`,
      { parameter: name },
    );
  const layout = layoutOf(shape);
  const declared = shape[layout.channels];
  const count = typeof declared === 'number' ? declared : colours;
  // A mask is no photo: it has a range, but neither a mean nor colours.
  const isMask = count === 1;
  const alike: ValueOptions = isMask ? { range: values.range, channels: 'gray' } : { ...values, gray: 'rgb' };
  const map = toNetwork(alike, colours, count, `the image for input ${name}`);
  return tensorOf(picture, map, { type, layout }, region, padded);
}

/** Reads the images among them. Rejects as `readPhoto` does, and with ERR_INVALID_ARGUMENT for what is none of the kinds. */
export async function prepareInputs(
  session: InferenceSession,
  inputs: OtherInputs,
  values: ValueOptions,
  options: DecodeOptions,
): Promise<OtherFeeds> {
  const makers = await Promise.all(
    Object.entries(inputs).map(async ([name, input]) => {
      const info = session.inputMetadata.find((one) => one.name === name);
      if (!info?.isTensor)
        throw new TlscError('ERR_UNSUPPORTED_MODEL', `input ${name} is no tensor`, { parameter: name });
      if (typeof input === 'number' && !Number.isFinite(input))
        throw invalidArgument(`inputs.${name}`, 'finite', input);
      if (typeof input === 'number')
        return async (_: Size, __: ImageRegion, padded: Size) => [name, filled(info, input, padded)] as const;
      if (isTensor(input)) return async () => [name, input] as const;
      if (isPhoto(input)) checkPhoto(input, `inputs.${name}`);
      const picture = isPhoto(input) ? pictureOf(input) : await readPicture(input, undefined, options);
      return async (size: Size, region: ImageRegion, padded: Size) =>
        [name, await imageFor(info, picture, values, size, region, padded)] as const;
    }),
  );
  return async (size, region, padded) =>
    Object.fromEntries(await Promise.all(makers.map((make) => make(size, region, padded))));
}

/** Feeds for a run that is only to show whether it fails: numbers are as given, images are white. */
export function trialInputs(session: InferenceSession, inputs: OtherInputs, size: Size): Feeds {
  return Object.fromEntries(
    Object.entries(inputs).flatMap(([name, input]) => {
      const info = session.inputMetadata.find((one) => one.name === name);
      if (!info?.isTensor) return [];
      if (isTensor(input)) return [[name, input] as const];
      return [[name, filled(info, typeof input === 'number' ? input : 1, size)] as const];
    }),
  );
}
