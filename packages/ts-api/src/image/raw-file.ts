// Pixels in a file of libvips' own format: a header, the rows, and behind them what it notes of the image.
import type { FileHandle } from 'node:fs/promises';
import sharp, { type OutputInfo, type Sharp } from 'sharp';
import { writeAt } from '../files.js';
import {
  type ImageMemory,
  type ImageMemoryLayout,
  type ImageRegion,
  mapFile,
} from '../session/copy-image.js';
import { colourspaceOf } from './samples.js';

/** What its name has to end in for libvips to write it. */
export const rawExtension = '.v';

const headerBytes = 64;

/** The layout of the pixels of such a file. */
export interface RawLayout extends ImageMemoryLayout {
  readonly type: 'uint8' | 'uint16';
  readonly channelsLast: true;
}

/** The layout of what sharp has written. */
export function rawLayout({ channels, height, width }: OutputInfo, bitDepth: 8 | 16): RawLayout {
  return { type: bitDepth === 16 ? 'uint16' : 'uint8', channelsLast: true, channels, height, width };
}

/** Writes what sharp makes, of which the samples have to be what they are to be. Rejects as sharp does. */
export function writeRaw(image: Sharp, path: string): Promise<OutputInfo> {
  return image.toFile(path);
}

/** A file of black. Rejects as sharp does. */
export async function createRaw(path: string, { type, channels, height, width }: RawLayout): Promise<void> {
  const [colours, hasAlpha] = [channels < 3 ? 1 : 3, channels % 2 === 0];
  const black = { r: 0, g: 0, b: 0, alpha: 0 };
  const create = { width, height, channels: hasAlpha ? 4 : 3, background: black } as const;
  const image = sharp({ create, limitInputPixels: false });
  await writeRaw(image.toColourspace(colourspaceOf(colours, type === 'uint16' ? 16 : 8)), path);
}

/** Its pixels as memory, as long as nobody makes the file shorter. */
export function mapRaw(path: string, layout: RawLayout): ImageMemory {
  const { buffer } = mapFile(path);
  const count = layout.channels * layout.height * layout.width;
  const Samples = layout.type === 'uint16' ? Uint16Array : Uint8Array;
  // Read in place wherever it is read: the memory is no part of JavaScript's.
  return { ...layout, data: new Samples(buffer as ArrayBuffer, headerBytes, count), isHandedOver: true };
}

/** Writes a region, whose pixels are `bytes`, into such a file. */
export async function writeRegion(
  file: FileHandle,
  { type, channels, width }: RawLayout,
  region: ImageRegion,
  bytes: Uint8Array,
): Promise<void> {
  const pixelBytes = channels * (type === 'uint16' ? 2 : 1);
  const isOfWholeRows = region.width === width;
  const [runs, length] = isOfWholeRows
    ? [1, region.height * region.width * pixelBytes]
    : [region.height, region.width * pixelBytes];
  for (let run = 0; run < runs; run++) {
    const place = headerBytes + ((region.top + run) * width + region.left) * pixelBytes;
    await writeAt(file, bytes.subarray(run * length, (run + 1) * length), place);
  }
}
