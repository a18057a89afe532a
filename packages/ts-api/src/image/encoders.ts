// The formats that photos are written in.
import { extname } from 'node:path';
import type { Sharp } from 'sharp';
import { invalidArgument, TlscError } from '../errors.js';
import { type OptionNames, wholeNumber } from '../options.js';

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
export interface Encoder {
  readonly name: string;
  readonly encode: (image: Sharp, options: EncodeOptions, frames: Frames) => Sharp;
  /** The most bits that it has per sample. */
  readonly bits: 8 | 10 | 16;
  /** The longest side that it can hold, in pixels; the others end nowhere near what memory can. */
  readonly longestSide?: number;
  readonly hasAlpha: boolean;
  /** Whether it holds several frames or pages. */
  readonly hasFrames: boolean;
  /** Whether it holds a profile, and whether that may be one of gray. */
  readonly hasProfile: boolean;
  readonly hasGrayProfile: boolean;
  readonly isAlwaysLossy?: boolean;
  /** The largest XMP, in bytes. */
  readonly largestXmp?: number;
}

/** How long each frame is shown, in milliseconds, and how many times all are; 0 is for ever. */
export interface Timing {
  readonly delay?: readonly number[];
  readonly loop?: number;
}

export interface Frames extends Timing {
  readonly count: number;
  readonly bitDepth: 8 | 16;
  /** Whether the encoder is to keep as little of the image in memory as it can. */
  readonly isLarge: boolean;
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
  hasProfile: true,
  hasGrayProfile: true,
};
const jpeg: Encoder = {
  name: 'JPEG',
  // For the best code of an image the encoder looks at all of it first, which makes the file a little smaller.
  encode: (image, { quality = 95 }, { isLarge }) =>
    image.jpeg({ quality, chromaSubsampling: '4:4:4', optimiseCoding: !isLarge }),
  bits: 8,
  longestSide: 65500,
  hasAlpha: false,
  hasFrames: false,
  hasProfile: true,
  hasGrayProfile: true,
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
  hasProfile: true,
  hasGrayProfile: false,
};
const avif: Encoder = {
  name: 'AVIF',
  encode: (image, { quality = 80, lossless = false }, { bitDepth }) =>
    image.avif({ quality, lossless, chromaSubsampling: '4:4:4', bitdepth: bitDepth === 16 ? 10 : 8 }),
  bits: 10,
  longestSide: 16384,
  hasAlpha: true,
  hasFrames: false,
  hasProfile: true,
  hasGrayProfile: false,
};
const tiff: Encoder = {
  name: 'TIFF',
  encode: (image) => image.tiff({ compression: 'deflate', predictor: 'horizontal' }),
  bits: 16,
  hasAlpha: true,
  hasFrames: true,
  hasProfile: true,
  hasGrayProfile: true,
};
const gif: Encoder = {
  name: 'GIF',
  encode: (image, _, frames) => image.gif(timingOf(frames)),
  bits: 8,
  longestSide: 65535,
  hasAlpha: true,
  hasFrames: true,
  hasProfile: false,
  hasGrayProfile: false,
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

export function encoderOf(extension: ImageExtension): Encoder {
  return encoders[extension];
}

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
