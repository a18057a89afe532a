// The axes of a value that has one number for each plane. Made local it has one for each pixel: rows and columns come last, and of its own
// axes those that count come in front, in the order in which it has them.

export interface Axis {
  readonly size: number;
  /** Whether it is as long as the batch, or as a multiple of it. */
  readonly isBatch: boolean;
}

export type Axes = readonly Axis[];

/** An axis that counts nothing. */
export const single: Axis = { size: 1, isBatch: false };

/** Axes as the operand of a result of so many has them there: broadcasting goes by the last. */
export function aligned(axes: Axes, rank: number): Axes {
  return [...Array<Axis>(Math.max(rank - axes.length, 0)).fill(single), ...axes];
}

/** What operands come to together, which broadcast. */
export function broadcast(operands: readonly Axes[]): Axes {
  const rank = Math.max(...operands.map(({ length }) => length));
  const all = operands.map((axes) => aligned(axes, rank));
  return Array.from({ length: rank }, (_, i) => ({
    size: Math.max(...all.map((axes) => axes[i]?.size ?? 1)),
    isBatch: all.some((axes) => axes[i]?.isBatch),
  }));
}

/** Axes of these lengths, none of which follows the batch. */
export function fixedAxes(shape: readonly number[]): Axes {
  return shape.map((size) => ({ size, isBatch: false }));
}

/**
 * Which axes come in front of rows and columns: those of more than one element, the batch and those in `kept`. Two at least, so that a
 * vector becomes an image, N×C×H×W; -1 stands for an axis that is not there.
 */
export function placesOf(axes: Axes, kept: readonly number[] = []): number[] {
  const places = axes.flatMap(({ size, isBatch }, i) => (size > 1 || isBatch || kept.includes(i) ? [i] : []));
  const [only] = places;
  if (only === undefined) return [-1, -1];
  if (places.length > 1) return places;
  return axes[only]?.isBatch ? [only, -1] : [-1, only];
}

/** Those of `placesOf` that are there. */
export function presentPlacesOf(axes: Axes, kept: readonly number[] = []): number[] {
  return placesOf(axes, kept).filter((i) => i >= 0);
}

/** The axes at these places. */
export function pick(axes: Axes, places: readonly number[]): Axes {
  return places.map((i) => axes[i] ?? single);
}

/** The axis that an attribute means, counted from the first. */
export function placeOf(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

export function sameSizes(a: Axes, b: Axes): boolean {
  return a.length === b.length && a.every(({ size }, i) => size === b[i]?.size);
}
