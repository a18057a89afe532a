// Frames of pixels into the bytes of a file.
import { open, writeFile } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import type { Sharp } from 'sharp';
import { isOutOfMemory, TlscError, throwIfAborted } from '../errors.js';
import { writeAt } from '../files.js';
import { discard, mapFile } from '../session/copy-image.js';
import { type EncodeOptions, encoderOf, type ImageExtension, type Timing } from './encoders.js';
import { encodeCarried, type FilePixels } from './file-pixels.js';
import { withMemoryFor } from './memory.js';
import type { Scratch } from './scratch.js';
import { exifPatch, type Patch, patched } from './tiff-exif.js';

/** All frames one below the other, each copied in a turn of the event loop of its own. */
async function inOne(frames: readonly FilePixels[]): Promise<Uint8Array | Uint16Array> {
  const [first] = frames as [FilePixels];
  if (frames.length === 1) return first.data;
  const length = first.data.length * frames.length;
  const all = first.bitDepth === 16 ? new Uint16Array(length) : new Uint8Array(length);
  for (const [i, { data }] of frames.entries()) {
    await setImmediate();
    all.set(data, i * first.data.length);
  }
  return all;
}

/** Has frames encoded: `finish` gets what is to be, and the EXIF that it has yet to put in. */
async function encode<T>(
  frames: readonly FilePixels[],
  extension: ImageExtension,
  options: EncodeOptions,
  timing: Timing,
  signal: AbortSignal | undefined,
  finish: (encoded: Sharp, exif: Uint8Array | undefined) => Promise<T>,
): Promise<T> {
  const encoder = encoderOf(extension);
  const [first] = frames as [FilePixels];
  const { width, height, bitDepth, metadata, file } = first;
  const size = `${width}x${height} pixels`;
  const longest = encoder.longestSide ?? Number.POSITIVE_INFINITY;
  if (Math.max(width, height) > longest)
    throw new TlscError(
      'ERR_INVALID_IMAGE',
      `${size} cannot be written as ${extension}, which ends at ${longest} a side`,
    );
  return withMemoryFor(size, async () => {
    const image = encodeCarried({ ...first, data: await inOne(frames) }, frames.length);
    throwIfAborted(signal);
    const made = { count: frames.length, bitDepth, isLarge: file !== undefined, ...timing };
    // libvips writes no EXIF into TIFF.
    const missing = encoder.name === 'TIFF' ? metadata?.exif : undefined;
    return finish(encoder.encode(image, options, made), missing).catch((cause: unknown) => {
      if (cause instanceof TlscError || isOutOfMemory(cause)) throw cause;
      throw new TlscError('ERR_INVALID_IMAGE', `${size} cannot be written as ${extension}`, { cause });
    });
  });
}

/**
 * The bytes of a file of these frames, which are alike in all but their pixels. It settles when the encoder has ended, which nothing can
 * stop. Rejects with ERR_INVALID_IMAGE where the format cannot hold them.
 */
export function encodeFrames(
  frames: readonly FilePixels[],
  extension: ImageExtension,
  options: EncodeOptions,
  timing: Timing = {},
  signal?: AbortSignal,
): Promise<Uint8Array> {
  return encode(frames, extension, options, timing, signal, async (encoded, exif) => {
    const file = await encoded.toBuffer();
    return exif ? patched(file, exifPatch(file, exif)) : file;
  });
}

/** The same into a file, whose path comes back. Rejects with ERR_NOT_WRITABLE, too. */
export function encodeToFile(
  frame: FilePixels,
  extension: ImageExtension,
  options: EncodeOptions,
  scratch: Scratch,
  signal?: AbortSignal,
): Promise<string> {
  return encode([frame], extension, options, {}, signal, async (encoded, exif) => {
    const path = await scratch.fresh(0, extension);
    await scratch.writing(async () => {
      // Libvips writes into what is there; what it makes itself others of a group cannot write to.
      await writeFile(path, '');
      await encoded.toFile(path);
    });
    if (exif) await scratch.writing(() => patchFile(path, (bytes) => exifPatch(bytes, exif)));
    return path;
  });
}

/** Changes a file in place. */
async function patchFile(path: string, patchOf: (bytes: Uint8Array) => Patch): Promise<void> {
  const bytes = mapFile(path);
  const patch = patchOf(bytes);
  discard(bytes);
  const file = await open(path, 'r+');
  try {
    for (const { at, bytes: changed } of patch) await writeAt(file, changed, at);
  } finally {
    await file.close();
  }
}
