import { invalidArgument } from './errors.js';

/** [height, width] in pixels. */
export type Size = readonly [height: number, width: number];

/** A side for both, or [height, width]. */
export type SizeOption = number | Size;

/** The longest side of an image, in pixels, that any size option takes. */
export const largestSide = 65536;

function isSide(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= largestSide;
}

/** Whether `value` is a height and a width in whole pixels. */
export function isSize(value: unknown): value is Size {
  return Array.isArray(value) && value.length === 2 && value.every(isSide);
}

/** Throws ERR_INVALID_ARGUMENT unless `value` is a size in whole pixels. */
export function toSize(value: unknown, parameter: string): Size {
  if (isSide(value)) return [value, value];
  if (isSize(value)) return [value[0], value[1]];
  throw invalidArgument(parameter, `a size in pixels from 1 to ${largestSide}, or [height, width]`, value);
}

/** 1.5 times the training size, rounded down: what the published results were made with. */
export function defaultBaseSize([height, width]: Size): Size {
  const side = (length: number) => Math.min(largestSide, Math.floor(length * 1.5));
  return [side(height), side(width)];
}

export function showSize(size: readonly number[]): string {
  return size.join('x');
}
