import { domain } from '../functions/body.js';
import type { Model } from '../graph/model.js';
import type { NodeProto } from '../graph/proto.js';

/** The operators of domain `tlsc` that do the work of several nodes, and have no window. */
const fusedOperators = new Set([
  'ChannelLayerNormalization',
  'ChannelVarianceNormalization',
  'DepthwiseConv',
  'DepthwiseConvGate',
  'DepthwiseConvGeluGate',
]);

export function isFused(node: NodeProto): boolean {
  return node.domain === domain && fusedOperators.has(node.opType);
}

/** Whether it is a convolution, whose second input is weights. */
export function isFusedConv(node: NodeProto): boolean {
  return isFused(node) && node.opType.includes('Conv');
}

/** The nodes that stand for others, fused. */
export function fusedNodesOf(model: Model): NodeProto[] {
  return model.graph.node.filter(isFused);
}
