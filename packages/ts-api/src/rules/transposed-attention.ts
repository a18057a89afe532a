import type { Graph } from '../graph/graph.js';
import { isOnnxDomain, type NodeProto } from '../graph/proto.js';
import type { Rule, RuleContext } from '../rewrite/rule.js';

/** How far up a node is looked for: scaling, temperature, normalisation and transposition lie between. */
const maxSteps = 6;

function findAbove(
  graph: Graph,
  value: string,
  opTypes: readonly string[],
  steps = maxSteps,
): NodeProto | undefined {
  const node = graph.producer(value);
  if (!node || steps === 0) return undefined;
  if (opTypes.includes(node.opType)) return node;
  for (const input of node.input) {
    const found = findAbove(graph, input, opTypes, steps - 1);
    if (found) return found;
  }
  return undefined;
}

function productAbove(graph: Graph, softmax: NodeProto): NodeProto | undefined {
  return findAbove(graph, softmax.input[0] ?? '', ['MatMul', 'Einsum']);
}

/** Whether the product sums over the pixels of a plane that was laid out in a row. */
function sumsOverPixels({ graph, shapes }: RuleContext, product: NodeProto): boolean {
  const [queries = ''] = product.input;
  const length = shapes.get(queries)?.at(-1);
  const layout = findAbove(graph, queries, ['Reshape']);
  const [height = 0, width = 0] = shapes.get(layout?.input[0] ?? '')?.slice(-2) ?? [];
  return height * width === length;
}

/**
 * Attention between channels (Restormer): the product of queries and keys, both L2-normalised, sums over every pixel
 * below its Softmax. Attention between pixels looks alike but sums over channels; the shapes tell them apart.
 */
export const transposedAttention: Rule = {
  name: 'transposed-attention',
  operator: undefined,

  recognizes(graph, node) {
    if (!isOnnxDomain(node.domain) || node.opType !== 'Softmax') return false;
    const product = productAbove(graph, node);
    return product?.input.every((side) => findAbove(graph, side, ['ReduceL2', 'LpNormalization'])) ?? false;
  },

  check(context, node) {
    const product = productAbove(context.graph, node);
    if (!product || !sumsOverPixels(context, product)) return undefined;
    return { reason: 'attention between channels sums over all pixels, and cannot be converted yet' };
  },
};
