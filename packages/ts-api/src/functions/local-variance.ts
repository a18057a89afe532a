import type { FunctionProto } from '../graph/proto.js';
import { Body, type BodyOptions } from './body.js';
import { localMeansOf } from './local-means.js';
import { varianceOf } from './normalization.js';
import { shiftedToCorner } from './shifted.js';

/**
 * LocalVariance(X; kernel_shape) in standard ONNX, in fast mode with max_stride: the (biased) variance of each plane over the window
 * around each pixel.
 */
export function localVarianceFunction({ opset, type, fast }: BodyOptions): FunctionProto {
  const body = new Body(type);
  const means = localMeansOf(body, 'X', fast);
  const shifted = shiftedToCorner(body, 'X');
  const variance = varianceOf(body, means.valid(shifted), means.valid(body.op('Mul', [shifted, shifted])));
  body.toTypeOfX(means.pad(variance));
  return body.toFunction('LocalVariance', ['X'], ['kernel_shape', ...(fast ? ['max_stride'] : [])], opset);
}
