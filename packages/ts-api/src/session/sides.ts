// Which sides of an image a network can take, found by running it.
import { TlscError } from '../errors.js';
import type { Size } from '../size.js';

/** The sides that a network can take: multiples of one number, from another one on. */
export interface Sides {
  readonly multiple: number;
  /** A multiple of `multiple`. */
  readonly minimum: number;
}

/** Whether a value is one that `findSides` could have found. */
export function isSides(value: unknown): value is Sides {
  const { multiple, minimum } = (value ?? {}) as Partial<Record<keyof Sides, unknown>>;
  const isCount = (side: unknown): side is number =>
    Number.isInteger(side) && (side as number) >= 1 && (side as number) <= Math.max(...attempts);
  return isCount(multiple) && isCount(minimum) && minimum % multiple === 0;
}

/** Height and width of what a network makes of an image, by output; undefined where it fails. Rejects where trying on makes no sense. */
export type Trial = (side: number) => Promise<ReadonlyMap<string, Size> | undefined>;

/**
 * Sides of which one runs in any network that is known: between them they have the multiples 1 to 10, 12, 14 to 16, 20, 24, 28, 30, 32, 36,
 * 40, 48, 56, 60, 64, 72, 96, … 512. The first that runs is enough: no multiple that is needed is none of its divisors.
 */
const attempts = [64, 96, 112, 240, 128, 192, 224, 288, 176, 208, 256, 320, 448, 512];

function primeFactors(number: number): number[] {
  for (let factor = 2; factor * factor <= number; factor++) {
    if (number % factor === 0) return [factor, ...primeFactors(number / factor)];
  }
  return number > 1 ? [number] : [];
}

/** The greatest one that two numbers have in common. */
export function divisor(a: number, b: number): number {
  return b === 0 ? a : divisor(b, a % b);
}

/** The smallest number from `from` on that has no factor in common with `other`. */
function coprime(other: number, from: number): number {
  let number = from;
  while (divisor(number, other) !== 1) number++;
  return number;
}

/**
 * The sides that a network takes; undefined where it takes none of those that are tried. A side counts as taken where all
 * outputs that are whole multiples or parts of the image are that again, so that a network that rounds sizes down does not pass. Larger ones
 * than `largest` are not tried first: what a stranger's model takes to run may grow without measure.
 */
export async function findSides(
  trial: Trial,
  largest = Number.POSITIVE_INFINITY,
): Promise<Sides | undefined> {
  for (const side of attempts.filter((one) => one <= largest)) {
    const outputs = [...((await trial(side)) ?? [])];
    const reference = outputs.filter(([, size]) => size.every((length) => isScale(length, side)));
    if (reference.length === 0) continue;
    const takes = async (other: number) => {
      const found = await trial(other);
      return (
        found !== undefined && reference.every(([name, size]) => isAlike(size, side, found.get(name), other))
      );
    };
    const multiple = await findMultiple(takes, side);
    return { multiple, minimum: await findMinimum(takes, multiple, side) };
  }
  return undefined;
}

/** Whether a side of an output is that of the image, or a whole multiple or part of it. */
export function isScale(made: number, side: number): boolean {
  return made > 0 && (made % side === 0 || side % made === 0);
}

function isAlike(size: Size, side: number, other: Size | undefined, otherSide: number): boolean {
  return size.every((length, axis) => length * otherSide === (other?.[axis] ?? 0) * side);
}

/** Divides a side that is taken by one prime factor after the other, as long as multiples of what is left are taken. */
async function findMultiple(takes: (side: number) => Promise<boolean>, side: number): Promise<number> {
  // What is taken and has nothing else in common with `side` shows that no more than `multiple` is needed.
  const suffices = (multiple: number) => takes(multiple * coprime(side, Math.ceil(side / multiple)));
  if (await suffices(1)) return 1;
  let multiple = side;
  for (const factor of primeFactors(side)) {
    if (await suffices(multiple / factor)) multiple /= factor;
  }
  return multiple;
}

/** By halving; `side` is taken. */
async function findMinimum(
  takes: (side: number) => Promise<boolean>,
  multiple: number,
  side: number,
): Promise<number> {
  if (await takes(multiple)) return multiple;
  let [tooFew, enough] = [1, side / multiple];
  while (enough - tooFew > 1) {
    const middle = Math.floor((tooFew + enough) / 2);
    if (await takes(middle * multiple)) enough = middle;
    else tooFew = middle;
  }
  return enough * multiple;
}

/** The smallest side that is taken and not below `side`. */
export function fittingSide(side: number, { multiple, minimum }: Sides): number {
  return Math.max(minimum, Math.ceil(side / multiple) * multiple);
}

/** Whether an error says that a network cannot take what it was given, and not that something else is wrong. */
export function isRefusal(error: unknown): boolean {
  return (
    error instanceof TlscError && (error.code === 'ERR_RUN_FAILED' || error.code === 'ERR_INPUT_MISMATCH')
  );
}
