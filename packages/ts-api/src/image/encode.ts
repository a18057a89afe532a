import { extname } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { invalidArgument, isOutOfMemory, TlscError, throwIfAborted } from '../errors.js';
import { type OptionNames, wholeNumber } from '../options.js';
import { asItIs, type ChannelMap, copyImage, type ImageMemory, withChannel } from '../session/copy-image.js';
import { withMemoryFor } from './memory.js';
import { carrierOf, type PhotoMetadata } from './metadata.js';
import { memoryOf, type Photo, planeOf } from './photo.js';
import { colourspaceOf } from './samples.js';
import { tiffWithExif } from './tiff-exif.js';

export interface EncodeOptions {
  /** From 1 to 100, of JPEG, WebP and AVIF; the others lose nothing. Default: 95, of AVIF 80. */
  readonly quality?: number | undefined;
  /** Whether WebP and AVIF are to lose nothing. JPEG and GIF cannot. Default: false. */
  readonly lossless?: boolean | undefined;
  /** Whether to leave out EXIF, XMP and density. The colour profile stays: without it the colours would be others. Default: false. */
  readonly strip?: boolean | undefined;
}

export const encodeOptionNames: OptionNames<EncodeOptions> = { quality: true, lossless: true, strip: true };

/** A format that photos are written in. */
interface Encoder {
  readonly name: string;
  readonly encode: (image: Sharp, options: EncodeOptions, frames: Frames) => Sharp;
  /** The most bits that it has per sample. */
  readonly bits: 8 | 10 | 16;
  /** The longest side that it can hold, in pixels; the others end nowhere near what memory can. */
  readonly longestSide?: number;
  readonly hasAlpha: boolean;
  /** Whether it holds several frames or pages. */
  readonly hasFrames: boolean;
  /** Whether a profile may be one of gray. */
  readonly hasGray: boolean;
  readonly isAlwaysLossy?: boolean;
  /** The largest XMP, in bytes. */
  readonly largestXmp?: number;
}

/** How long each frame is shown, in milliseconds, and how many times all are; 0 is for ever. */
export interface Timing {
  readonly delay?: readonly number[];
  readonly loop?: number;
}

interface Frames extends Timing {
  readonly count: number;
  readonly bitDepth: 8 | 16;
}

function timingOf({ count, delay, loop }: Frames) {
  if (count === 1) return {};
  return { ...(delay && { delay: [...delay] }), ...(loop !== undefined && { loop }) };
}

const png: Encoder = {
  name: 'PNG',
  encode: (image) => image.png(),
  bits: 16,
  hasAlpha: true,
  hasFrames: false,
  hasGray: true,
};
const jpeg: Encoder = {
  name: 'JPEG',
  encode: (image, { quality = 95 }) => image.jpeg({ quality, chromaSubsampling: '4:4:4' }),
  bits: 8,
  longestSide: 65500,
  hasAlpha: false,
  hasFrames: false,
  hasGray: true,
  isAlwaysLossy: true,
  largestXmp: 65502,
};
const webp: Encoder = {
  name: 'WebP',
  encode: (image, { quality = 95, lossless = false }, frames) =>
    image.webp({ quality, lossless, exact: true, ...timingOf(frames) }),
  bits: 8,
  longestSide: 16383,
  hasAlpha: true,
  hasFrames: true,
  hasGray: false,
};
const avif: Encoder = {
  name: 'AVIF',
  encode: (image, { quality = 80, lossless = false }, { bitDepth }) =>
    image.avif({ quality, lossless, chromaSubsampling: '4:4:4', bitdepth: bitDepth === 16 ? 10 : 8 }),
  bits: 10,
  longestSide: 16384,
  hasAlpha: true,
  hasFrames: false,
  hasGray: false,
};
const tiff: Encoder = {
  name: 'TIFF',
  encode: (image) => image.tiff({ compression: 'deflate', predictor: 'horizontal' }),
  bits: 16,
  hasAlpha: true,
  hasFrames: true,
  hasGray: true,
};
const gif: Encoder = {
  name: 'GIF',
  encode: (image, _, frames) => image.gif(timingOf(frames)),
  bits: 8,
  longestSide: 65535,
  hasAlpha: true,
  hasFrames: true,
  hasGray: false,
  isAlwaysLossy: true,
};

/** Formats that photos are written in, by file extension. */
const encoders = {
  '.png': png,
  '.jpg': jpeg,
  '.jpeg': jpeg,
  '.webp': webp,
  '.avif': avif,
  '.tif': tiff,
  '.tiff': tiff,
  '.gif': gif,
} as const satisfies Record<string, Encoder>;

/** '.png', '.jpg', …: what `encodePhoto` and `writePhoto` can write. */
export type ImageExtension = keyof typeof encoders;

export const imageExtensions = Object.keys(encoders) as ImageExtension[];

/** Those that hold several frames or pages. */
export const framesExtensions = imageExtensions.filter((extension) => encoders[extension].hasFrames);

/** Throws ERR_INVALID_ARGUMENT where the path has none that can be written. */
export function extensionOf(path: string): ImageExtension {
  const extension = extname(path).toLowerCase();
  if (Object.hasOwn(encoders, extension)) return extension as ImageExtension;
  throw invalidArgument('path', `a file name that ends in one of ${imageExtensions.join(', ')}`, path);
}

const [isQuality, qualities] = wholeNumber(1, 100);

/** Throws ERR_INVALID_ARGUMENT where the options, or they and the format, do not go together. */
export function checkEncoding(extension: ImageExtension, options: EncodeOptions): void {
  if (!Object.hasOwn(encoders, extension))
    throw invalidArgument('extension', `one of ${imageExtensions.join(', ')}`, extension);
  const { quality, lossless, strip } = options;
  if (quality !== undefined && !isQuality(quality)) throw invalidArgument('quality', qualities, quality);
  for (const [name, value] of Object.entries({ lossless, strip })) {
    if (value !== undefined && typeof value !== 'boolean')
      throw invalidArgument(name, 'true or false', value);
  }
  const { name, isAlwaysLossy }: Encoder = encoders[extension];
  if (lossless && isAlwaysLossy)
    throw new TlscError(
      'ERR_INVALID_ARGUMENT',
      `lossless cannot be had of ${name}; take .png, .webp, .avif or .tif`,
      {
        parameter: 'lossless',
        received: extension,
      },
    );
}

/** The pixels of a photo as a file has them, and what else goes into it. */
export interface FilePixels {
  readonly data: Uint8Array | Uint16Array;
  readonly width: number;
  readonly height: number;
  /** Colours in front, alpha (when there is one) at the end. */
  readonly channels: number;
  readonly colours: number;
  readonly bitDepth: 8 | 16;
  readonly metadata: PhotoMetadata | undefined;
  /** What of the photo the format cannot hold, in words. */
  readonly losses: readonly string[];
}

/** What the samples of AVIF of 10 bits are shifted by, and half of that, by which they are rounded: the encoder cuts the rest off. */
const [shifted, halfShifted] = [2 ** 6, 2 ** 5];

function mapFor({ bits }: Encoder, bitDepth: 8 | 16): Omit<ChannelMap, 'weights'> {
  if (bits !== 10 || bitDepth === 8) return { multiply: 1, divide: 1, add: 0 };
  return { multiply: (2 ** bits - 1) * shifted, divide: 65535, add: halfShifted / 65535 };
}

function metadataFor(
  { metadata }: Photo,
  { name, largestXmp = Number.POSITIVE_INFINITY }: Encoder,
  strip: boolean,
) {
  if (!metadata) return { metadata, losses: [] };
  const { icc, exif, xmp, density } = metadata;
  if (strip) return { metadata: icc && { icc }, losses: [] };
  const losses: string[] = [];
  const isTooLong = xmp !== undefined && Buffer.byteLength(xmp) > largestXmp;
  if (isTooLong) losses.push(`its XMP, which ${name} has no room for`);
  if ((exif || icc || xmp) && name === 'GIF') losses.push('its metadata, which GIF has no place for');
  const kept = {
    ...(icc && { icc }),
    ...(exif && { exif }),
    ...(xmp && !isTooLong && { xmp }),
    ...(density && { density }),
  };
  return { metadata: kept, losses };
}

/** Rounds to the nearest value of the bit depth; what lies outside [0, 1] is clipped. */
export async function filePixels(
  photo: Photo,
  extension: ImageExtension,
  { strip = false }: EncodeOptions,
): Promise<FilePixels> {
  const encoder: Encoder = encoders[extension];
  const bitDepth = encoder.bits === 8 ? 8 : photo.bitDepth;
  const { alpha } = photo;
  const { channels: colours, width, height } = planeOf(photo);
  const { metadata, losses } = metadataFor(photo, encoder, strip);
  const keepsAlpha = alpha !== undefined && encoder.hasAlpha;
  const plain = Array.from({ length: colours }, (_, channel) => asItIs(channel));
  const planes = keepsAlpha
    ? await withChannel(memoryOf(photo), plain, alphaMemory(alpha, height, width))
    : memoryOf(photo);
  const map = [...plain, ...(keepsAlpha ? [asItIs(colours)] : [])].map((channel) => ({
    ...channel,
    ...mapFor(encoder, bitDepth),
  }));
  const type = bitDepth === 16 ? 'uint16' : 'uint8';
  const { data } = await copyImage(planes, map, { type, channelsLast: true, height, width });
  return {
    data: data as Uint8Array | Uint16Array,
    width,
    height,
    channels: map.length,
    colours,
    bitDepth,
    metadata,
    losses:
      alpha && !keepsAlpha ? [...losses, `its alpha channel, which ${encoder.name} has none of`] : losses,
  };
}

export function alphaMemory(alpha: Uint8Array | Uint16Array, height: number, width: number): ImageMemory {
  const type = alpha instanceof Uint16Array ? 'uint16' : 'uint8';
  return { type, channelsLast: true, channels: 1, height, width, data: alpha, isHandedOver: false };
}

function inOne(frames: readonly FilePixels[]): Uint8Array | Uint16Array {
  const [first] = frames as [FilePixels];
  if (frames.length === 1) return first.data;
  const bytes = frames.map(({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength));
  const all = Buffer.concat(bytes);
  return first.bitDepth === 16 ? new Uint16Array(all.buffer, all.byteOffset, all.length / 2) : all;
}

/**
 * The bytes of a file of these frames, which are alike in all but their pixels. It settles when the encoder has ended, which nothing can
 * stop. Rejects with ERR_INVALID_IMAGE where the format cannot hold them.
 */
export async function encodeFrames(
  frames: readonly FilePixels[],
  extension: ImageExtension,
  options: EncodeOptions,
  timing: Timing = {},
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const encoder: Encoder = encoders[extension];
  const [first] = frames as [FilePixels];
  const { width, height, channels, colours, bitDepth, metadata } = first;
  const size = `${width}x${height} pixels`;
  const longest = encoder.longestSide ?? Number.POSITIVE_INFINITY;
  if (Math.max(width, height) > longest)
    throw new TlscError(
      'ERR_INVALID_IMAGE',
      `${size} cannot be written as ${extension}, which ends at ${longest} a side`,
    );
  return withMemoryFor(size, async () => {
    throwIfAborted(signal);
    const raw = {
      width,
      height: height * frames.length,
      channels: channels as 1 | 2 | 3 | 4,
      ...(frames.length > 1 && { pageHeight: height }),
    };
    const data = inOne(frames);
    const space = colourspaceOf(colours, bitDepth);
    const isCarried = metadata !== undefined && Object.keys(metadata).length > 0;
    const plain = isCarried
      ? sharp(carrierOf(metadata, channels, bitDepth), { ignoreIcc: true })
          .boolean(data as Buffer, 'or', { raw }) // Of 16 bits, too, which the declaration leaves out.
          .keepMetadata()
      : sharp(data, { raw, limitInputPixels: false });
    const dense = metadata?.density ? plain.withDensity(metadata.density) : plain;
    const image = dense.toColourspace(space);
    const inRgb = colours === 1 && metadata?.icc && !encoder.hasGray ? await grayInSrgb(image) : image;
    const count = { count: frames.length, bitDepth, ...timing };
    const file = await encoder
      .encode(inRgb, options, count)
      .toBuffer()
      .catch((cause: unknown) => {
        if (isOutOfMemory(cause)) throw cause;
        throw new TlscError('ERR_INVALID_IMAGE', `${size} cannot be written as ${extension}`, { cause });
      });
    const isTiff = encoder === tiff && metadata?.exif !== undefined;
    return (isTiff && tiffWithExif(file, metadata.exif)) || file;
  });
}

/** For formats that would drop a profile of gray and leave its values: the colours that it means, in sRGB. */
async function grayInSrgb(image: Sharp): Promise<Sharp> {
  return sharp(await image.png().toBuffer(), { limitInputPixels: false })
    .toColourspace('srgb')
    .keepExif()
    .keepXmp();
}
