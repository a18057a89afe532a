import type { FunctionProto } from '../graph/proto.js';
import { Body } from './body.js';
import { windowMean, windowOf } from './window-mean.js';

/** LocalAveragePool(X; kernel_shape), replicate-padded, in standard ONNX. */
export function localAveragePoolFunction(opset: number): FunctionProto {
  const body = new Body();
  const window = windowOf(body, 'X');
  body.toFloat32(windowMean(body, body.toFloat64('X'), window));
  return body.toFunction('LocalAveragePool', ['X'], ['kernel_shape'], opset);
}
