import { isOnnxDomain } from '../graph/proto.js';
import type { Rule } from '../rewrite/rule.js';

const reasons: Readonly<Record<string, string>> = {
  MeanVarianceNormalization: 'MeanVarianceNormalization cannot be converted',
  GlobalLpPool: 'GlobalLpPool cannot be converted',
};

/** Operators that are global statistics by their definition and for which there is no local one. */
export const unsupportedStatistics: Rule = {
  name: 'unsupported-statistics',
  seeks: 'MeanVarianceNormalization and GlobalLpPool',
  needsShapes: false,

  recognizes(_graph, node) {
    return isOnnxDomain(node.domain) && Object.hasOwn(reasons, node.opType);
  },

  check(_context, node) {
    return { reason: reasons[node.opType] ?? '' };
  },
};
