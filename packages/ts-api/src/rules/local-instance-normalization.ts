import { floatOf, isOnnxDomain, makeNode, type NodeProto } from '../graph/proto.js';
import {
  featureSizeOf,
  imageTypeOf,
  type Match,
  type Refusal,
  type Rule,
  type RuleContext,
  windowAttributes,
} from '../rewrite/rule.js';

const operator = 'LocalInstanceNormalization';

/** Whether the node normalizes what a Reshape has made of an image with other planes. */
function isRegrouped({ graph, shapes }: RuleContext, node: NodeProto): boolean {
  const [input = ''] = node.input;
  const reshape = graph.producer(input);
  if (reshape?.opType !== 'Reshape') return false;
  const image = shapes.get(reshape.input[0] ?? '');
  const area = (shape: readonly number[] | undefined) =>
    shape?.slice(2).reduce((product, side) => product * side, 1);
  return image?.length === 4 && area(image) !== area(shapes.get(input));
}

/** InstanceNormalization of images. */
export const localInstanceNormalization: Rule = {
  name: 'local-instance-normalization',
  seeks: 'InstanceNormalization',
  operator,
  needsShapes: false,

  recognizes(_graph, node) {
    return isOnnxDomain(node.domain) && node.opType === 'InstanceNormalization';
  },

  check(context, node): Match | Refusal {
    const { graph } = context;
    // Exporters write group normalization as InstanceNormalization of a tensor reshaped to N × groups × rest.
    if (isRegrouped(context, node)) return { reason: 'group normalization cannot be converted yet' };
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
