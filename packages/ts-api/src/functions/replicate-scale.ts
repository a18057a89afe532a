import type { FunctionProto } from '../graph/proto.js';
import { Body, type BodyOptions } from './body.js';
import { replicatePadding } from './replicate-padding.js';

/** ReplicateScale(X, S) in standard ONNX. */
export function replicateScaleFunction({ opset, type }: BodyOptions): FunctionProto {
  const body = new Body(type);
  const sides = (value: string) => body.slice(body.op('Shape', [value]), body.ints(2), body.ints(4), 0);
  // Where S is the larger one, Pad would cut it to size; not padded, it makes the product fail.
  const missing = body.op('Max', [body.op('Sub', [sides('X'), sides('S')]), body.ints(0)]);
  const rows = body.slice(missing, body.ints(0), body.ints(1), 0);
  const columns = body.slice(missing, body.ints(1), body.ints(2), 0);
  body.op('Mul', ['X', replicatePadding(body, 'S', [rows, columns])]);
  return body.toFunction('ReplicateScale', ['X', 'S'], [], opset);
}
