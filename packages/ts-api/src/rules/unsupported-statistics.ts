import { isOnnxDomain } from '../graph/proto.js';
import type { Rule } from '../rewrite/rule.js';
import { summedPlane } from '../rewrite/sums.js';
import { isTraining } from './local-instance-normalization.js';

const operators = new Set(['GlobalLpPool', 'MeanVarianceNormalization']);
const quantized = 'QLinearGlobalAveragePool';

/** Operators that are global statistics by their definition and for which there is no local one. */
export const unsupportedStatistics: Rule = {
  name: 'unsupported-statistics',
  seeks:
    'MeanVarianceNormalization, GlobalLpPool, quantized means of planes, and BatchNormalization in training mode',
  isCertain: () => true,

  recognizes(_graph, node) {
    if (node.domain === 'com.microsoft') return node.opType === quantized;
    return isOnnxDomain(node.domain) && (operators.has(node.opType) || isTraining(node));
  },

  check(context, node) {
    if (node.opType === 'MeanVarianceNormalization' && !summedPlane(context, node)) return undefined;
    if (isTraining(node))
      return { reason: 'it is in training mode and normalizes by the image; export the model for inference' };
    if (node.opType === quantized)
      return {
        reason: `${node.opType} works on quantized values and cannot be converted; convert the model first, then quantize it`,
      };
    return { reason: `${node.opType} cannot be converted` };
  },
};
