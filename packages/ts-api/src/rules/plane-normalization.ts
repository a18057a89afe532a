import { intOf, isOnnxDomain } from '../graph/proto.js';
import type { Rule } from '../rewrite/rule.js';
import { layerNorms } from '../rewrite/sums.js';

/**
 * Normalizations by the last axes, where these are height and width, with or without the channels: planes of one size, given by their
 * scale. Over channels alone, as usual, they are no statistics of planes.
 */
export const planeNormalization: Rule = {
  name: 'plane-normalization',
  seeks: 'LayerNormalization and RMSNormalization over height and width',
  isCertain: () => false,

  recognizes(_graph, node) {
    return (isOnnxDomain(node.domain) || node.domain === 'com.microsoft') && layerNorms.has(node.opType);
  },

  check({ shapes, growth }, node) {
    const [input = ''] = node.input;
    const axes = (shapes.get(input) ?? []).map((_, axis) => axis);
    if (!growth.takeInPlane(input, axes.slice(intOf(node, 'axis', -1)))) return undefined;
    return {
      reason: `${node.opType} over height and width has a scale for planes of one size, and cannot be converted`,
    };
  },
};
