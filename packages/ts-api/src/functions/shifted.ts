import type { Body } from './body.js';

/**
 * Each plane of `x` in float64, less its first value. Variance does not change when a constant is taken off; near zero, the mean of
 * squares keeps its digits.
 */
export function shiftedToCorner(body: Body, x: string): string {
  const wide = body.toFloat64(x);
  const corner = body.slice(body.slice(wide, body.ints(0), body.ints(1), 2), body.ints(0), body.ints(1), 3);
  return body.op('Sub', [wide, corner]);
}
