import type { Body } from './body.js';

/** The window of a body, worked out once: every field is a one-element int64 tensor, but `area`, which is float64. */
export interface Window {
  readonly sides: readonly [height: Extent, width: Extent];
  readonly area: string;
}

interface Extent {
  readonly axis: number;
  /** Length of the plane along the axis. */
  readonly length: string;
  /** Length of the window: that of the kernel, or of the plane where that is less. */
  readonly window: string;
}

/** DESIGN: the window of `kernel_shape` within the planes of X, [N, C, H, W]. */
export function windowOf(body: Body, x: string): Window {
  const kernel = body.attribute('kernel_shape', 'ints');
  const shape = body.op('Shape', [x]);
  const extent = (axis: number): Extent => {
    const length = body.slice(shape, body.ints(axis), body.ints(axis + 1), 0);
    const side = body.slice(kernel, body.ints(axis - 2), body.ints(axis - 1), 0);
    return { axis, length, window: body.op('Min', [side, length]) };
  };
  const sides = [extent(2), extent(3)] as const;
  return { sides, area: body.toFloat64(body.op('Mul', [sides[0].window, sides[1].window])) };
}

/** Sums over every full position of the window along one axis, as differences of a running sum that begins with 0. */
function slidingSum(body: Body, x: string, { axis, length, window }: Extent): string {
  const front = axis === 2 ? [0, 0, 1, 0, 0, 0, 0, 0] : [0, 0, 0, 1, 0, 0, 0, 0];
  const sums = body.op('Pad', [body.op('CumSum', [x, body.ints(axis)]), body.ints(...front)]);
  const end = body.op('Add', [length, body.ints(1)]);
  const leaving = body.slice(sums, body.ints(0), body.op('Sub', [end, window]), axis);
  const entering = body.slice(sums, window, end, axis);
  return body.op('Sub', [entering, leaving]);
}

/**
 * The mean of the window at every position of it within a float64 X. In float64 because a running sum over a whole photo in
 * float32 has no digits left for the difference of two entries.
 */
export function windowMeans(body: Body, x: string, window: Window): string {
  const [height, width] = window.sides;
  return body.op('Div', [slidingSum(body, slidingSum(body, x, height), width), window.area]);
}

/** How many positions fewer than pixels there are, down and across: what the replicate padding makes up for. */
export function missingPositions(body: Body, { sides }: Window): readonly [string, string] {
  const missing = ({ window }: Extent) => body.op('Sub', [window, body.ints(1)]);
  return [missing(sides[0]), missing(sides[1])];
}
