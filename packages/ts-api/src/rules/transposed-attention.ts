import type { Graph } from '../graph/graph.js';
import { isOnnxDomain, type NodeProto } from '../graph/proto.js';
import type { Rule, RuleContext } from '../rewrite/rule.js';

/** How many nodes lie between a product and the Reshape that laid the planes in rows, at most. */
const maxSteps = 8;

/** Whether the rows of `value`, of the given length, are planes of an image that some Reshape above laid out. */
function rowsArePlanes(context: RuleContext, value: string, length: number, steps = maxSteps): boolean {
  const { graph, shapes } = context;
  const node = graph.producer(value);
  if (!node || steps === 0 || node.opType === 'MatMul') return false;
  const shape = shapes.get(node.input[0] ?? '') ?? [];
  const [height = 0, width = 0] = shape.slice(-2);
  if (node.opType === 'Reshape' && shape.length >= 4 && height > 1 && width > 1 && height * width === length)
    return true;
  return node.input.some((input) => rowsArePlanes(context, input, length, steps - 1));
}

function isProductOfActivations(graph: Graph, node: NodeProto): boolean {
  if (node.opType !== 'MatMul' && node.opType !== 'Einsum') return false;
  return node.input.length === 2 && node.input.every((input) => !graph.constant(input));
}

/**
 * Attention between channels (Restormer): the product of queries and keys sums over every pixel. Attention between pixels
 * looks alike but sums over channels; the shapes tell them apart.
 */
export const transposedAttention: Rule = {
  name: 'transposed-attention',
  operator: undefined,
  needsShapes: true,

  recognizes(graph, node) {
    return isOnnxDomain(node.domain) && isProductOfActivations(graph, node);
  },

  check(context, node) {
    const [queries = ''] = node.input;
    const length = context.shapes.get(queries)?.at(-1) ?? 0;
    if (!rowsArePlanes(context, queries, length)) return undefined;
    return { reason: 'attention between channels sums over all pixels, and cannot be converted yet' };
  },
};
