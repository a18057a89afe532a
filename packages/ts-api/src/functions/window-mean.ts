import type { Body } from './body.js';

/** The axis of a plane that a window slides along: one-element int64 tensors. */
export interface Extent {
  readonly axis: number;
  readonly length: string;
  readonly window: string;
}

/** Axis and length of height and width of `value`, [N, C, H, W]. */
export function planeSidesOf(
  body: Body,
  value: string,
): readonly [Omit<Extent, 'window'>, Omit<Extent, 'window'>] {
  const shape = body.op('Shape', [value]);
  const side = (axis: number) => ({
    axis,
    length: body.slice(shape, body.ints(axis), body.ints(axis + 1), 0),
  });
  return [side(2), side(3)];
}

/** Length of the planes of X along an axis, and the side of `kernel_shape`. */
export function sidesOf(body: Body, x: string): readonly [Extent, Extent] {
  const kernel = body.attribute('kernel_shape', 'ints');
  const [height, width] = planeSidesOf(body, x);
  const kernelSide = (i: number) => body.slice(kernel, body.ints(i), body.ints(i + 1), 0);
  return [
    { ...height, window: kernelSide(0) },
    { ...width, window: kernelSide(1) },
  ];
}

/** The same, the window no longer than the plane. */
export function windowSidesOf(body: Body, x: string): readonly [Extent, Extent] {
  return sidesOf(body, x).map((side) => ({
    ...side,
    window: body.op('Min', [side.window, side.length]),
  })) as [Extent, Extent];
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
 * The mean of the window at every position of it within a float64 tensor of which it is told the extents. In float64 because
 * a running sum over a whole photo in float32 has no digits left for the difference of two entries.
 */
export function windowMeans(body: Body, x: string, [height, width]: readonly [Extent, Extent]): string {
  const area = body.toFloat64(body.op('Mul', [height.window, width.window]));
  return body.op('Div', [slidingSum(body, slidingSum(body, x, height), width), area]);
}
