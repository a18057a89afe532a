import type { FunctionProto } from '../graph/proto.js';
import { Body, type BodyOptions } from './body.js';
import { localMeansOf } from './local-means.js';

/** A per-channel parameter, [C], as float64 of shape [1, C, 1, 1]. */
function perChannel(body: Body, value: string): string {
  return body.toFloat64(body.op('Reshape', [value, body.ints(1, -1, 1, 1)]));
}

/** LocalInstanceNormalization(X, scale, B; kernel_shape, epsilon) in standard ONNX, in fast mode with max_stride. */
export function localInstanceNormalizationFunction({ opset, type, fast }: BodyOptions): FunctionProto {
  const body = new Body(type);
  const means = localMeansOf(body, 'X', fast);
  const x = body.toFloat64('X');
  // Variance does not change when a constant is taken off; near zero, the mean of squares keeps its digits.
  const corner = body.slice(body.slice(x, body.ints(0), body.ints(1), 2), body.ints(0), body.ints(1), 3);
  const shifted = body.op('Sub', [x, corner]);
  const meanOf = (value: string) => means.pad(means.valid(value));
  const mean = meanOf(shifted);
  const meanOfSquares = meanOf(body.op('Mul', [shifted, shifted]));
  const difference = body.op('Sub', [meanOfSquares, body.op('Mul', [mean, mean])]);
  const variance = body.op('Max', [difference, body.toFloat64(body.ints(0))]);
  const epsilon = body.toFloat64(body.attribute('epsilon', 'float'));
  const deviation = body.op('Sqrt', [body.op('Add', [variance, epsilon])]);
  const normalized = body.op('Div', [body.op('Sub', [shifted, mean]), deviation]);
  const scaled = body.op('Mul', [normalized, perChannel(body, 'scale')]);
  body.toTypeOfX(body.op('Add', [scaled, perChannel(body, 'B')]));
  return body.toFunction(
    'LocalInstanceNormalization',
    ['X', 'scale', 'B'],
    ['kernel_shape', 'epsilon', ...(fast ? ['max_stride'] : [])],
    opset,
  );
}
