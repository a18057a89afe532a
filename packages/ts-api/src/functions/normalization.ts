// What the bodies of normalizations have in common.
import type { Body } from './body.js';

/** A per-channel parameter, [C], as float64 of shape [1, C, 1, 1]. */
export function perChannel(body: Body, value: string): string {
  return body.toFloat64(body.op('Reshape', [value, body.ints(1, -1, 1, 1)]));
}

/** The variance of some values, of their mean and that of their squares. */
export function varianceOf(body: Body, mean: string, meanOfSquares: string): string {
  const difference = body.op('Sub', [meanOfSquares, body.op('Mul', [mean, mean])]);
  return body.op('Max', [difference, body.toFloat64(body.ints(0))]);
}

/** sqrt(variance + epsilon), of the mean of some values and that of their squares. */
export function deviationOf(body: Body, mean: string, meanOfSquares: string): string {
  const variance = varianceOf(body, mean, meanOfSquares);
  const epsilon = body.toFloat64(body.attribute('epsilon', 'float'));
  return body.op('Sqrt', [body.op('Add', [variance, epsilon])]);
}
