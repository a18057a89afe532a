// Where in a photo one result differs most from another.
import type { Planes } from '../metrics/planes.js';

export interface Region {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

/** Squared errors of an image, summed over channels, at each pixel. */
export function squaredErrors(
  { data, channels, height, width }: Planes,
  { data: target }: Planes,
): Float64Array {
  const area = height * width;
  const errors = new Float64Array(area);
  for (let c = 0; c < channels; c++)
    for (let i = 0; i < area; i++) {
      const at = c * area + i;
      errors[i] = (errors[i] as number) + ((data[at] as number) - (target[at] as number)) ** 2;
    }
  return errors;
}

/** Sums over all rectangles that begin in the upper left corner, one row and one column of zeros in front. */
function integral(values: Float64Array, height: number, width: number): Float64Array {
  const sums = new Float64Array((height + 1) * (width + 1));
  for (let y = 0; y < height; y++) {
    let row = 0;
    for (let x = 0; x < width; x++) {
      row += values[y * width + x] as number;
      sums[(y + 1) * (width + 1) + x + 1] = (sums[y * (width + 1) + x + 1] as number) + row;
    }
  }
  return sums;
}

/** Sides of regions, in pixels, and how far apart those lie that are looked at. */
const [side, step] = [96, 8];

function* squares(height: number, width: number): Generator<Region> {
  const [rows, columns] = [Math.min(side, height), Math.min(side, width)];
  for (let top = 0; top + rows <= height; top += step)
    for (let left = 0; left + columns <= width; left += step)
      yield { top, left, height: rows, width: columns };
}

/** The regions in which the second image has gained most over the first, and lost most. */
export function gainAndLoss(first: Planes, second: Planes, target: Planes): { gain: Region; loss: Region } {
  const { height, width } = target;
  const [before, after] = [squaredErrors(first, target), squaredErrors(second, target)];
  const sums = integral(
    before.map((error, i) => error - (after[i] as number)),
    height,
    width,
  );
  const sumOf = ({ top, left, height: rows, width: columns }: Region) => {
    const at = (y: number, x: number) => sums[y * (width + 1) + x] as number;
    return at(top + rows, left + columns) - at(top, left + columns) - at(top + rows, left) + at(top, left);
  };
  let [gain, loss] = [0, 0].map(() => squares(height, width).next().value as Region) as [Region, Region];
  for (const square of squares(height, width)) {
    if (sumOf(square) > sumOf(gain)) gain = square;
    if (sumOf(square) < sumOf(loss)) loss = square;
  }
  return { gain, loss };
}

/** How far results of tiles jump where these meet, against how they jump elsewhere; and the square where that shows most. */
export interface Seams {
  /** 1 where nothing shows. */
  readonly ratio: number;
  readonly worst: Region;
}

/** Errors of a result change from pixel to pixel; where tiles meet they change by more. `size`: the side of tiles, in its pixels. */
export function seamsOf(made: Planes, target: Planes, size: number): Seams | undefined {
  const { height, width } = target;
  if (width <= size) return undefined;
  const area = height * width;
  const error = (c: number, i: number) =>
    (made.data[c * area + i] as number) - (target.data[c * area + i] as number);
  const jumps = (x: number, from: number, to: number) => {
    let sum = 0;
    for (let c = 0; c < target.channels; c++)
      for (let y = from; y < to; y++) sum += Math.abs(error(c, y * width + x) - error(c, y * width + x - 1));
    return sum / ((to - from) * target.channels);
  };
  const borders: number[] = [];
  for (let x = size; x < width; x += size) borders.push(Math.min(x, width - size));
  const elsewhere = borders.map((x) => x - (size >> 1)).filter((x) => x > 0 && !borders.includes(x));
  const mean = (columns: readonly number[]) =>
    columns.reduce((sum, x) => sum + jumps(x, 0, height), 0) / columns.length;
  let [worst, most] = [{ top: 0, left: 0, height: Math.min(side, height), width: Math.min(side, width) }, -1];
  for (const x of borders)
    for (let top = 0; top + worst.height <= height; top += side) {
      const jump = jumps(x, top, top + worst.height);
      if (jump <= most) continue;
      most = jump;
      worst = { ...worst, top, left: Math.min(Math.max(0, x - (worst.width >> 1)), width - worst.width) };
    }
  return { ratio: mean(borders) / mean(elsewhere), worst };
}

/** The error of each pixel as gray: black is none, white as much as `most`. */
export function errorMap(made: Planes, target: Planes, most: number): Uint8Array {
  const { channels } = target;
  return Uint8Array.from(squaredErrors(made, target), (error) =>
    Math.round(255 * Math.min(1, Math.sqrt(error / channels) / most)),
  );
}
