// Constants: those of a model, and those that fused operators want where it has none.
import { create } from '@bufbuild/protobuf';
import { TensorProtoSchema } from 'onnx-buf';
import { DataType, type TensorProto } from '../graph/proto.js';
import { isWeights, makeWeights, weightsOf } from '../rewrite/weights.js';
import type { ImageType } from '../session/image-tensors.js';
import type { FusionContext } from './context.js';

/** The tensor that a value is at every run. */
export function constantIn({ graph, changeable }: FusionContext, value: string): TensorProto | undefined {
  const tensor = changeable.has(graph.originOf(value)) ? undefined : graph.constant(value);
  return tensor && isWeights(tensor) ? tensor : undefined;
}

/** The one number that a constant holds. */
export function numberIn(context: FusionContext, value: string): number | undefined {
  const tensor = constantIn(context, value);
  if (!tensor || tensor.dims.some((side) => side !== 1n)) return undefined;
  return weightsOf(context.graph.withValues(tensor))[0];
}

/** Whether all of a list, which may be left out, are this number. */
export function isAll(list: readonly number[] | undefined, value: number): boolean {
  return (list ?? []).every((one) => one === value);
}

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
