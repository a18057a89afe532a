import { DataType, isOnnxDomain, makeNode, type NodeProto } from '../graph/proto.js';
import { constantIn, numberIn } from './constants.js';
import type { Fusion, FusionContext } from './context.js';

/**
 * A PRelu with one slope for all channels, behind a convolution. ONNX Runtime makes LeakyRelu a part of the convolution in front of it; for PRelu it brings the
 * image out of its blocked layout, and back.
 */
export function leakyRelu(context: FusionContext, node: NodeProto): Fusion | undefined {
  if (node.opType !== 'PRelu' || !isOnnxDomain(node.domain)) return undefined;
  const [value = '', slope = ''] = node.input;
  const alpha = numberIn(context, slope);
  // Its kernel for float16 is float32's, between casts, which would cost more.
  const isFloat = constantIn(context, slope)?.dataType === DataType.FLOAT;
  const before = context.graph.producer(value);
  if (before?.opType !== 'Conv' || !isOnnxDomain(before.domain)) return undefined;
  if (alpha === undefined || !Number.isFinite(alpha) || !isFloat) return undefined;
  return {
    operator: 'LeakyRelu',
    type: 'float32',
    rewrite() {
      const attributes = { alpha: { float: alpha } };
      const made = makeNode('LeakyRelu', [value], node.output, { name: node.name, attributes });
      context.graph.replace(node, made);
      return made;
    },
  };
}
