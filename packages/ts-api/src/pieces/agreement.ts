// Whether a part of an image, run by itself, comes out as in the whole, and how it must be cut for that: seen from runs on strips.
import { divisor } from '../session/sides.js';
/** What a network makes of a strip of an image from row (or column) `begin` up to, but not including, `end`: as many values for each. */
export type StripRun = (begin: number, end: number) => Promise<Strip>;

export interface Strip {
  /** Channels behind each other, then the axis that was cut, then the other one. */
  readonly values: Float32Array;
  readonly channels: number;
  readonly length: number;
  readonly across: number;
  /** How many of `length` there are for one of the image. */
  readonly scale: number;
}

export interface Agreement {
  /** What a piece must begin at a multiple of. */
  readonly multiple: number;
  /** How far from where it was cut a piece is other than the whole by more than so much of the range of its values. */
  reachOf(difference: number): number;
}

/** A piece that is cut wrongly is off by a hundred times that, in units of the range; one that is cut well by far less. */
const tolerance = 2e-3;

/** The same of networks that compute in float16, whose steps are larger. */
const float16Tolerance = 1e-2;

/** The longest axis in the strides of networks that are known: powers of 2, windows of Swin, three levels of 3. */
const multiples = [8, 16, 32, 64, 128, 12, 24, 48, 96, 20, 40, 80, 28, 56, 112, 36, 72];

/** Neither the length of anything's stride, nor a multiple of it: the last row of an image that has to be filled up is seen, too. */
const odd = 37;

/**
 * How long a strip is to be that shows whether pieces agree from `distance` on: its middle and theirs, at which networks may cut it, are among
 * what is compared.
 */
export function stripLength(distance: number): number {
  return 4 * distance + 256 + odd;
}

/** The largest difference of each row of a piece to the same row of the whole; the piece begins at row `begin` of the image. */
function differences(piece: Strip, whole: Strip, begin: number): number[] {
  const first = Math.round(begin * whole.scale);
  const rows = Array<number>(piece.length).fill(0);
  for (let channel = 0; channel < piece.channels; channel++) {
    for (let row = 0; row < piece.length; row++) {
      const at = (channel * piece.length + row) * piece.across;
      const there = (channel * whole.length + first + row) * whole.across;
      for (let i = 0; i < piece.across; i++) {
        const difference = Math.abs((piece.values[at + i] as number) - (whole.values[there + i] as number));
        if (!(difference <= (rows[row] as number))) rows[row] = difference; // NaN, too
      }
    }
  }
  return rows;
}

function rangeOf({ values }: Strip): number {
  let [least, greatest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  return greatest - least;
}

/** What the strides of networks are made of. */
const factors = [2, 3, 5, 7];

/** A number without these factors, so that a stride that it is multiplied with stays what it is; `least` or more, where that is below `most`. */
function timesFor(least: number, most: number): number {
  const isPlain = (number: number) => factors.every((factor) => number % factor !== 0);
  let number = Math.max(1, Math.ceil(least));
  while (!isPlain(number)) number++;
  if (number < most) return number;
  number = Math.max(1, Math.floor(most) - 1);
  while (!isPlain(number)) number--;
  return number;
}

/**
 * How an axis may be cut so that pieces agree with the whole from `distance` rows on; undefined where they do not, however it is cut. `known`
 * is what all sides have to be multiples of.
 */
export async function agreementAt(
  run: StripRun,
  distance: number,
  known: number,
  isFloat16: boolean,
): Promise<Agreement | undefined> {
  const length = stripLength(distance);
  const whole = await run(0, length);
  const range = rangeOf(whole);
  const most = (isFloat16 ? float16Tolerance : tolerance) * range;
  const candidates = new Set([
    ...(known >= 8 ? [known] : []),
    ...multiples.map((one) => (one / divisor(one, known)) * known),
  ]);
  for (const multiple of candidates) {
    const begin = multiple * timesFor(distance / 2 / multiple, (length / 2 - distance) / multiple);
    if (begin + distance >= length / 2) continue;
    const upper = differences(await run(begin, length), whole, begin);
    const scale = whole.scale;
    const far = (rows: readonly number[]) => rows.slice(Math.ceil(distance * scale));
    if (far(upper).some((difference) => !(difference <= most))) continue;
    const end = Math.floor((length - begin) / multiple) * multiple;
    const lower = differences(await run(0, end), whole, 0).reverse();
    if (far(lower).some((difference) => !(difference <= most))) continue;
    const reached = (rows: readonly number[], difference: number) =>
      rows.findLastIndex((one) => one > difference * range) + 1;
    const reachOf = (difference: number) =>
      Math.ceil(Math.max(reached(upper, difference), reached(lower, difference)) / scale);
    return { multiple, reachOf };
  }
  return undefined;
}
