import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { invalidArgument, TlscError } from '../errors.js';
import { writeFileAtomic } from '../write-file.js';
import { type Photo, toPhoto, toPixels } from './photo.js';

/** A path, or the bytes of an image file. */
export type ImageSource = string | Uint8Array;

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

/** Grayscale colour spaces, as libvips calls them. */
const graySpaces = ['b-w', 'grey16'];

async function readBytes(source: ImageSource): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source;
  if (typeof source !== 'string') throw invalidArgument('image', 'a path, a Uint8Array or a Photo', source);
  try {
    return await readFile(source);
  } catch (cause) {
    const why =
      (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : (cause as Error).message;
    throw new TlscError('ERR_IMAGE_NOT_FOUND', `cannot read the image ${source}: ${why}`, { cause });
  }
}

/**
 * Reads a photo: 8 or 16 bits, gray or colour (converted to sRGB), turned upright as its EXIF orientation says. Rejects with
 * ERR_IMAGE_NOT_FOUND or ERR_INVALID_IMAGE.
 */
export async function readPhoto(source: ImageSource): Promise<Photo> {
  const bytes = await readBytes(source);
  const name = typeof source === 'string' ? source : 'the image';
  try {
    const image = sharp(bytes, { failOn: 'error' }).autoOrient();
    const { space, depth, hasAlpha } = await image.metadata();
    const bitDepth = depth === 'uchar' ? 8 : 16;
    const isGray = graySpaces.includes(space);
    const colourspace = bitDepth === 16 ? (isGray ? 'grey16' : 'rgb16') : isGray ? 'b-w' : 'srgb';
    const { data, info } = await image
      .pipelineColourspace(bitDepth === 16 ? colourspace : 'srgb')
      .toColourspace(colourspace)
      .raw({ depth: bitDepth === 16 ? 'ushort' : 'uchar' })
      .toBuffer({ resolveWithObject: true });
    const { width, height, channels } = info;
    const values =
      bitDepth === 16 ? new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2) : data;
    return toPhoto({ data: values, width, height, channels, hasAlpha, bitDepth });
  } catch (cause) {
    if (cause instanceof TlscError) throw cause;
    throw new TlscError(
      'ERR_INVALID_IMAGE',
      `${name} is not an image that can be read: ${(cause as Error).message}`,
      { cause },
    );
  }
}

function extensionOf(path: string): ImageExtension {
  const extension = extname(path).toLowerCase();
  if (extension in encoders) return extension as ImageExtension;
  throw invalidArgument('path', `a file name that ends in one of ${imageExtensions.join(', ')}`, path);
}

/** The bytes of an image file. 16 bits become 8 where the format has no more. */
export async function encodePhoto(photo: Photo, extension: ImageExtension): Promise<Uint8Array> {
  const { data, width, height, channels, bitDepth, hasAlpha } = toPixels(photo);
  const isGray = channels - (hasAlpha ? 1 : 0) === 1;
  const colourspace = bitDepth === 16 ? (isGray ? 'grey16' : 'rgb16') : isGray ? 'b-w' : 'srgb';
  const raw = { width, height, channels: channels as 1 | 2 | 3 | 4 };
  return encoders[extension](sharp(data, { raw }).toColourspace(colourspace)).toBuffer();
}

/**
 * Writes a photo in the format of the path's extension. The file appears whole or not at all. Rejects with ERR_NOT_WRITABLE,
 * or ERR_INVALID_ARGUMENT for an extension that is not one of `imageExtensions`.
 */
export async function writePhoto(photo: Photo, path: string): Promise<void> {
  await writeFileAtomic(path, await encodePhoto(photo, extensionOf(path)));
}
