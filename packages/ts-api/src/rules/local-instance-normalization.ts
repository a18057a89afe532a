import { floatOf, intOf, isOnnxDomain, makeNode, type NodeProto } from '../graph/proto.js';
import { measuredAxes } from '../pooled/starts.js';
import { findReshaping } from '../rewrite/regrouping.js';
import {
  featureSizeOf,
  imageTypeOf,
  isOfFixedSize,
  type Match,
  type Refusal,
  type Rule,
  type RuleContext,
  windowAttributes,
} from '../rewrite/rule.js';

const operator = 'LocalInstanceNormalization';

/** Whether it normalizes by what it reads: over one image it is an instance normalization, which some exporters write so. */
export function isTraining(node: NodeProto): boolean {
  if (!isOnnxDomain(node.domain) || node.opType !== 'BatchNormalization') return false;
  // Below opset 14 it is told by the outputs.
  return intOf(node, 'training_mode', 0) !== 0 || node.output.slice(1).some((value) => value !== '');
}

/** Whether a BatchNormalization in training mode is one of a single image, always, and nothing else is asked of it. */
function isOfOneImage(context: RuleContext, node: NodeProto): boolean {
  const [batch] = measuredAxes(context, node.input[0] ?? '');
  const isAlone = node.output.slice(1).every((value) => !context.graph.isUsed(value));
  return batch?.size === 1 && !batch.isBatch && isAlone;
}

/** InstanceNormalization of images, and BatchNormalization in training mode of one. */
export const localInstanceNormalization: Rule = {
  name: 'local-instance-normalization',
  seeks: 'InstanceNormalization, and BatchNormalization in training mode of one image',
  isCertain: (_graph, node) => node.opType === 'InstanceNormalization',

  recognizes(graph, node) {
    if (isTraining(node)) return true;
    // What a Reshape made of an image may be groups of its channels.
    return (
      isOnnxDomain(node.domain) && node.opType === 'InstanceNormalization' && !findReshaping(graph, node)
    );
  },

  check(context, node): Match | Refusal | undefined {
    const { graph } = context;
    if (isOfFixedSize(context, node.input[0] ?? '')) return undefined;
    if (isTraining(node) && !isOfOneImage(context, node)) return undefined;
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
          makeNode(operator, node.input.slice(0, 3), node.output.slice(0, 1), {
            domain: 'tlsc',
            name: node.name,
            attributes,
          }),
        );
      },
    };
  },
};
