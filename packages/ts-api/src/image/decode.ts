import sharp, { type Metadata, type Sharp } from 'sharp';
import { invalidArgument, isOutOfMemory, TlscError, throwIfAborted } from '../errors.js';
import { readOrCopy, readSource } from '../files.js';
import { wholeNumber } from '../options.js';
import { asItIs, copyImage, handsOver, type ImageMemory } from '../session/copy-image.js';
import { isCutShort } from './cut-short.js';
import { describeStranger, type Format, formatOf, readableNames } from './formats.js';
import { outOfMemory } from './memory.js';
import { isDensity, type PhotoMetadata, uprightExif, uprightXmp } from './metadata.js';
import type { Picture } from './photo.js';
import { rawLayout, writeRaw } from './raw-file.js';
import { colourspaceOf, samplesIn, sampleTypeOf } from './samples.js';
import type { Scratch } from './scratch.js';
import { exifOfTiff } from './tiff-exif.js';

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

/** As many as sharp takes unless told otherwise: more than cameras and telephones have (200 megapixels in 2024). */
export const defaultMaxPixels = 0x3fff ** 2;

/** Bytes of a file that are not kept in memory where there is another place for them. */
const largeFile = 2 ** 26;

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

function coloursIn(space: string): 1 | 3 {
  return graySpaces.includes(space) ? 1 : 3;
}

/** How many colours the pixels of an image have once they are read. */
export function coloursOf({ metadata }: ImageHeader): 1 | 3 {
  return coloursIn(metadata.space);
}

/** An image file, and how messages speak of it. */
interface ImageFile {
  readonly bytes: Uint8Array;
  /** What decoders are given: the bytes, or the path of a file of them. */
  readonly input: Uint8Array | string;
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
  const only = `only ${readableNames} are read`;
  if (!stranger) throw invalidImage(`${name} is no image; ${only}`);
  const remedy = stranger.remedy ? `: convert it first, by \`${stranger.remedy}\` for example` : '';
  throw invalidImage(`${name} looks like ${stranger.name}; ${only}${remedy}`);
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
async function readHeader(file: ImageFile, page = 0): Promise<Metadata> {
  const limits = { limitInputPixels: false, limitInputChannels: false, ...(page > 0 && { page }) };
  const header = await sharp(file.input, limits)
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

/** How the pixels of a file are to be read. */
interface Reading {
  readonly bitDepth: 8 | 16;
  readonly colours: 1 | 3;
  /** Whether its values stay as they are, and its profile with them, instead of being converted to sRGB. */
  readonly isOwn: boolean;
  /** The sample that stands for white. */
  readonly white: number;
}

/**
 * Colours that a network can take stay what they are: to convert them to sRGB would cut off what sRGB does not have. Other spaces (CMYK, Lab)
 * become sRGB by their profile, CMYK with 8 bits, as LittleCMS is asked for by libvips.
 */
function readingOf({ space, depth, bitsPerSample, format }: Metadata, name: string): Reading {
  const colours = coloursIn(space);
  if (space === 'cmyk' && (depth === 'uchar' || depth === 'ushort'))
    return { bitDepth: 8, colours, isOwn: false, white: 255 };
  if (space === 'labs') return { bitDepth: 16, colours, isOwn: false, white: 65535 };
  const isPlain = graySpaces.includes(space) || space === 'srgb' || space === 'rgb' || space === 'rgb16';
  if (isPlain && depth === 'uchar') return { bitDepth: 8, colours, isOwn: true, white: 255 };
  if (isPlain && depth === 'ushort') {
    // AVIF has 10 or 12 bits, which come shifted to the left.
    const bits = format === 'heif' ? (bitsPerSample ?? 16) : 16;
    return { bitDepth: 16, colours, isOwn: true, white: (2 ** bits - 1) * 2 ** (16 - bits) };
  }
  throw invalidImage(
    `${name} has ${depth} samples; only 8 and 16 bits can be read: convert it first, by \`magick IN -depth 16 OUT.png\` for example`,
  );
}

/** The most that sharp takes: CMYK with alpha. */
const mostChannels = 5;
/** Red, green, blue and alpha. */
const mostDecoded = 4;

/** What of a file is to be read. */
export interface ImageHeader {
  readonly file: ImageFile;
  readonly metadata: Metadata;
  /** Frames or pages. */
  readonly pages: number;
}

/** A file's bytes; those of a large one stay in a copy, if there is a place for that. */
async function readFile(
  source: ImageSource,
  signal: AbortSignal | undefined,
  scratch: Scratch | undefined,
): Promise<Pick<ImageFile, 'bytes' | 'input'>> {
  const whole = (bytes: Uint8Array) => ({ bytes, input: bytes });
  if (!scratch || typeof source !== 'string') return whole(await readSource(source, 'image', signal));
  const placeFor = async (size: number) =>
    size > largeFile && scratch.isFor(size) ? scratch.fresh(size, '') : undefined;
  const read = await readOrCopy(source, 'image', placeFor, (write) => scratch.writing(write), signal);
  return typeof read === 'string' ? { bytes: scratch.map(read), input: read } : whole(read);
}

/** Reads a file, or takes its bytes, and looks at its header; no pixel is decoded. */
export async function readImageHeader(
  source: ImageSource,
  { maxPixels, signal }: DecodeOptions,
  scratch?: Scratch,
): Promise<ImageHeader> {
  const { bytes, input } = await readFile(source, signal, scratch);
  const name = typeof source === 'string' ? source : 'the image';
  const file = { bytes, input, name, format: checkFormat(bytes, name) };
  const metadata = await readHeader(file);
  // Its decoder takes what is there for all that there is.
  if (file.format.name === 'GIF' && isCutShort(bytes, 'GIF'))
    throw invalidImage(`${name} (GIF) is cut short`);
  checkArea(metadata, name, maxPixels);
  if (metadata.channels > mostChannels)
    throw invalidImage(`${name} has ${metadata.channels} channels; only ${mostChannels} can be read`);
  throwIfAborted(signal);
  return { file, metadata, pages: metadata.pages ?? 1 };
}

function metadataOf(
  { icc, exif: block, xmp, density }: Metadata,
  { bytes, format }: ImageFile,
  isOwn: boolean,
): PhotoMetadata | undefined {
  const exif = format.name === 'TIFF' ? exifOfTiff(bytes) : block;
  const metadata = {
    ...(icc && isOwn && { icc }),
    ...(exif && { exif: uprightExif(exif) }),
    ...(xmp && { xmp: uprightXmp(xmp.toString()) }),
    ...(isDensity(density) && { density }),
  };
  return Object.keys(metadata).length > 0 ? metadata : undefined;
}

/** What a picture's samples are to be in. */
function spaceOf({ bitDepth, colours }: Reading): string {
  // 8-bit gray comes as three equal channels: asked for gray, sharp would drop alpha.
  return bitDepth === 8 ? 'srgb' : colourspaceOf(colours, 16);
}

async function decodeToMemory(image: Sharp, reading: Reading): Promise<ImageMemory> {
  const { bitDepth } = reading;
  const { data, info } = await image
    .autoOrient()
    .toColourspace(spaceOf(reading))
    .raw({ depth: sampleTypeOf(bitDepth) })
    .toBuffer({ resolveWithObject: true });
  // Nobody else has seen it.
  return { ...rawLayout(info, bitDepth), data: samplesIn(data, bitDepth), isHandedOver: handsOver };
}

/** How an image is turned that EXIF says lies otherwise, by its number for that. Mirrored is, as sharp does it, before it is turned. */
const turns: Readonly<Record<number, (image: Sharp) => Sharp>> = {
  2: (image) => image.flop(),
  3: (image) => image.rotate(180),
  4: (image) => image.flip(),
  5: (image) => image.flop().rotate(270),
  6: (image) => image.rotate(90),
  7: (image) => image.flop().rotate(90),
  8: (image) => image.rotate(270),
};

/** Row by row into a file of so many bytes, and from there, where it has to be turned, into another. */
async function decodeToFile(
  image: Sharp,
  reading: Reading,
  { orientation = 1 }: Metadata,
  bytes: number,
  scratch: Scratch,
): Promise<ImageMemory> {
  const space = spaceOf(reading);
  const written = async (made: Sharp) => {
    const path = await scratch.fresh(bytes);
    const info = await scratch.writing(() => writeRaw(made.toColourspace(space), path));
    return { path, layout: rawLayout(info, reading.bitDepth) };
  };
  const lying = await written(image);
  const turn = turns[orientation];
  if (!turn) return scratch.mapPixels(lying.path, lying.layout);
  const upright = await written(turn(sharp(lying.path, { limitInputPixels: false })));
  await scratch.remove(lying.path);
  return scratch.mapPixels(upright.path, upright.layout);
}

/** The bytes of a picture that is decoded. */
function decodedBytes({ width, height, hasAlpha }: Metadata, { bitDepth, colours }: Reading): number {
  const channels = (bitDepth === 8 ? 3 : colours) + (hasAlpha ? 1 : 0);
  return width * height * channels * (bitDepth / 8);
}

/**
 * One frame or page of an image; its pixels go into `scratch` where they and as many that are made of them are better kept there. It settles when the decoder has ended, which
 * nothing can stop; an abort before and after that is heeded.
 */
export async function decodePage(
  header: ImageHeader,
  page: number,
  { maxPixels, signal }: DecodeOptions,
  scratch?: Scratch,
): Promise<Picture> {
  const { file, metadata: first, pages } = header;
  const { input, name } = file;
  // Pages may differ.
  const own = page === 0 ? first : await readHeader(file, page);
  checkArea({ ...own, pages: 1 }, name, maxPixels);
  const reading = readingOf(own, name);
  const what = `the ${own.width}x${own.height} pixels of ${name}`;
  const options = { failOn: 'error', limitInputPixels: maxPixels, ignoreIcc: reading.isOwn } as const;
  const image = sharp(input, pages > 1 ? { ...options, page } : options);
  const bytes = decodedBytes(own, reading);
  const decoded = scratch?.isFor(2 * bytes)
    ? decodeToFile(image, reading, own, bytes, scratch)
    : decodeToMemory(image, reading);
  const pixels = await decoded.catch((cause: unknown) => {
    throw cause instanceof TlscError ? cause : explain(file, what, cause);
  });
  throwIfAborted(signal);
  if (pixels.channels > mostDecoded)
    throw invalidImage(
      `${name} has ${pixels.channels} channels beside each other; only ${mostDecoded} can be read`,
    );
  const { bitDepth, colours, isOwn, white } = reading;
  const metadata = metadataOf(own, file, isOwn);
  const alpha = own.hasAlpha ? await alphaOf(pixels, white / (2 ** bitDepth - 1)) : undefined;
  throwIfAborted(signal);
  return {
    pixels,
    white: white / (2 ** bitDepth - 1),
    colours,
    rest: { bitDepth, ...(alpha && { alpha }), ...(metadata && { metadata }) },
  };
}

/** The last channel of an image, by itself. */
async function alphaOf(pixels: ImageMemory, white: number): Promise<Uint8Array | Uint16Array> {
  const { type, channels, height, width } = pixels;
  const map = [{ ...asItIs(channels - 1), divide: white }];
  return (await copyImage(pixels, map, { type, channelsLast: true, height, width })).data as
    | Uint8Array
    | Uint16Array;
}

/**
 * Throws where pages differ, by their headers: they cannot be written into one file, and what the first says of its size holds for none of
 * the others. Frames of animations are alike by nature.
 */
export async function checkPagesAlike(
  { file, metadata, pages }: ImageHeader,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (file.format.name !== 'TIFF' && file.format.name !== 'AVIF') return;
  const noProfile = new Uint8Array();
  const show = (one: Metadata) =>
    `${one.width}x${one.height} pixels, ${one.channels} channels of ${one.depth}, ${one.hasProfile ? 'with a profile' : 'without a profile'}`;
  for (let page = 1; page < pages; page++) {
    const other = await readHeader(file, page);
    throwIfAborted(signal);
    const isOfOneProfile = Buffer.compare(other.icc ?? noProfile, metadata.icc ?? noProfile) === 0;
    if (show(other) === show(metadata) && isOfOneProfile) continue;
    const message = `the pages of ${file.name} are not alike (${show(metadata)}; ${show(other)}), and cannot be written into one file; the option page chooses one`;
    throw new TlscError('ERR_INVALID_IMAGE', message, { parameter: 'page' });
  }
}
