import type { FunctionProto } from '../graph/proto.js';
import { Body, type BodyOptions } from './body.js';
import { localMeansOf } from './local-means.js';
import { deviationOf, perChannel } from './normalization.js';
import { shiftedToCorner } from './shifted.js';

/** LocalInstanceNormalization(X, scale, B; kernel_shape, epsilon) in standard ONNX, in fast mode with max_stride. */
export function localInstanceNormalizationFunction({ opset, type, fast }: BodyOptions): FunctionProto {
  const body = new Body(type);
  const means = localMeansOf(body, 'X', fast);
  const shifted = shiftedToCorner(body, 'X');
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
