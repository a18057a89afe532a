import type { Tensor } from 'onnxruntime-common';
import sharp from 'sharp';
import { abortable } from '../abort.js';
import { invalidArgument, TlscError, throwIfAborted } from '../errors.js';
import { checkOptions, checkSignal, isBoolean, type OptionNames } from '../options.js';
import {
  asItIs,
  copyAndSummarize,
  copyImage,
  discard,
  handsOver,
  type ImageMemory,
  type ImageSummary,
  summarize,
  withChannel,
} from '../session/copy-image.js';
import { type Feeds, isTensor } from '../session/feeds.js';
import { withoutFloat16Array } from '../session/float16.js';
import { type ImageInput, imageInputOf } from '../session/image-input.js';
import { channelsFirst, layoutOf, layoutOfResult } from '../session/image-layout.js';
import { imageTypes, isImageType } from '../session/image-tensors.js';
import { InferenceSession } from '../session/inference-session.js';
import { fixedSides, sidesOf } from '../session/known-sides.js';
import { fittingSide, isScale } from '../session/sides.js';
import { type Size, showSize } from '../size.js';
import { photoTurns } from '../turns.js';
import { checkMaxPixels, type DecodeOptions, type ImageSource, ownBytes } from './decode.js';
import { checkPage, readPicture } from './files.js';
import { withoutHidden } from './hidden.js';
import { type OtherFeeds, type OtherInputs, prepareInputs, trialInputs } from './inputs.js';
import { judge } from './judge.js';
import { withMemoryFor } from './memory.js';
import { checkPhoto, isPhoto, type Photo, type Picture, pictureOf, toPhoto } from './photo.js';
import { colourspaceOf, samplesIn, sampleTypeOf } from './samples.js';
import { tensorOf } from './tensors.js';
import {
  checkValues,
  fromNetwork,
  givenValues,
  recordedValues,
  toNetwork,
  type ValueOptions,
  valueOptionNames,
  withLuma,
} from './values.js';

export interface RestoreOptions extends ValueOptions {
  /** The output that is the restored image; needed when the model has several. */
  readonly output?: string;
  /** What the model takes beside the photo, by the names of its inputs; the one that is left is the photo's. */
  readonly inputs?: OtherInputs | undefined;
  /**
   * Whether to reject with ERR_IMPLAUSIBLE_RESULT where nothing says what the network's values mean and the result cannot be a photo: far
   * beyond black and white, or of one colour. Default: false.
   */
  readonly judge?: boolean | undefined;
  /** As for `readPhoto`; of no use with a `Photo`. */
  readonly maxPixels?: number;
  /** As for `readPhoto`; of no use with a `Photo`. */
  readonly page?: number | undefined;
  readonly signal?: AbortSignal;
}

export const restoreOptionNames: OptionNames<RestoreOptions> = {
  ...valueOptionNames,
  output: true,
  inputs: true,
  judge: true,
  maxPixels: true,
  page: true,
  signal: true,
};

function chooseOutput(session: InferenceSession, output: string | undefined): string {
  const [only, ...others] = session.outputNames;
  const chosen = output ?? (others.length === 0 ? only : undefined);
  if (chosen !== undefined && session.outputNames.includes(chosen)) return chosen;
  const names = session.outputNames.join(', ');
  const message =
    output === undefined
      ? `the model has several outputs (${names}); choose the restored image by the option output`
      : `the model has no output ${output}; it has ${names}`;
  throw new TlscError('ERR_INVALID_ARGUMENT', message, { parameter: 'output', expected: names });
}

/** A session, and how photos go through it. */
export interface Restorer {
  readonly session: InferenceSession;
  readonly input: ImageInput;
  readonly output: string;
  readonly values: ValueOptions;
  readonly inputs: OtherInputs;
  readonly judges: boolean;
  readonly decoding: DecodeOptions;
}

/** Throws what `restore` says of its arguments. */
export function toRestorer(session: InferenceSession, options: RestoreOptions): Restorer {
  if (!(session instanceof InferenceSession))
    throw invalidArgument('session', 'an InferenceSession', session);
  checkValues(options);
  const { output, inputs = {}, judge: judges = false, signal } = options;
  if (typeof inputs !== 'object' || inputs === null)
    throw invalidArgument('inputs', 'an object of numbers, images and tensors by name', inputs);
  if (!isBoolean(judges)) throw invalidArgument('judge', 'true or false', judges);
  const maxPixels = checkMaxPixels(options.maxPixels);
  checkPage(options.page);
  checkSignal(signal);
  throwIfAborted(signal);
  return {
    session,
    input: imageInputOf(session, 'the model', Object.keys(inputs)),
    output: chooseOutput(session, output),
    values: { ...recordedValues(session.modelMetadata), ...givenValues(options) },
    inputs,
    judges,
    decoding: { maxPixels, signal },
  };
}

/** How many channels the network is given of a photo. */
function channelsFor({ input, values }: Restorer, colours: 1 | 3): number {
  const declared = input.shape[input.layout.channels];
  if (typeof declared === 'number') return declared;
  if (values.channels === 'gray' || values.channels === 'y') return 1;
  return values.gray === 'rgb' ? 3 : colours;
}

/** The sides that a network takes. Tensors are fed as they are, and would fit no other image. */
async function sidesFor({ session, input, inputs }: Restorer) {
  const hasImages = Object.values(inputs).some((one) => isTensor(one) && one.dims.length === 4);
  return hasImages ? undefined : sidesOf(session, input, (side) => trialInputs(session, inputs, side));
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

async function run({ session, input, output }: Restorer, feeds: Feeds, signal: AbortSignal | undefined) {
  const outputs = await session.run(feeds, [output], signal ? { signal } : {});
  const made = outputs[output];
  if (made) return made;
  throw new TlscError('ERR_RUN_FAILED', `the model gave no output ${output} for ${input.name}`);
}

/** The new luma with the colours of the photo. */
async function recoloured(picture: Picture, luma: ImageMemory): Promise<ImageMemory> {
  const { height, width } = luma;
  const { pixels, white } = await resized(picture, height, width);
  const map = [0, 1, 2].map((channel) => ({ ...asItIs(channel), divide: white }));
  const both = await withChannel(pixels, map, luma);
  return copyImage(both, withLuma, { type: 'float32', channelsLast: false, height, width });
}

/** A picture at another size, which a network has chosen. */
async function resized(picture: Picture, height: number, width: number): Promise<Picture> {
  const { pixels, colours } = picture;
  if (pixels.height === height && pixels.width === width) return picture;
  // Of 16 bits, whatever it is: those of float32 that resizing takes are of other ranges.
  const map = Array.from({ length: colours }, (_, channel) => ({
    ...asItIs(channel),
    divide: picture.white,
  }));
  const plain = await copyImage(pixels, map, {
    type: 'uint16',
    channelsLast: true,
    height: pixels.height,
    width: pixels.width,
  });
  const data = await resizeSamples(plain.data as Uint16Array, plain, height, width);
  return { ...picture, white: 1, pixels: { ...plain, data, height, width, isHandedOver: handsOver } };
}

async function resizeSamples(
  data: Uint8Array | Uint16Array,
  from: Pick<ImageMemory, 'channels' | 'height' | 'width'>,
  height: number,
  width: number,
): Promise<Uint8Array | Uint16Array> {
  const bitDepth = data instanceof Uint16Array ? 16 : 8;
  const raw = { width: from.width, height: from.height, channels: from.channels as 1 | 3 };
  const bytes = await sharp(data, { raw, limitInputPixels: false })
    .resize(width, height, { fit: 'fill', kernel: 'cubic' })
    .toColourspace(colourspaceOf(from.channels, bitDepth))
    .raw({ depth: sampleTypeOf(bitDepth) })
    .toBuffer();
  return samplesIn(bytes, bitDepth);
}

/** The alpha channel at the size of the restored image, which a super-resolving network makes larger. */
async function fitAlpha({ pixels, rest }: Picture, height: number, width: number): Promise<Partial<Photo>> {
  const { alpha } = rest;
  if (!alpha) return {};
  if (pixels.width === width && pixels.height === height) return { alpha };
  return { alpha: await resizeSamples(alpha, { ...pixels, channels: 1 }, height, width) };
}

/** Restores one picture. `feedsOf` are the model's other inputs; `name` is how messages speak of it. */
export async function restorePicture(
  given: Picture,
  restorer: Restorer,
  feedsOf: OtherFeeds,
  name: string,
): Promise<Photo> {
  const { values, input, output, judges, decoding } = restorer;
  const { signal } = decoding;
  const { height, width } = given.pixels;
  const size: Size = [height, width];
  return withMemoryFor(`the ${width}x${height} pixels of ${name}`, async () => {
    const picture = await withoutHidden(given);
    const padded = await abortable(paddedSize(restorer, size, name), signal);
    const channels = channelsFor(restorer, picture.colours);
    const [image, others] = await Promise.all([
      tensorOf(picture, toNetwork(values, picture.colours, channels, name), input, padded),
      feedsOf(size, padded),
    ]);
    const tensor = await run(restorer, { ...others, [input.name]: image }, signal);
    discard(withoutFloat16Array(image.data) as Float32Array | Uint16Array);
    const made = await imageIn(restorer, tensor, output);
    const map = fromNetwork(values, picture.colours, made.channels);
    const target = cropped([made.height, made.width], size, padded, output);
    const { image: restored, summary } = await copyAndSummarize(made, map, target);
    checkFinite(summary, output);
    if (judges) await judge(summary, () => summaryOf(picture), values, name);
    const isRecoloured = values.channels === 'y' && picture.colours === 3 && restored.channels === 1;
    const pixels = isRecoloured ? await recoloured(picture, restored) : restored;
    const alpha = await fitAlpha(given, pixels.height, pixels.width);
    throwIfAborted(signal);
    return toPhoto(pixels, { ...given.rest, ...alpha });
  });
}

function summaryOf({ pixels, colours }: Picture): Promise<ImageSummary> {
  return summarize(
    pixels,
    Array.from({ length: colours }, (_, channel) => asItIs(channel)),
  );
}

function checkFinite({ finite }: ImageSummary, output: string): void {
  if (finite) return;
  throw new TlscError(
    'ERR_RUN_FAILED',
    `output ${output} has pixels that are not finite numbers; if the network wants other values than from 0 to 1, say so by the option range, or the option mean and the option std`,
    { parameter: 'range' },
  );
}

/**
 * Restores a photo at its full size: a path, the bytes of an image file, or a `Photo`. Bit depth, alpha and metadata are carried over.
 * A photo of a size that the network cannot take is filled up by reflection at the bottom and on the right, and what it makes of that
 * is cropped; which sizes it takes, runs on small images show once per session, unless `convert` has recorded it.
 *
 * At most as many photos as there are cores (two at least) are on their way at once, in all sessions together; the others wait
 * their turn and are read only then. Once aborted the promise rejects at once; a decoder that is at work, and the operator that the network
 * is in, end in the background, and the turn with them.
 *
 * Rejects with ERR_IMAGE_NOT_FOUND, ERR_INVALID_IMAGE, ERR_IMAGE_TOO_LARGE, ERR_IMAGE_CHANNELS, ERR_UNSUPPORTED_MODEL (no image
 * in, or none out), ERR_IMPLAUSIBLE_RESULT, ERR_ABORTED, or what `InferenceSession.run` does.
 */
export async function restore(
  session: InferenceSession,
  image: ImageSource | Photo,
  options: RestoreOptions = {},
): Promise<Photo> {
  checkOptions(options, restoreOptionNames);
  const restorer = toRestorer(session, options);
  const { decoding, inputs, values } = restorer;
  const { signal } = decoding;
  const name = typeof image === 'string' ? image : 'the image';
  if (isPhoto(image)) checkPhoto(image, 'image');
  return photoTurns.take(async (hold) => {
    const read = async () => {
      const feedsOf = await prepareInputs(session, inputs, values, decoding);
      const picture = isPhoto(image)
        ? pictureOf(image)
        : await readPicture(ownBytes(image, signal), options.page, decoding);
      return { feedsOf, picture };
    };
    const { feedsOf, picture } = await abortable(hold(read()), signal);
    return abortable(hold(restorePicture(picture, restorer, feedsOf, name)), signal);
  }, signal);
}
