// Frames of pixels into the bytes of a file.
import { setImmediate } from 'node:timers/promises';
import { isOutOfMemory, TlscError, throwIfAborted } from '../errors.js';
import { type EncodeOptions, encoderOf, type ImageExtension, type Timing } from './encoders.js';
import { encodeCarried, type FilePixels } from './file-pixels.js';
import { withMemoryFor } from './memory.js';
import { tiffWithExif } from './tiff-exif.js';

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
  const encoder = encoderOf(extension);
  const [first] = frames as [FilePixels];
  const { width, height, bitDepth, metadata } = first;
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
    const file = await encoder
      .encode(image, options, { count: frames.length, bitDepth, ...timing })
      .toBuffer()
      .catch((cause: unknown) => {
        if (isOutOfMemory(cause)) throw cause;
        throw new TlscError('ERR_INVALID_IMAGE', `${size} cannot be written as ${extension}`, { cause });
      });
    const exif = encoder.name === 'TIFF' ? metadata?.exif : undefined;
    return (exif && tiffWithExif(file, exif)) ?? file;
  });
}
