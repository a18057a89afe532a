import type { Graph } from '../graph/graph.js';
import { isOnnxDomain, labelOf, makeNode, type NodeProto, reducesAll } from '../graph/proto.js';
import { findCentering, followPooled, type Product } from '../rewrite/pointwise.js';
import { areHeightAndWidth } from '../rewrite/pooled-image.js';
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
import { summedPlane } from '../rewrite/sums.js';

const operator = 'LocalAveragePool';
const productOperator = 'ReplicateScale';

function isSpatialMean(graph: Graph, node: NodeProto): boolean {
  const axes = graph.reducedAxes(node);
  if (!axes || reducesAll(node, axes)) return true;
  const has = (front: number, back: number) => axes.includes(front) || axes.includes(back);
  // Axes 1 and 2 are height and width where channels come last.
  const channelsLast = axes.length === 2 && axes.includes(1) && axes.includes(2);
  return channelsLast || (has(2, -2) && has(3, -1));
}

function checkAxes(graph: Graph, node: NodeProto): Refusal | undefined {
  if (node.opType !== 'ReduceMean') return undefined;
  const axes = graph.reducedAxes(node);
  if (!axes) return { reason: 'the axes of its mean are computed at run time' };
  if (areHeightAndWidth(axes)) return undefined;
  return { reason: `its mean runs over the axes [${axes.join(', ')}], not over height and width alone` };
}

/** Has the product repeat the pooled value's borders by itself. */
function padInProduct(graph: Graph, { node, position }: Product): void {
  const [s = '', x = ''] = [node.input[position], node.input[1 - position]];
  graph.replace(node, makeNode(productOperator, [x, s], node.output, { domain: 'tlsc', name: node.name }));
}

/**
 * The answer for a node that takes the mean of the planes of `image`, which is its input or was reshaped or reduced to be it; undefined
 * where these are of one size whatever that of the image.
 */
export function localizeMean(
  context: RuleContext,
  node: NodeProto,
  image: string,
): Match | Refusal | undefined {
  const { graph } = context;
  if (isOfFixedSize(context, image)) return undefined;
  const type = imageTypeOf(context, node, image);
  if (typeof type === 'object') return type;
  const centering = findCentering(context, image);
  if (centering) {
    const what = `of what ${labelOf(centering)} has taken a mean off`;
    return {
      reason: `it is the mean ${what}: a normalization written out in a way that cannot be converted`,
    };
  }
  const featureSize = featureSizeOf(context, node, image);
  const branch = followPooled(context, node, image);
  if ('reason' in branch) return branch;
  return {
    featureSize,
    operators: branch.products ? [operator, productOperator] : [operator],
    type,
    validLayers: branch.products && branch.layers.size,
    needs: branch.met,
    rewrite(window) {
      graph.forgetShapes(branch.values);
      for (const edit of branch.edits) edit();
      for (const reshape of branch.reshapes) graph.bypass(reshape);
      for (const product of branch.products ?? []) padInProduct(graph, product);
      const attributes = { ...windowAttributes(window), replicate: branch.products ? 0 : 1 };
      graph.replace(
        node,
        makeNode(operator, [image], node.output, { domain: 'tlsc', name: node.name, attributes }),
      );
    },
  };
}

/** GlobalAveragePool, and ReduceMean over height and width (axes by attribute or input, keepdims or not). */
export const localAveragePool: Rule = {
  name: 'local-average-pool',
  seeks: 'GlobalAveragePool, and ReduceMean over height and width',
  needsShapes: false,

  recognizes(graph, node) {
    if (!isOnnxDomain(node.domain)) return false;
    return (
      node.opType === 'GlobalAveragePool' || (node.opType === 'ReduceMean' && isSpatialMean(graph, node))
    );
  },

  check(context: RuleContext, node): Match | Refusal | undefined {
    const refusal = checkAxes(context.graph, node);
    if (!refusal) return localizeMean(context, node, node.input[0] ?? '');
    return summedPlane(context, node) && refusal;
  },
};
