import { abortable } from '../abort.js';
import { invalidArgument, TlscError, throwIfAborted } from '../errors.js';
import { writeBytes, writeFilesAtomic } from '../files.js';
import { checkOptions, checkSignal, wholeNumber } from '../options.js';
import {
  checkMaxPixels,
  type DecodeOptions,
  decodePage,
  type ImageSource,
  ownBytes,
  readImageHeader,
} from './decode.js';
import { encodeFrames } from './encode.js';
import {
  checkEncoding,
  type EncodeOptions,
  encodeOptionNames,
  extensionOf,
  type ImageExtension,
} from './encoders.js';
import { filePixels } from './file-pixels.js';
import { withMemoryFor } from './memory.js';
import { checkPhoto, type Photo, type Picture, photoOf, pictureOf, planeOf } from './photo.js';

export interface ReadPhotoOptions {
  /** The most pixels, from 1 to 2^30, that an image may have, all its frames or pages counted: 268 million unless given, which is sharp's limit. */
  readonly maxPixels?: number;
  /** Which frame or page, from 0 on. To be given where there are several. */
  readonly page?: number | undefined;
  readonly signal?: AbortSignal;
}

const [isPage, pageNumbers] = wholeNumber(0, 2 ** 31 - 1);

/** Throws ERR_INVALID_ARGUMENT unless it is the number of a page, or not given. */
export function checkPage(page: number | undefined): void {
  if (page !== undefined && !isPage(page)) throw invalidArgument('page', pageNumbers, page);
}

/** Throws ERR_INVALID_ARGUMENT where a file has no such page, or several and none is chosen. */
export function choosePage(name: string, pages: number, page: number | undefined): number {
  if (page === undefined && pages > 1) {
    const message = `${name} has ${pages} frames or pages; the option page says which`;
    throw new TlscError('ERR_INVALID_ARGUMENT', message, { parameter: 'page', received: String(pages) });
  }
  const chosen = page ?? 0;
  if (chosen < pages) return chosen;
  const has = pages === 1 ? 'one frame or page' : `${pages} frames or pages`;
  const message = `${name} has ${has}, and none with page ${chosen}; the first is 0`;
  throw new TlscError('ERR_INVALID_ARGUMENT', message, { parameter: 'page', received: String(chosen) });
}

/** One frame or page of an image file, in its own layout. */
export async function readPicture(
  source: ImageSource,
  page: number | undefined,
  options: DecodeOptions,
): Promise<Picture> {
  const header = await readImageHeader(source, options);
  return decodePage(header, choosePage(header.file.name, header.pages, page), options);
}

/** What the header of an image file says. */
export interface ImageDescription {
  /** 'PNG', 'JPEG', … */
  readonly format: string;
  /** In pixels, upright; of several frames or pages the first one's. */
  readonly height: number;
  readonly width: number;
  /** How many frames or pages. */
  readonly pages: number;
}

/**
 * What an image file is, by its header; nothing is decoded. Rejects with ERR_IMAGE_NOT_FOUND, ERR_INVALID_IMAGE, ERR_IMAGE_TOO_LARGE,
 * ERR_ABORTED or ERR_INVALID_ARGUMENT.
 */
export async function describeImage(
  source: ImageSource,
  options: Omit<ReadPhotoOptions, 'page'> = {},
): Promise<ImageDescription> {
  checkOptions(options, { maxPixels: true, signal: true });
  const { signal } = options;
  const maxPixels = checkMaxPixels(options.maxPixels);
  checkSignal(signal);
  throwIfAborted(signal);
  const { file, metadata, pages } = await abortable(
    readImageHeader(ownBytes(source, signal), { maxPixels, signal }),
    signal,
  );
  const { height, width } = metadata.autoOrient;
  return { format: file.format.name, height, width, pages };
}

/**
 * Reads a photo: 8 or 16 bits, gray or colour, turned upright as its EXIF orientation says, with its profile, EXIF, XMP and density. RGB and
 * gray stay in the colour space that they are in; CMYK and Lab become sRGB. The file must be a PNG, JPEG, WebP, AVIF, TIFF or GIF by its
 * content. Once aborted the promise rejects at once; a decoder that is at work ends in the background, and what it has made is dropped.
 *
 * Rejects with ERR_IMAGE_NOT_FOUND, ERR_INVALID_IMAGE, ERR_IMAGE_TOO_LARGE (before anything is decoded), ERR_OUT_OF_MEMORY,
 * ERR_ABORTED or ERR_INVALID_ARGUMENT, also where the file has several frames or pages and `page` does not say which.
 */
export async function readPhoto(source: ImageSource, options: ReadPhotoOptions = {}): Promise<Photo> {
  checkOptions(options, { maxPixels: true, page: true, signal: true });
  const { signal, page } = options;
  const maxPixels = checkMaxPixels(options.maxPixels);
  checkPage(page);
  checkSignal(signal);
  throwIfAborted(signal);
  const read = async () => {
    const picture = await readPicture(ownBytes(source, signal), page, { maxPixels, signal });
    const { width, height } = picture.pixels;
    return withMemoryFor(`the ${width}x${height} pixels of a photo`, () => photoOf(picture));
  };
  return abortable(read(), signal);
}

export interface WritePhotoOptions extends EncodeOptions {
  readonly signal?: AbortSignal;
}

/**
 * The bytes of an image file, with the photo's metadata. 16 bits become 8 where the format has no more, and 10 in AVIF; JPEG leaves alpha out.
 * Once aborted the promise rejects at once; an encoder that is at work ends in the background.
 *
 * Rejects with ERR_INVALID_ARGUMENT, with ERR_INVALID_IMAGE when the format cannot hold the photo (WebP ends at 16383 pixels a
 * side, JPEG at 65500), with ERR_OUT_OF_MEMORY or ERR_ABORTED.
 */
export async function encodePhoto(
  photo: Photo,
  extension: ImageExtension,
  options: WritePhotoOptions = {},
): Promise<Uint8Array> {
  checkPhoto(photo);
  checkOptions(options, { ...encodeOptionNames, signal: true });
  checkEncoding(extension, options);
  const { signal } = options;
  checkSignal(signal);
  throwIfAborted(signal);
  const { width, height } = planeOf(photo);
  const encode = () =>
    withMemoryFor(`${width}x${height} pixels`, async () => {
      const pixels = await filePixels(pictureOf(photo), extension, options);
      return encodeFrames([pixels], extension, options, {}, signal);
    });
  return abortable(encode(), signal);
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
