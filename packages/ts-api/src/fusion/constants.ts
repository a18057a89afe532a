// Constants that fused operators want where a model has none.
import { create } from '@bufbuild/protobuf';
import { TensorProtoSchema } from 'onnx-buf';
import { DataType, type TensorProto } from '../graph/proto.js';
import { makeWeights } from '../rewrite/weights.js';
import type { ImageType } from '../session/image-tensors.js';
import type { FusionContext } from './context.js';

/** The element type of weights. */
export function typeOf({ dataType }: TensorProto): ImageType {
  return dataType === DataType.FLOAT ? 'float32' : 'float16';
}

/** The name of a new constant, [count], that is `value` all over, in the element type of `like`. */
export function filled(
  { graph }: FusionContext,
  { dataType }: TensorProto,
  value: number,
  count: number,
  name: string,
): string {
  const like = create(TensorProtoSchema, { name, dataType });
  return graph.addInitializer(makeWeights(like, [count], new Float32Array(count).fill(value)));
}
