import sharp, { type Metadata, type Sharp } from 'sharp';
import { invalidArgument, isOutOfMemory, TlscError, throwIfAborted } from '../errors.js';
import { readSource } from '../files.js';
import { wholeNumber } from '../options.js';
import { isCutShort } from './cut-short.js';
import { describeStranger, type Format, formatOf, readableNames } from './formats.js';
import { outOfMemory, withMemoryFor } from './memory.js';
import { colourspaceOf, type Photo, samplesIn, sampleTypeOf, toPhoto } from './photo.js';

/** A path, or the bytes of an image file. */
export type ImageSource = string | Uint8Array;

/**
 * A copy of bytes whose reading may be aborted: their owner may do with them what they like from then on, and the decoder may still
 * be reading.
 */
export function ownBytes(source: ImageSource, signal: AbortSignal | undefined): ImageSource {
  return signal && source instanceof Uint8Array ? new Uint8Array(source) : source;
}

export interface DecodeOptions {
  readonly maxPixels: number;
  readonly signal: AbortSignal | undefined;
}

/** Above what single-shot cameras have (102 megapixels in 2024); its pixels take 1.8 GB while they become a tensor. */
export const defaultMaxPixels = 120e6;

/** Of 8 bits with alpha, as many fit into one buffer of 4 GiB. */
const [isPixelCount, pixelCounts] = wholeNumber(1, 2 ** 30);

/** Throws ERR_INVALID_ARGUMENT unless it is a number of pixels; undefined is the default. */
export function checkMaxPixels(maxPixels: number | undefined): number {
  if (maxPixels === undefined) return defaultMaxPixels;
  if (isPixelCount(maxPixels)) return maxPixels;
  throw invalidArgument('maxPixels', pixelCounts, maxPixels);
}

/** Grayscale colour spaces, as libvips calls them. */
const graySpaces = ['b-w', 'grey16'];

/** The sample types of libvips that photos come in. */
const bitDepths: Readonly<Record<string, 8 | 16>> = { uchar: 8, ushort: 16 };

/** Gray comes as three equal channels: asked for gray, sharp would drop alpha. */
function raw8(image: Sharp): Sharp {
  return image.toColourspace('srgb').raw({ depth: sampleTypeOf(8) });
}

function raw16(image: Sharp, colours: number): Sharp {
  const space = colourspaceOf(colours, 16);
  return image
    .pipelineColourspace(space)
    .toColourspace(space)
    .raw({ depth: sampleTypeOf(16) });
}

/** An image file, and how messages speak of it. */
interface ImageFile {
  readonly bytes: Uint8Array;
  readonly name: string;
  readonly format: Format;
}

function invalidImage(message: string, cause?: unknown): TlscError {
  return new TlscError('ERR_INVALID_IMAGE', message, { cause });
}

function checkFormat(bytes: Uint8Array, name: string): Format {
  const format = formatOf(bytes);
  if (format) return format;
  if (bytes.length === 0) throw invalidImage(`${name} is empty`);
  const stranger = describeStranger(bytes);
  const what = stranger ? `looks like ${stranger}` : 'is no image';
  throw invalidImage(`${name} ${what}; only ${readableNames} are read`);
}

/**
 * Why a decoder has refused a file. In words of ours: libvips collects the messages of all that runs at once in one place, from
 * which any of them may be taken.
 */
function explain({ bytes, name, format }: ImageFile, what: string, cause: unknown): TlscError {
  if (isCutShort(bytes, format.name)) return invalidImage(`${name} (${format.name}) is cut short`, cause);
  if (isOutOfMemory(cause)) return outOfMemory(what, cause);
  return invalidImage(`${name} (${format.name}) is damaged, or of a kind that is not read`, cause);
}

/** What the file says of its image. Nothing is decoded. */
async function readHeader(file: ImageFile): Promise<Metadata> {
  const limits = { limitInputPixels: false, limitInputChannels: false };
  const header = await sharp(file.bytes, limits)
    .metadata()
    .catch((cause: unknown) => {
      throw explain(file, `the header of ${file.name}`, cause);
    });
  const { format, compression } = header;
  // Whatever else a file is, only the decoder of what it begins as may see it.
  if (format !== file.format.loader || (format === 'heif' && compression !== 'av1'))
    throw invalidImage(`${file.name} is not the ${file.format.name} that it begins as`);
  return header;
}

/** Throws ERR_IMAGE_TOO_LARGE where all frames or pages together have more pixels. */
function checkArea({ width, height, pages = 1 }: Metadata, name: string, maxPixels: number): void {
  const area = width * height * pages;
  if (area <= maxPixels) return;
  const frames = pages > 1 ? ` in each of ${pages} frames or pages` : '';
  throw new TlscError(
    'ERR_IMAGE_TOO_LARGE',
    `${name} has ${width}x${height} pixels${frames}, ${area} in all; maxPixels is ${maxPixels}`,
    { parameter: 'maxPixels', expected: `at most ${maxPixels}`, received: String(area) },
  );
}

/** The most that sharp takes: CMYK with alpha. */
const mostChannels = 5;

/**
 * `readPhoto`, its options checked, but for one thing: it settles when the decoder has ended, which nothing can stop. An abort
 * before and after that is heeded.
 */
export async function decodePhoto(source: ImageSource, options: DecodeOptions): Promise<Photo> {
  const { maxPixels, signal } = options;
  const bytes = await readSource(source, 'image', signal);
  const name = typeof source === 'string' ? source : 'the image';
  const file = { bytes, name, format: checkFormat(bytes, name) };
  const header = await readHeader(file);
  checkArea(header, name, maxPixels);
  const { space, depth, hasAlpha, channels: stored } = header;
  const bitDepth = bitDepths[depth];
  if (!bitDepth) throw invalidImage(`${name} has ${depth} samples; only 8 and 16 bits can be read`);
  if (stored > mostChannels)
    throw invalidImage(`${name} has ${stored} channels; only ${mostChannels} can be read`);
  throwIfAborted(signal);

  const what = `the ${header.width}x${header.height} pixels of ${name}`;
  const colours = graySpaces.includes(space) ? 1 : 3;
  const image = sharp(bytes, { failOn: 'error', limitInputPixels: maxPixels }).autoOrient();
  const { data, info } = await (bitDepth === 8 ? raw8(image) : raw16(image, colours))
    .toBuffer({ resolveWithObject: true })
    .catch((cause: unknown) => {
      throw explain(file, what, cause);
    });
  throwIfAborted(signal);
  const { width, height, channels } = info;
  return withMemoryFor(what, () => {
    const values = samplesIn(data, bitDepth);
    return toPhoto({ data: values, width, height, channels, colours, hasAlpha, bitDepth }, signal);
  });
}
