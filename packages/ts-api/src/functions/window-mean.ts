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

/** How many rows or columns the replicate padding adds in front and behind: the odd one goes behind. */
function padding(body: Body, { window }: Extent): { front: string; back: string } {
  const total = body.op('Sub', [window, body.ints(1)]);
  const front = body.op('Div', [total, body.ints(2)]);
  return { front, back: body.op('Sub', [total, front]) };
}

/**
 * The mean of the window around every pixel of a float64 X, replicate-padded to the size of X. In float64 because a
 * running sum over a whole photo in float32 has no digits left for the difference of two entries.
 */
export function windowMean(body: Body, x: string, window: Window): string {
  const [height, width] = window.sides;
  const sums = slidingSum(body, slidingSum(body, x, height), width);
  const means = body.op('Div', [sums, window.area]);
  const rows = padding(body, height);
  const columns = padding(body, width);
  const none = body.ints(0, 0);
  const pads = body.op('Concat', [none, rows.front, columns.front, none, rows.back, columns.back], {
    axis: 0,
  });
  return body.op('Pad', [means, pads], { mode: { text: 'edge' } });
}
