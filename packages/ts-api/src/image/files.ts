import { extname } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { invalidArgument, TlscError } from '../errors.js';
import { readSource, writeFileAtomic } from '../files.js';
import { colourspaceOf, type Photo, samplesIn, sampleTypeOf, toPhoto, toPixels } from './photo.js';

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

/**
 * Reads a photo: 8 or 16 bits, gray or colour (converted to sRGB), turned upright as its EXIF orientation says. Rejects with
 * ERR_IMAGE_NOT_FOUND or ERR_INVALID_IMAGE.
 */
export async function readPhoto(source: ImageSource): Promise<Photo> {
  const bytes = await readSource(source, 'image');
  const name = typeof source === 'string' ? source : 'the image';
  try {
    const image = sharp(bytes, { failOn: 'error' }).autoOrient();
    const { space, depth, hasAlpha } = await image.metadata();
    const bitDepth = bitDepths[depth];
    if (!bitDepth)
      throw new TlscError(
        'ERR_INVALID_IMAGE',
        `${name} has ${depth} samples; only 8 and 16 bits can be read`,
      );
    const colours = graySpaces.includes(space) ? 1 : 3;
    const { data, info } = await (bitDepth === 8 ? raw8(image) : raw16(image, colours)).toBuffer({
      resolveWithObject: true,
    });
    const { width, height, channels } = info;
    const values = samplesIn(data, bitDepth);
    return await toPhoto({ data: values, width, height, channels, colours, hasAlpha, bitDepth });
  } catch (cause) {
    if (cause instanceof TlscError) throw cause;
    throw new TlscError(
      'ERR_INVALID_IMAGE',
      `${name} is no image that can be read: ${(cause as Error).message}`,
      { cause },
    );
  }
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

/**
 * The bytes of an image file. 16 bits become 8 where the format has no more. Rejects with ERR_INVALID_ARGUMENT, or with
 * ERR_INVALID_IMAGE when the format cannot hold the photo (WebP ends at 16383 pixels a side).
 */
export async function encodePhoto(photo: Photo, extension: ImageExtension): Promise<Uint8Array> {
  if (!Object.hasOwn(encoders, extension))
    throw invalidArgument('extension', `one of ${imageExtensions.join(', ')}`, extension);
  checkPhoto(photo);
  const { data, width, height, channels, colours, bitDepth } = await toPixels(photo);
  const raw = { width, height, channels: channels as 1 | 2 | 3 | 4 };
  const image = sharp(data, { raw }).toColourspace(colourspaceOf(colours, bitDepth));
  try {
    return await encoders[extension](image).toBuffer();
  } catch (cause) {
    const message = `${width}x${height} pixels cannot be written as ${extension}: ${(cause as Error).message}`;
    throw new TlscError('ERR_INVALID_IMAGE', message, { cause });
  }
}

/**
 * Writes a photo in the format of the path's extension. The file appears whole or not at all. Rejects with ERR_NOT_WRITABLE,
 * or ERR_INVALID_ARGUMENT for an extension that is not one of `imageExtensions`.
 */
export async function writePhoto(photo: Photo, path: string): Promise<void> {
  await writeFileAtomic(path, await encodePhoto(photo, extensionOf(path)));
}
