import { Tensor } from 'onnxruntime-common';
import sharp from 'sharp';
import { abortable } from '../abort.js';
import { invalidArgument, TlscError, throwIfAborted } from '../errors.js';
import { checkOptions, checkSignal } from '../options.js';
import { type ImageInput, imageInputOf } from '../session/image-input.js';
import { layoutOfResult, sidesIn, turned } from '../session/image-layout.js';
import { floatsOf, imageTypes, type Slicer, toImageTensor } from '../session/image-tensors.js';
import { InferenceSession } from '../session/inference-session.js';
import { photoTurns } from '../turns.js';
import { checkMaxPixels, decodePhoto, type ImageSource, ownBytes } from './decode.js';
import { withMemoryFor } from './memory.js';
import { colourspaceOf, type Photo, planeOf, samplesIn, sampleTypeOf } from './photo.js';
import { inSlices } from './slices.js';

export interface RestoreOptions {
  /** The output that is the restored image; needed when the model has several. */
  readonly output?: string;
  /** As for `readPhoto`; of no use with a `Photo`. */
  readonly maxPixels?: number;
  readonly signal?: AbortSignal;
}

function isPhoto(image: ImageSource | Photo): image is Photo {
  return typeof image === 'object' && image !== null && 'tensor' in image;
}

function checkChannels(channels: number, expected: number | string | undefined, name: string): void {
  if (typeof expected !== 'number' || expected === channels) return;
  const say = (count: number) => `${count} ${count === 1 ? 'channel (gray)' : 'channels'}`;
  throw new TlscError(
    'ERR_IMAGE_CHANNELS',
    `${name} has ${say(channels)}, the model takes ${say(expected)}`,
    {
      parameter: 'image',
      expected: String(expected),
      received: String(channels),
    },
  );
}

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

/** The restored image in float32, as photos are; throws where it is none. */
async function toRestored(tensor: Tensor, name: string, slicer: Slicer): Promise<Tensor> {
  const layout = layoutOfResult(tensor.dims);
  const values = layout && tensor.dims[0] === 1 ? await floatsOf(tensor, slicer) : undefined;
  if (!layout || !values) {
    const shown = `${tensor.type} [${tensor.dims.join(', ')}]`;
    throw new TlscError(
      'ERR_UNSUPPORTED_MODEL',
      `output ${name} is not an image of ${imageTypes.join(' or ')}: ${shown}`,
    );
  }
  await slicer(values.length, (begin, end) => {
    for (let i = begin; i < end; i++) {
      if (Number.isNaN(values[i]))
        throw new TlscError('ERR_RUN_FAILED', `output ${name} has pixels that are not numbers`);
    }
  });
  if (layout.channels === 1)
    return tensor.type === 'float32' ? tensor : new Tensor('float32', values, tensor.dims);
  const [channels = 0, height = 0, width = 0] = [layout.channels, layout.rows, layout.columns].map(
    (axis) => tensor.dims[axis],
  );
  const planes = await turned(values, height * width, slicer);
  return new Tensor('float32', planes, [1, channels, height, width]);
}

/** The alpha channel at the size of the restored image, which a super-resolving network makes larger. */
async function fitAlpha(photo: Photo, restored: Tensor): Promise<Partial<Photo>> {
  const { alpha, bitDepth } = photo;
  if (!alpha) return {};
  const { width, height } = planeOf(photo);
  const [, , newHeight = 0, newWidth = 0] = restored.dims;
  if (width === newWidth && height === newHeight) return { alpha };
  const bytes = await sharp(alpha, { raw: { width, height, channels: 1 } })
    .resize(newWidth, newHeight, { fit: 'fill' })
    .toColourspace(colourspaceOf(1, bitDepth))
    .raw({ depth: sampleTypeOf(bitDepth) })
    .toBuffer();
  return { alpha: samplesIn(bytes, bitDepth) };
}

/** One photo's way through the network. */
interface Restoration {
  readonly session: InferenceSession;
  readonly input: ImageInput;
  readonly output: string;
  /** How messages speak of the photo. */
  readonly name: string;
  readonly signal: AbortSignal | undefined;
}

async function restorePhoto(photo: Photo, restoration: Restoration): Promise<Photo> {
  const { session, input, output, name, signal } = restoration;
  const { channels, height, width } = planeOf(photo);
  checkChannels(channels, input.shape[input.layout.channels], name);
  const { type, data, dims } = photo.tensor;
  if (type !== 'float32') throw invalidArgument('image', 'a photo whose tensor is float32', type);
  const slicer: Slicer = (length, work) => inSlices(length, work, signal);
  return withMemoryFor(`the ${width}x${height} pixels of ${name}`, async () => {
    const isFirst = input.layout.channels === 1;
    const values = data as Float32Array;
    const laid = isFirst ? values : await turned(values, channels, slicer);
    const sides = isFirst ? dims : sidesIn(input.layout, [1, channels, height, width]);
    const feeds = { [input.name]: await toImageTensor(input.type, laid, sides, slicer) };
    const outputs = await session.run(feeds, [output], signal ? { signal } : {});
    const tensor = await toRestored(outputs[output] as Tensor, output, slicer);
    const alpha = await fitAlpha(photo, tensor);
    throwIfAborted(signal);
    return { tensor, bitDepth: photo.bitDepth, ...alpha };
  });
}

/**
 * Restores a photo at its full size: a path, the bytes of an image file, or a `Photo`. Bit depth and alpha are carried over.
 * Where the model works in float16 the photo is rounded to that on the way in; what comes back is float32 all the same.
 *
 * At most as many photos as there are cores (two at least) are on their way at once, in all sessions together; the others wait
 * their turn and are read only then. Once aborted the promise rejects at once, except that a run of the network ends first; a
 * decoder that is at work ends in the background, and its turn with it.
 *
 * Rejects with ERR_IMAGE_NOT_FOUND, ERR_INVALID_IMAGE, ERR_IMAGE_TOO_LARGE, ERR_IMAGE_CHANNELS, ERR_UNSUPPORTED_MODEL (no image
 * in, or none out), ERR_ABORTED, or what `InferenceSession.run` does.
 */
export async function restore(
  session: InferenceSession,
  image: ImageSource | Photo,
  options: RestoreOptions = {},
): Promise<Photo> {
  if (!(session instanceof InferenceSession))
    throw invalidArgument('session', 'an InferenceSession', session);
  checkOptions(options, { output: true, maxPixels: true, signal: true });
  const { signal } = options;
  const maxPixels = checkMaxPixels(options.maxPixels);
  checkSignal(signal);
  throwIfAborted(signal);
  const input = imageInputOf(session, 'the model');
  const output = chooseOutput(session, options.output);
  const name = typeof image === 'string' ? image : 'the image';
  return photoTurns.take(async (hold) => {
    const photo = isPhoto(image)
      ? image
      : await abortable(hold(decodePhoto(ownBytes(image, signal), { maxPixels, signal })), signal);
    return restorePhoto(photo, { session, input, output, name, signal });
  }, signal);
}
