import type { FunctionProto } from '../graph/proto.js';
import { Body, type BodyOptions } from './body.js';
import { localMeansOf } from './local-means.js';

/**
 * LocalAveragePool(X; kernel_shape, replicate) in standard ONNX, in fast mode with max_stride. The attributes of a function
 * have no defaults: a node must carry them all.
 */
export function localAveragePoolFunction({ opset, type, fast }: BodyOptions): FunctionProto {
  const body = new Body(type);
  const means = localMeansOf(body, 'X', fast);
  const valid = body.toTypeOfX(means.valid(body.toFloat64('X')));
  means.pad(valid, body.attribute('replicate', 'int'));
  return body.toFunction(
    'LocalAveragePool',
    ['X'],
    ['kernel_shape', 'replicate', ...(fast ? ['max_stride'] : [])],
    opset,
  );
}
