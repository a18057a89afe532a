import type { FunctionProto } from '../graph/proto.js';
import { Body } from './body.js';
import { replicatePadding } from './replicate-padding.js';
import { missingPositions, windowMeans, windowOf } from './window-mean.js';

/**
 * LocalAveragePool(X; kernel_shape, replicate) in standard ONNX. The attributes of a function have no defaults: a node must
 * carry both.
 */
export function localAveragePoolFunction(opset: number): FunctionProto {
  const body = new Body();
  const window = windowOf(body, 'X');
  const means = body.toFloat32(windowMeans(body, body.toFloat64('X'), window));
  // 1 or 0 times the padding, so that the body has no branches.
  const replicate = body.attribute('replicate', 'int');
  const [rows, columns] = missingPositions(body, window);
  replicatePadding(body, means, [body.op('Mul', [rows, replicate]), body.op('Mul', [columns, replicate])]);
  return body.toFunction('LocalAveragePool', ['X'], ['kernel_shape', 'replicate'], opset);
}
