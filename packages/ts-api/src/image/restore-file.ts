// Image files in, image files out: every frame of them, and what they say beside their pixels.
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { TlscError, throwIfAborted } from '../errors.js';
import { moveFile, writeBytes, writeFilesAtomic } from '../files.js';
import { checkOptions } from '../options.js';
import { memoryForPixels } from '../pieces/plan.js';
import type { Pieces } from '../pieces/report.js';
import type { InferenceSession } from '../session/inference-session.js';
import { photoTurns, type TurnTaker } from '../turns.js';
import {
  checkPagesAlike,
  decodePage,
  type ImageHeader,
  type ImageSource,
  ownBytes,
  readImageHeader,
} from './decode.js';
import { encodeFrames, encodeToFile } from './encode.js';
import {
  checkEncoding,
  type EncodeOptions,
  encodeOptionNames,
  extensionOf,
  framesExtensions,
  type ImageExtension,
  type Timing,
} from './encoders.js';
import { bitsOf, type FilePixels, filePixels } from './file-pixels.js';
import { choosePage } from './files.js';
import { hasOtherColours } from './formats.js';
import { type OtherFeeds, prepareInputs } from './inputs.js';
import { restorePicture } from './restore.js';
import { type RestoreOptions, type Restorer, restoreOptionNames, toRestorer } from './restorer.js';
import { Scratch, withScratch } from './scratch.js';
import { hasExif } from './tiff-exif.js';

/** `page` chooses one frame or page; all are restored unless it is given. */
export type RestoreFileOptions = Omit<RestoreOptions, 'fetches'> & EncodeOptions;

export interface RestoredImage {
  readonly height: number;
  readonly width: number;
  /** Frames or pages. */
  readonly frames: number;
  /** How it was cut, of several frames or pages the first; undefined where it was restored whole. */
  readonly pieces: Pieces | undefined;
  /** What the file that was read has, and the new one has not, in words. */
  readonly losses: readonly string[];
}

/** Throws ERR_INVALID_ARGUMENT where a format holds one frame, and there are several. */
function pagesFor(
  { file, pages }: ImageHeader,
  page: number | undefined,
  extension: ImageExtension,
): number[] {
  if (page !== undefined) return [choosePage(file.name, pages, page)];
  if (pages === 1 || framesExtensions.includes(extension)) return Array.from({ length: pages }, (_, i) => i);
  const message = `${file.name} has ${pages} frames or pages, of which ${extension} holds one; the option page says which, ${framesExtensions.join(', ')} hold all`;
  throw new TlscError('ERR_INVALID_ARGUMENT', message, { parameter: 'page', received: String(pages) });
}

/** What became of colours that networks do not take. */
function convertedColours({ metadata: { space, depth } }: ImageHeader): string[] {
  if (space === 'labs') return ['Lab: it is sRGB now'];
  if (space !== 'cmyk') return [];
  return [depth === 'ushort' ? 'CMYK of 16 bits: it is sRGB of 8 bits now' : 'CMYK: it is sRGB now'];
}

/** What was lost before anything was written. */
function lossesOfReading(
  header: ImageHeader,
  { strip = false }: EncodeOptions,
  extension: ImageExtension,
  frames: readonly FilePixels[],
): string[] {
  const [first] = frames;
  const { bytes, format } = header.file;
  const { iptc, comments, delay } = header.metadata;
  const hasUnread = format.name === 'TIFF' && !strip && hasExif(bytes) && first?.metadata?.exif === undefined;
  return [
    ...convertedColours(header),
    ...(hasOtherColours(bytes, format.name)
      ? ['its colour space, which is not read: it is taken for sRGB']
      : []),
    ...(hasUnread ? ['its EXIF, which cannot be read'] : []),
    ...(iptc && !strip ? ['its IPTC, which is not kept'] : []),
    ...(comments?.length && !strip ? ['its comments, which are not kept'] : []),
    ...(delay && frames.length > 1 && extension.startsWith('.tif')
      ? ['its delays, which TIFF has no place for']
      : []),
  ];
}

function timingOf({ metadata: { delay, loop } }: ImageHeader): Timing {
  return { ...(delay && { delay }), ...(loop !== undefined && { loop }) };
}

/** One frame after the other. */
async function restoreFrames(
  header: ImageHeader,
  pages: readonly number[],
  extension: ImageExtension,
  options: RestoreFileOptions,
  restorer: Restorer,
  feedsOf: OtherFeeds,
  scratch: Scratch,
  keepsMemory: boolean,
): Promise<{ frames: FilePixels[]; pieces: Pieces | undefined }> {
  const { name } = header.file;
  const { decoding } = restorer;
  const frames: FilePixels[] = [];
  let pieces: Pieces | undefined;
  for (const page of pages) {
    // Encoders are given several frames in one piece of memory.
    const place = pages.length === 1 ? scratch : undefined;
    const picture = await decodePage(header, page, decoding, place);
    const samples = bitsOf(picture.rest, extension) === 16 ? 'uint16' : 'uint8';
    const { alpha } = picture.rest;
    const others = [alpha, ...frames.map(({ data }) => data)];
    const held = others.reduce((sum, data) => sum + (data?.byteLength ?? 0), 0);
    const restored = await restorePicture(picture, restorer, feedsOf, name, {
      samples,
      held,
      scratch: place,
      keepsMemory,
    });
    pieces ??= restored.pieces;
    await scratch.release(picture.pixels.data);
    const frame = await filePixels(restored.picture, extension, options, place);
    if (frame.data !== restored.picture.pixels.data) await scratch.release(restored.picture.pixels.data);
    frames.push(frame);
    throwIfAborted(decoding.signal);
  }
  return { frames, pieces };
}

/** Where a restored file goes. */
interface Destination<T> {
  /** Where temporary files go. */
  readonly folder: string;
  readonly encode: (frames: readonly FilePixels[], timing: Timing, scratch: Scratch) => Promise<T>;
  /** What becomes of that, which an abort does not reach. */
  readonly deliver: (encoded: T) => Promise<unknown>;
}

async function restoreTo<T>(
  turns: TurnTaker,
  session: InferenceSession,
  source: ImageSource,
  extension: ImageExtension,
  options: RestoreFileOptions,
  { folder, encode, deliver }: Destination<T>,
): Promise<RestoredImage & { readonly encoded: T }> {
  const { fetches: _, ...names } = restoreOptionNames;
  checkOptions(options, { ...names, ...encodeOptionNames });
  checkEncoding(extension, options);
  const restorer = toRestorer(session, options);
  const { decoding, inputs, values, pieces: allowed } = restorer;
  const { signal } = decoding;
  const work = async (scratch: Scratch) => {
    const header = await readImageHeader(ownBytes(source, signal), decoding, scratch);
    const pages = pagesFor(header, options.page, extension);
    if (pages.length > 1) await checkPagesAlike(header, signal);
    const feedsOf = await prepareInputs(session, inputs, values, decoding);
    const { frames, pieces } = await restoreFrames(
      header,
      pages,
      extension,
      options,
      restorer,
      feedsOf,
      scratch,
      turns.keepsMemory ?? false,
    );
    const [{ height, width, losses }] = frames as [FilePixels];
    const encoded = await encode(frames, timingOf(header), scratch);
    return {
      encoded,
      height,
      width,
      frames: frames.length,
      pieces,
      losses: [...lossesOfReading(header, options, extension, frames), ...losses],
    };
  };
  const delivered = async (restored: Awaited<ReturnType<typeof work>>) => {
    await deliver(restored.encoded);
    return restored;
  };
  return turns.take((hold) => {
    const scratch = new Scratch(folder, memoryForPixels(allowed));
    return withScratch(scratch, (place) => hold(work(place)), delivered, signal);
  }, signal);
}

/**
 * Restores an image file, all its frames or pages, and encodes the result with the metadata of the original. Otherwise as `restore` and
 * `encodePhoto`. An animation keeps its delays and its loops; it is written as WebP or GIF, pages as TIFF. The pixels of a photo that would
 * take more than a quarter of the memory that there is for it lie in temporary files meanwhile.
 *
 * Rejects as they do, and with ERR_INVALID_ARGUMENT where several frames or pages are to go into a format for one, with
 * ERR_INVALID_IMAGE where they differ in size, or with ERR_NOT_WRITABLE where the disk has no room for such files.
 */
export async function restoreImage(
  session: InferenceSession,
  source: ImageSource,
  extension: ImageExtension,
  options: RestoreFileOptions = {},
): Promise<RestoredImage & { readonly bytes: Uint8Array }> {
  return restoreImageInTurn(photoTurns, session, source, extension, options);
}

/** The same, in a turn of somebody's. */
export async function restoreImageInTurn(
  turns: TurnTaker,
  session: InferenceSession,
  source: ImageSource,
  extension: ImageExtension,
  options: RestoreFileOptions,
): Promise<RestoredImage & { readonly bytes: Uint8Array }> {
  const { encoded, ...restored } = await restoreTo(turns, session, source, extension, options, {
    folder: tmpdir(),
    encode: (frames, timing) => encodeFrames(frames, extension, options, timing, options.signal),
    deliver: async () => {},
  });
  return { ...restored, bytes: encoded };
}

/**
 * The same from file to file, in the format of the extension of `path`, beside which temporary files lie. The file appears whole or not at
 * all.
 */
export async function restoreFile(
  session: InferenceSession,
  source: ImageSource,
  path: string,
  options: RestoreFileOptions = {},
): Promise<RestoredImage> {
  return restoreFileInTurn(photoTurns, session, source, path, options);
}

/** The same, in a turn of somebody's. */
export async function restoreFileInTurn(
  turns: TurnTaker,
  session: InferenceSession,
  source: ImageSource,
  path: string,
  options: RestoreFileOptions,
): Promise<RestoredImage> {
  const extension = extensionOf(path);
  const { signal } = options;
  const { encoded: _, ...restored } = await restoreTo<Uint8Array | string>(
    turns,
    session,
    source,
    extension,
    options,
    {
      folder: dirname(path),
      encode: (frames, timing, scratch) => {
        const [only] = frames as [FilePixels];
        return only.file === undefined
          ? encodeFrames(frames, extension, options, timing, signal)
          : encodeToFile(only, extension, options, scratch, signal);
      },
      deliver: (encoded) =>
        typeof encoded === 'string'
          ? moveFile(encoded, path)
          : writeFilesAtomic([{ path, write: (file) => writeBytes(file, encoded, signal) }]),
    },
  );
  return restored;
}
