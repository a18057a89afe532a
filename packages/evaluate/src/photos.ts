import { describeImage, type Photo, readPhoto, type Size, TlscError } from '@tlsc/api';
import type { Pair } from './pairs/pair.js';

/** A photo to evaluate on, looked at by its header. */
export interface PhotoInfo extends Pair {
  readonly size: Size;
  /** How many times as large its target is. */
  readonly scale: number;
}

async function sizeOf(path: string, signal: AbortSignal | undefined): Promise<Size> {
  const { height, width } = await describeImage(path, signal ? { signal } : {});
  return [height, width];
}

/** Rejects with ERR_INVALID_ARGUMENT where a target is not a whole multiple of its photo, or as `describeImage` does. */
export async function lookAt(pair: Pair, signal: AbortSignal | undefined): Promise<PhotoInfo> {
  const size = await sizeOf(pair.input, signal);
  if (pair.target === undefined) return { ...pair, size, scale: 1 };
  const target = await sizeOf(pair.target, signal);
  const scale = target[0] / size[0];
  if (Number.isInteger(scale) && target[1] === size[1] * scale) return { ...pair, size, scale };
  const message = `${pair.target} has ${target.join('x')} pixels, which is no whole multiple of the ${size.join('x')} of ${pair.input}`;
  throw new TlscError('ERR_INVALID_ARGUMENT', message, { parameter: 'pairs', received: pair.target });
}

/** In pixels. */
export function areaOf({ size: [height, width] }: PhotoInfo): number {
  return height * width;
}

export function read(path: string, signal: AbortSignal | undefined): Promise<Photo> {
  return readPhoto(path, signal ? { signal } : {});
}
