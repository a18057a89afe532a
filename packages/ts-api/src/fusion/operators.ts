import { domain } from '../functions/body.js';
import type { Model } from '../graph/model.js';
import type { NodeProto } from '../graph/proto.js';

/** The operators of domain `tlsc` that do the work of several nodes. */
const fusedOperators = new Set([
  'ChannelLayerNormalization',
  'ChannelVarianceNormalization',
  'DepthwiseConv',
  'DepthwiseConvGate',
  'DepthwiseConvGeluGate',
  'LocalInstanceNormalizationLeakyRelu',
  'LocalHalfInstanceNormalizationLeakyRelu',
  'LocalTransposedAttention',
  'LocalTransposedAttentionPointwiseConvAdd',
  'PointwiseConv',
  'PointwiseConvGate',
  'PointwiseConvAdd',
  'LayerNormPointwiseConv',
  'LayerNormPointwiseConvGate',
  'TransposedAttention',
  'TransposedAttentionPointwiseConvAdd',
  'VarianceNormPointwiseConv',
]);

/** The local operators that fused ones do the work of, besides that of other nodes. */
const localOperators: Readonly<Record<string, string | undefined>> = {
  LocalInstanceNormalizationLeakyRelu: 'LocalInstanceNormalization',
  LocalHalfInstanceNormalizationLeakyRelu: 'LocalInstanceNormalization',
  LocalTransposedAttention: 'LocalWindowPartition',
  LocalTransposedAttentionPointwiseConvAdd: 'LocalWindowPartition',
};

/** The local operator that a node is, or does the work of; its own where it is neither. */
export function localOperatorOf({ opType }: NodeProto): string {
  return localOperators[opType] ?? opType;
}

export function isFused(node: NodeProto): boolean {
  return node.domain === domain && fusedOperators.has(node.opType);
}

/** Which of its inputs are weights, if it is a convolution; -1 if it is none. */
export function weightsPlaceOf(node: NodeProto): number {
  if (!isFused(node) || !node.opType.includes('Conv')) return -1;
  if (node.opType.startsWith('LayerNorm')) return 3;
  return /^(VarianceNorm|(Local)?TransposedAttention)/.test(node.opType) ? 2 : 1;
}

/** The nodes that stand for others, fused. */
export function fusedNodesOf(model: Model): NodeProto[] {
  return model.graph.node.filter(isFused);
}
