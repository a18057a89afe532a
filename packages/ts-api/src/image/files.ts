import { extname } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { abortable } from '../abort.js';
import { invalidArgument, isOutOfMemory, TlscError, throwIfAborted } from '../errors.js';
import { writeBytes, writeFilesAtomic } from '../files.js';
import { checkOptions, checkSignal } from '../options.js';
import { checkMaxPixels, decodePhoto, type ImageSource, ownBytes } from './decode.js';
import { withMemoryFor } from './memory.js';
import { colourspaceOf, type Photo, planeOf, toPixels } from './photo.js';

/** Formats that photos are written in, by file extension. */
const encoders = {
  '.png': (image: Sharp) => image.png(),
  '.jpg': (image: Sharp) => image.jpeg({ quality: 95, chromaSubsampling: '4:4:4' }),
  '.jpeg': (image: Sharp) => image.jpeg({ quality: 95, chromaSubsampling: '4:4:4' }),
  '.webp': (image: Sharp) => image.webp({ quality: 95 }),
  '.tif': (image: Sharp) => image.tiff({ compression: 'deflate', predictor: 'horizontal' }),
  '.tiff': (image: Sharp) => image.tiff({ compression: 'deflate', predictor: 'horizontal' }),
} as const;

/** '.png', '.jpg', …: what `encodePhoto` and `writePhoto` can write. */
export type ImageExtension = keyof typeof encoders;

export const imageExtensions = Object.keys(encoders) as ImageExtension[];

export interface ReadPhotoOptions {
  /**
   * The most pixels, from 1 to 2^30, that an image may have, all its frames or pages counted (although the first alone is read):
   * 120 million unless given.
   */
  readonly maxPixels?: number;
  readonly signal?: AbortSignal;
}

/**
 * Reads a photo: 8 or 16 bits, gray or colour (converted to sRGB), turned upright as its EXIF orientation says. The file must be a
 * PNG, JPEG, WebP, AVIF, TIFF or GIF by its content. Once aborted the promise rejects at once; a decoder that is at work ends
 * in the background, and what it has made is dropped.
 *
 * Rejects with ERR_IMAGE_NOT_FOUND, ERR_INVALID_IMAGE, ERR_IMAGE_TOO_LARGE (before anything is decoded), ERR_OUT_OF_MEMORY,
 * ERR_ABORTED or ERR_INVALID_ARGUMENT.
 */
export async function readPhoto(source: ImageSource, options: ReadPhotoOptions = {}): Promise<Photo> {
  checkOptions(options, { maxPixels: true, signal: true });
  const { signal } = options;
  const maxPixels = checkMaxPixels(options.maxPixels);
  checkSignal(signal);
  throwIfAborted(signal);
  return abortable(decodePhoto(ownBytes(source, signal), { maxPixels, signal }), signal);
}

export interface WritePhotoOptions {
  readonly signal?: AbortSignal;
}

function extensionOf(path: string): ImageExtension {
  const extension = extname(path).toLowerCase();
  if (extension in encoders) return extension as ImageExtension;
  throw invalidArgument('path', `a file name that ends in one of ${imageExtensions.join(', ')}`, path);
}

function checkPhoto({ tensor, bitDepth, alpha }: Photo): void {
  const [batch, colours, height = 0, width = 0] = tensor.dims;
  const isImage = tensor.type === 'float32' && tensor.dims.length === 4 && batch === 1 && height * width > 0;
  if (!isImage || (colours !== 1 && colours !== 3)) {
    throw invalidArgument(
      'photo',
      'a float32 tensor 1×1×H×W or 1×3×H×W',
      `${tensor.type} [${tensor.dims.join(', ')}]`,
    );
  }
  if (bitDepth !== 8 && bitDepth !== 16) throw invalidArgument('bitDepth', '8 or 16', bitDepth);
  if (alpha && alpha.length !== height * width)
    throw invalidArgument('alpha', `${height * width} values`, alpha.length);
}

/** The longest side that a format can hold, in pixels; the others end nowhere near what memory can. */
const longestSides: Readonly<Partial<Record<ImageExtension, number>>> = {
  '.jpg': 65500,
  '.jpeg': 65500,
  '.webp': 16383,
};

/** `encodePhoto`, its arguments checked; like `decodePhoto` it settles when the encoder has ended. */
async function encode(
  photo: Photo,
  extension: ImageExtension,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const { width, height } = planeOf(photo);
  const size = `${width}x${height} pixels`;
  const longest = longestSides[extension] ?? Number.POSITIVE_INFINITY;
  if (Math.max(width, height) > longest)
    throw new TlscError(
      'ERR_INVALID_IMAGE',
      `${size} cannot be written as ${extension}, which ends at ${longest} a side`,
    );
  return withMemoryFor(size, async () => {
    const { data, channels, colours, bitDepth } = await toPixels(photo, signal);
    const raw = { width, height, channels: channels as 1 | 2 | 3 | 4 };
    const image = sharp(data, { raw, limitInputPixels: false }).toColourspace(
      colourspaceOf(colours, bitDepth),
    );
    return encoders[extension](image)
      .toBuffer()
      .catch((cause: unknown) => {
        if (isOutOfMemory(cause)) throw cause;
        throw new TlscError('ERR_INVALID_IMAGE', `${size} cannot be written as ${extension}`, { cause });
      });
  });
}

/**
 * The bytes of an image file. 16 bits become 8 where the format has no more. Once aborted the promise rejects at once; an encoder
 * that is at work ends in the background.
 *
 * Rejects with ERR_INVALID_ARGUMENT, with ERR_INVALID_IMAGE when the format cannot hold the photo (WebP ends at 16383 pixels a
 * side, JPEG at 65500), with ERR_OUT_OF_MEMORY or ERR_ABORTED.
 */
export async function encodePhoto(
  photo: Photo,
  extension: ImageExtension,
  options: WritePhotoOptions = {},
): Promise<Uint8Array> {
  if (!Object.hasOwn(encoders, extension))
    throw invalidArgument('extension', `one of ${imageExtensions.join(', ')}`, extension);
  checkPhoto(photo);
  checkOptions(options, { signal: true });
  const { signal } = options;
  checkSignal(signal);
  throwIfAborted(signal);
  return abortable(encode(photo, extension, signal), signal);
}

/**
 * Writes a photo in the format of the path's extension. The file appears whole or not at all; once aborted nothing of it is left
 * when the promise settles. Rejects with ERR_NOT_WRITABLE, with ERR_INVALID_ARGUMENT for an extension that is not one of
 * `imageExtensions`, or as `encodePhoto` does.
 */
export async function writePhoto(photo: Photo, path: string, options: WritePhotoOptions = {}): Promise<void> {
  const bytes = await encodePhoto(photo, extensionOf(path), options);
  await writeFilesAtomic([{ path, write: (file) => writeBytes(file, bytes, options.signal) }]);
}
