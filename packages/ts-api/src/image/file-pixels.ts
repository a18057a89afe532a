// Photos as the pixels of files: what a format can hold of them.
import sharp, { type Raw } from 'sharp';
import {
  asItIs,
  type ChannelMap,
  copyImage,
  discard,
  type ImageMemory,
  type ImageRegion,
  isPlain,
  type PixelMap,
  withChannel,
} from '../session/copy-image.js';
import { Canvas } from './canvas.js';
import { type EncodeOptions, type Encoder, encoderOf, type ImageExtension } from './encoders.js';
import { carrierOf, coloursOf, isSrgb, type PhotoMetadata } from './metadata.js';
import type { Picture } from './photo.js';
import { colourspaceOf } from './samples.js';
import type { Scratch } from './scratch.js';

/** The pixels of a photo as a file has them, and what else goes into it. */
export interface FilePixels {
  readonly data: Uint8Array | Uint16Array;
  /** The path of a file that they lie in; undefined where they are in memory. */
  readonly file?: string | undefined;
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

/** As much as libexif writes, in bytes. */
const largestExif = 65000;

/** What becomes of a photo's metadata in a format, and what is lost of it. */
function metadataFor(
  { metadata = {} }: Picture['rest'],
  { name, hasProfile, largestXmp = Number.POSITIVE_INFINITY }: Encoder,
  strip: boolean,
): Pick<FilePixels, 'metadata' | 'losses'> {
  const { icc, exif, xmp, density } = metadata;
  if (strip) return { metadata: icc && { icc }, losses: [] };
  const isTooLong = xmp !== undefined && Buffer.byteLength(xmp) > largestXmp;
  const isTooMuch = exif !== undefined && name !== 'TIFF' && exif.length > largestExif;
  const isLost = !hasProfile && (exif ?? xmp) !== undefined;
  const kept = {
    ...(icc && { icc }),
    ...(exif && !isTooMuch && { exif }),
    ...(xmp && !isTooLong && { xmp }),
    ...(density && { density }),
  };
  return {
    metadata: kept,
    losses: [
      ...(isTooLong ? [`its XMP, which ${name} has no room for`] : []),
      ...(isTooMuch ? ['its EXIF, of more than 64 kB'] : []),
      ...(isLost ? [`its metadata, which ${name} has no place for`] : []),
    ],
  };
}

/** What is done about a profile that is not of the photo's colours, or that a format cannot hold. */
type ProfileChange = 'none' | 'drop' | 'lose' | 'spread' | 'toSrgb';

function profileChange(icc: Uint8Array | undefined, colours: number, encoder: Encoder): ProfileChange {
  if (!icc) return 'none';
  const kind = coloursOf(icc);
  if (colours === 3 && kind !== 'RGB ') return 'lose';
  if (colours === 1 && kind === 'RGB ') {
    // Gray without a profile is taken for sRGB's; in any other profile of RGB it is three equal colours.
    return isSrgb(icc) ? 'drop' : encoder.hasProfile ? 'spread' : 'toSrgb';
  }
  if (colours === 1 && kind !== 'GRAY') return 'lose';
  const isHeld = colours === 1 ? encoder.hasGrayProfile : encoder.hasProfile;
  return isHeld || (!encoder.hasProfile && isSrgb(icc)) ? 'none' : 'toSrgb';
}

/** The channels of a file, made of those of the photo. */
function channelsOf(colours: number, count: number): ChannelMap[] {
  return Array.from({ length: count }, (_, channel) => asItIs(colours === 1 ? 0 : channel));
}

/** The bits of a value in a file: those that a picture has, or as many as the format holds. */
export function bitsOf({ bitDepth }: Picture['rest'], extension: ImageExtension): 8 | 16 {
  return encoderOf(extension).bits === 8 ? 8 : bitDepth;
}

/** Pixels of a picture that are worked on at a time. */
const pixelsPerBand = 2 ** 20;

/** What is made of a picture band by band, in a file where there is a place for it. */
async function inBands(
  { height, width }: ImageMemory,
  map: PixelMap,
  type: 'uint8' | 'uint16',
  scratch: Scratch | undefined,
  bandOf: (region: ImageRegion) => Promise<ImageMemory>,
): Promise<ImageMemory> {
  const canvas = await Canvas.create(map.length, [height, width], type, scratch);
  const rows = Math.max(1, Math.floor(pixelsPerBand / width));
  try {
    for (let top = 0; top < height; top += rows) {
      const region = { top, left: 0, height: Math.min(rows, height - top), width };
      const band = await bandOf(region);
      await canvas.put(band, band.region ?? { ...region, top: 0 }, map, top, 0);
      if (!band.region) discard(band.data);
    }
    return await canvas.finish();
  } catch (error) {
    await canvas.abandon();
    throw error;
  }
}

/** Rounds to the nearest value of the bit depth; what lies outside [0, 1] is clipped. What lies in a file goes into one, if it has to change. */
export async function filePixels(
  { pixels: source, white, rest }: Picture,
  extension: ImageExtension,
  { strip = false }: EncodeOptions,
  scratch?: Scratch,
): Promise<FilePixels> {
  const encoder = encoderOf(extension);
  const { alpha } = rest;
  const { channels, width, height } = source;
  const { metadata, losses } = metadataFor(rest, encoder, strip);
  const change = profileChange(metadata?.icc, channels, encoder);
  const keepsProfile = change !== 'drop' && change !== 'lose';
  const { icc: _, ...withoutProfile } = metadata ?? {};
  const isSpread =
    channels === 1 && metadata?.icc !== undefined && coloursOf(metadata.icc) === 'RGB ' && keepsProfile;
  const colours = isSpread ? 3 : channels;
  const bitDepth = change === 'toSrgb' ? 8 : bitsOf(rest, extension);
  const keepsAlpha = alpha !== undefined && encoder.hasAlpha;
  const plain = channelsOf(channels, colours).map((channel) => ({ ...channel, divide: white }));
  const planesOf = async (region: ImageRegion) => {
    const part = { ...source, region };
    return keepsAlpha ? withChannel(part, plain, { ...alphaMemory(alpha, height, width), region }) : part;
  };
  const taken = keepsAlpha ? channelsOf(colours + 1, colours + 1) : plain;
  const last = mapFor(encoder, bitDepth);
  const map = taken.map((channel) => ({ ...channel, ...last, divide: channel.divide * last.divide }));
  const type = bitDepth === 16 ? 'uint16' : 'uint8';
  const isAsItIs = !keepsAlpha && source.type === type && source.channelsLast && isPlain(map, channels);
  const made = async () => {
    if (isAsItIs) return source;
    const isOnDisk = scratch?.fileOf(source.data) !== undefined;
    if (keepsAlpha || isOnDisk) return inBands(source, map, type, isOnDisk ? scratch : undefined, planesOf);
    return copyImage(source, map, { type, channelsLast: true, height, width });
  };
  const { data } = await made();
  const pixels: FilePixels = {
    data: data as Uint8Array | Uint16Array,
    file: scratch?.fileOf(data),
    width,
    height,
    channels: map.length,
    colours,
    bitDepth,
    metadata: keepsProfile ? metadata : withoutProfile,
    losses: [
      ...losses,
      ...(rest.bitDepth === 16 && encoder.bits < 16
        ? [`its 16 bits, of which ${bitDepth === 8 ? 8 : encoder.bits} are left`]
        : []),
      ...(change === 'lose' ? ['its profile, which is not one of these colours'] : []),
      ...(alpha && !keepsAlpha ? [`its alpha channel, which ${encoder.name} has none of`] : []),
    ],
  };
  return change === 'toSrgb' ? inSrgb(pixels) : pixels;
}

/** For formats that would drop the profile and leave its values: the colours that it means, of 8 bits, in sRGB. */
async function inSrgb(pixels: FilePixels): Promise<FilePixels> {
  const { data, info } = await sharp(await encodeCarried(pixels).png({ compressionLevel: 1 }).toBuffer(), {
    limitInputPixels: false,
  })
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true });
  const { icc: _, ...metadata } = pixels.metadata ?? {};
  return { ...pixels, data, file: undefined, channels: info.channels, colours: 3, metadata };
}

/** What files are taken to have that say nothing, in pixels per inch. */
const usualDensity = 72;

/** Pixels, of so many frames one below the other, as an image of sharp's that carries their metadata. */
export function encodeCarried(
  { data, file, width, height, channels, colours, bitDepth, metadata = {} }: FilePixels,
  frames = 1,
) {
  const raw = {
    width,
    height: height * frames,
    channels: channels as 1 | 2 | 3 | 4,
    ...(frames > 1 && { pageHeight: height }),
  };
  const options = file === undefined ? { raw, limitInputPixels: false } : { limitInputPixels: false };
  const pixels = file ?? (data as Buffer); // Of 16 bits, too, which the declaration leaves out.
  const space = colourspaceOf(colours, bitDepth);
  const { icc, exif, xmp, density } = metadata;
  if (!icc && !exif && !xmp && !density) return sharp(pixels, options).toColourspace(space);
  const image = sharp(carrierOf(metadata, channels, bitDepth), { ignoreIcc: true })
    .boolean(pixels, 'or', options as { raw: Raw }) // A path needs no layout of raw pixels.
    .toColourspace(space);
  // Each for itself: asked for all, libvips makes up EXIF where there is none.
  if (icc) image.keepIccProfile();
  if (exif) image.keepExif();
  if (xmp) image.keepXmp();
  // What a density is written with has EXIF, too; the usual one need not be written.
  return density && (exif || density !== usualDensity) ? image.withDensity(density) : image;
}

export function alphaMemory(alpha: Uint8Array | Uint16Array, height: number, width: number): ImageMemory {
  const type = alpha instanceof Uint16Array ? 'uint16' : 'uint8';
  return { type, channelsLast: true, channels: 1, height, width, data: alpha, isHandedOver: false };
}
