// What a network makes of a picture, or of a part of it.
import { Tensor } from 'onnxruntime-common';
import { abortable } from '../abort.js';
import { TlscError } from '../errors.js';
import { placeInputName } from '../rewrite/places.js';
import { discard, type ImageMemory, type ImageRegion } from '../session/copy-image.js';
import { type Feeds, isTensor } from '../session/feeds.js';
import { withoutFloat16Array } from '../session/float16.js';
import { channelsFirst, layoutOf, layoutOfResult } from '../session/image-layout.js';
import { imageTypes, isImageType } from '../session/image-tensors.js';
import { peakOf } from '../session/inference-session.js';
import { fixedSides, sidesOf } from '../session/known-sides.js';
import { fittingSide, isScale, type Sides } from '../session/sides.js';
import { type Size, showSize } from '../size.js';
import { type OtherFeeds, trialInputs } from './inputs.js';
import type { Picture } from './photo.js';
import type { Restorer } from './restorer.js';
import { tensorOf } from './tensors.js';
import { toNetwork } from './values.js';

/** How many channels the network is given of a photo. */
export function channelsFor({ input, values }: Restorer, colours: 1 | 3): number {
  const declared = input.shape[input.layout.channels];
  if (typeof declared === 'number') return declared;
  if (values.channels === 'gray' || values.channels === 'y') return 1;
  return values.gray === 'rgb' ? 3 : colours;
}

/** Tensors are fed as they are, and those of images would fit no other image. */
function hasImages({ inputs }: Restorer): boolean {
  return Object.values(inputs).some((one) => isTensor(one) && one.dims.length === 4);
}

/** Whether the network can be run on images of other sizes than the photo's. */
export function takesOtherSizes(restorer: Restorer): boolean {
  return !hasImages(restorer) && fixedSides(restorer.input).every((side) => side === undefined);
}

/** The sides that a network takes. */
export async function sidesFor(restorer: Restorer): Promise<Sides | undefined> {
  const { session, input, inputs } = restorer;
  if (hasImages(restorer)) return undefined;
  return sidesOf(session, input, (side) => trialInputs(session, inputs, [side, side]));
}

/** The size that a photo is filled up to for the network. */
async function paddedSize(restorer: Restorer, size: Size, name: string): Promise<Size> {
  const { input, decoding } = restorer;
  const fixed = fixedSides(input);
  const taken = fixed.map((side) => side ?? 'any').join('x');
  const refuse = (why: string) =>
    new TlscError('ERR_INPUT_MISMATCH', `${name} has ${showSize(size)} pixels, and ${why}`, {
      parameter: input.name,
      expected: taken,
      received: showSize(size),
    });
  if (size.some((side, axis) => side > (fixed[axis] ?? side)))
    throw refuse(
      `the model takes ${taken}; \`tlsc free\` makes it one for any size, and \`tlsc convert\` as well`,
    );
  const sides = fixed.every((side) => side !== undefined) ? undefined : await sidesFor(restorer);
  const side = (axis: 0 | 1) => fixed[axis] ?? (sides ? fittingSide(size[axis], sides) : size[axis]);
  const padded: Size = [side(0), side(1)];
  // What a model says of itself must not decide how much memory is taken.
  if (padded[0] * padded[1] > Math.max(decoding.maxPixels, size[0] * size[1] * 4))
    throw refuse(`would have to be filled up to ${showSize(padded)}, which is more than maxPixels`);
  return padded;
}

/** The image that a network has made. Throws where it is none. */
async function imageIn({ session, input }: Restorer, tensor: Tensor, name: string): Promise<ImageMemory> {
  const { type, dims } = tensor;
  const declared = session.outputMetadata.find((output) => output.name === name);
  const expected =
    declared?.isTensor && declared.shape.length === 4 ? layoutOf(declared.shape) : input.layout;
  const isSaid = declared?.isTensor && typeof declared.shape[expected.channels] === 'number';
  const layout = layoutOfResult(dims, expected, isSaid === true);
  if (!layout || dims[0] !== 1 || !isImageType(type)) {
    const isOfOtherType = !isImageType(type);
    const what = isOfOtherType ? `of ${imageTypes.join(' or ')}` : 'with 1 or 3 channels';
    throw new TlscError(
      'ERR_UNSUPPORTED_MODEL',
      `output ${name} is not an image ${what}: ${type} [${dims.join(', ')}]`,
    );
  }
  const data = withoutFloat16Array(await tensor.getData(true)) as Float32Array | Uint16Array;
  const [channels = 0, height = 0, width = 0] = [layout.channels, layout.rows, layout.columns].map(
    (axis) => dims[axis],
  );
  if (height === 0 || width === 0)
    throw new TlscError('ERR_UNSUPPORTED_MODEL', `output ${name} is an image without pixels`);
  return { type, channelsLast: layout !== channelsFirst, channels, height, width, data, isHandedOver: false };
}

/**
 * The part of what a network has made that belongs to the photo and not to what it was filled up with. Throws where the one cannot lie in
 * the other at a scale: nobody could say where.
 */
function cropped(made: Size, size: Size, padded: Size, output: string): { height: number; width: number } {
  if (!isScale(made[0], padded[0]) || !isScale(made[1], padded[1]))
    throw new TlscError(
      'ERR_UNSUPPORTED_MODEL',
      `output ${output} has ${showSize(made)} pixels of an image of ${showSize(padded)}, which is no whole multiple of it and no whole part`,
    );
  const side = (axis: 0 | 1) => Math.max(1, Math.round((made[axis] * size[axis]) / padded[axis]));
  return { height: side(0), width: side(1) };
}

/** What a network has made of a region of a picture. */
export interface Made {
  /** As it came, with what the region was filled up with. */
  readonly image: ImageMemory;
  /** What of it is the region's, from the upper left on. */
  readonly size: { readonly height: number; readonly width: number };
  /** How many rows, and columns, of it there are for one of the picture: a whole number, or a part of 1. */
  readonly scale: Size;
  /** What else was asked for. */
  readonly others: Readonly<Record<string, Tensor>>;
  /** The region as it was fed. */
  readonly padded: Size;
  /** The most bytes that the run took at once, its inputs left out; undefined where that is not known. */
  readonly peak: number | undefined;
}

/** A network, and what goes through it. */
export interface NetworkOn {
  readonly restorer: Restorer;
  readonly picture: Picture;
  readonly feedsOf: OtherFeeds;
  /** How messages speak of the picture. */
  readonly name: string;
  /** Of a picture that is itself a piece: where it begins, and the size of the whole. */
  readonly piece?: { readonly top: number; readonly left: number; readonly size: Size } | undefined;
}

export function wholeOf({ pixels: { height, width } }: Picture): ImageRegion {
  return { top: 0, left: 0, height, width };
}

/** What tells the operators that cut windows where in the whole a region lies; nothing where it is the whole, or nobody asks. */
async function placeFeed(network: NetworkOn, region: ImageRegion): Promise<Feeds> {
  const { restorer, picture, name } = network;
  const { height, width } = picture.pixels;
  const piece = network.piece ?? { top: 0, left: 0, size: [height, width] as const };
  const [top, left] = [piece.top + region.top, piece.left + region.left];
  const isWhole = region.height === piece.size[0] && region.width === piece.size[1];
  if (isWhole || !restorer.session.optionalInputNames.includes(placeInputName)) return {};
  const whole = await paddedSize(restorer, piece.size, name);
  const place = BigInt64Array.from([top, left, ...whole], BigInt);
  return { [placeInputName]: new Tensor('int64', place, [4]) };
}

/** Runs the network on a region of the picture, as if that were all of it, within so many bytes of memory, if that is said. */
export async function runNetwork(network: NetworkOn, region: ImageRegion, memory?: number): Promise<Made> {
  const { restorer, picture, feedsOf, name } = network;
  const { session, values, input, output, fetches, decoding } = restorer;
  const { signal } = decoding;
  const size: Size = [region.height, region.width];
  const padded = await abortable(paddedSize(restorer, size, name), signal);
  const channels = channelsFor(restorer, picture.colours);
  const [image, others] = await Promise.all([
    tensorOf(picture, toNetwork(values, picture.colours, channels, name), input, region, padded),
    feedsOf([picture.pixels.height, picture.pixels.width], region, padded),
  ]);
  const feeds = { ...others, ...(await placeFeed(network, region)), [input.name]: image };
  const outputs = await session.run(feeds, [output, ...fetches], { ...(signal && { signal }), memory });
  discard(withoutFloat16Array(image.data) as Float32Array | Uint16Array);
  const tensor = outputs[output];
  if (!tensor) throw new TlscError('ERR_RUN_FAILED', `the model gave no output ${output} for ${input.name}`);
  const made = await imageIn(restorer, tensor, output);
  return {
    image: made,
    size: cropped([made.height, made.width], size, padded, output),
    scale: [made.height / padded[0], made.width / padded[1]],
    others: Object.fromEntries(fetches.map((name) => [name, outputs[name] as Tensor])),
    padded,
    peak: peakOf(outputs),
  };
}
