import { largestSide, lowestOpset, newestOpset, type Size } from '@tlsc/api';
import { InvalidArgumentError } from 'commander';

function isSide(value: number): boolean {
  return value >= 1 && value <= largestSide;
}

/** '256' or '256x384' (height first). */
export function parseSize(text: string): Size {
  const match = text.match(/^(\d{1,5})(?:x(\d{1,5}))?$/);
  const [height, width] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
  if (!match || !isSide(height) || !isSide(width)) {
    throw new InvalidArgumentError(
      'Write it as HEIGHTxWIDTH in pixels, up to 65536 each: 256x256 for example.',
    );
  }
  return [height, width];
}

export function parseOpset(text: string): number {
  const opset = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (opset >= lowestOpset && opset <= newestOpset) return opset;
  throw new InvalidArgumentError(`Write it as a whole number from ${lowestOpset} to ${newestOpset}.`);
}

/** A number of threads, or of a card. */
export function parseCount(text: string): number {
  if (!/^\d{1,3}$/.test(text)) throw new InvalidArgumentError('Write it as a whole number up to 999.');
  return Number(text);
}

export function parsePixels(text: string): number {
  const count = /^\d{1,10}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= 2 ** 30) return count;
  throw new InvalidArgumentError(`Write it as a whole number from 1 to ${2 ** 30}.`);
}

/** Of an option that may be given several times. */
export function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}
