import type { FunctionProto } from '../graph/proto.js';
import { Body, type BodyOptions } from './body.js';
import { localMeansOf } from './local-means.js';
import { deviationOf, perChannel } from './normalization.js';

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
  const deviation = deviationOf(body, mean, meanOf(body.op('Mul', [shifted, shifted])));
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
