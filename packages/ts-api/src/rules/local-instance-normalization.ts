import { floatOf, isOnnxDomain, makeNode } from '../graph/proto.js';
import type { Match, Refusal, Rule } from '../rewrite/rule.js';

const operator = 'LocalInstanceNormalization';

/** InstanceNormalization of images. */
export const localInstanceNormalization: Rule = {
  name: 'local-instance-normalization',
  operator,

  recognizes(_graph, node) {
    return isOnnxDomain(node.domain) && node.opType === 'InstanceNormalization';
  },

  check({ graph, shapes }, node): Match | Refusal {
    const shape = shapes.get(node.input[0] ?? '');
    if (shape?.length !== 4) {
      // Exporters write GroupNorm as InstanceNormalization of a tensor reshaped to N × groups × rest.
      return {
        reason: `its input has rank ${shape?.length ?? 'unknown'}, not 4 (N×C×H×W); group normalization cannot be converted yet`,
      };
    }
    return {
      featureSize: [shape[2] ?? 0, shape[3] ?? 0],
      rewrite(window) {
        const attributes = { kernel_shape: window, epsilon: { float: floatOf(node, 'epsilon', 1e-5) } };
        graph.replace(
          node,
          makeNode(operator, node.input, node.output, { domain: 'tlsc', name: node.name, attributes }),
        );
      },
    };
  },
};
