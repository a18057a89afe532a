import type { Size } from '@tlsc/api';
import { InvalidArgumentError } from 'commander';

/** '256' or '256x384' (height first). */
export function parseSize(text: string): Size {
  const match = text.match(/^(\d{1,5})(?:x(\d{1,5}))?$/);
  const [height, width] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
  if (!match || height === 0 || width === 0)
    throw new InvalidArgumentError('Write it as HEIGHTxWIDTH in pixels, 256x256 for example.');
  return [height, width];
}

export function parseThreads(text: string): number {
  if (!/^\d{1,3}$/.test(text)) throw new InvalidArgumentError('Write it as a whole number.');
  return Number(text);
}
