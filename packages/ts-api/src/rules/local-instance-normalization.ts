import { floatOf, isOnnxDomain, makeNode } from '../graph/proto.js';
import { findReshaping } from '../rewrite/regrouping.js';
import {
  featureSizeOf,
  imageTypeOf,
  isOfFixedSize,
  type Match,
  type Refusal,
  type Rule,
  windowAttributes,
} from '../rewrite/rule.js';

const operator = 'LocalInstanceNormalization';

/** InstanceNormalization of images. */
export const localInstanceNormalization: Rule = {
  name: 'local-instance-normalization',
  seeks: 'InstanceNormalization',
  isCertain: () => true,

  recognizes(graph, node) {
    // What a Reshape made of an image may be groups of its channels.
    return (
      isOnnxDomain(node.domain) && node.opType === 'InstanceNormalization' && !findReshaping(graph, node)
    );
  },

  check(context, node): Match | Refusal | undefined {
    const { graph } = context;
    if (isOfFixedSize(context, node.input[0] ?? '')) return undefined;
    const type = imageTypeOf(context, node);
    if (typeof type === 'object') return type;
    return {
      featureSize: featureSizeOf(context, node),
      operators: [operator],
      type,
      rewrite(window) {
        const attributes = {
          ...windowAttributes(window),
          epsilon: { float: floatOf(node, 'epsilon', 1e-5) },
        };
        graph.replace(
          node,
          makeNode(operator, node.input, node.output, { domain: 'tlsc', name: node.name, attributes }),
        );
      },
    };
  },
};
