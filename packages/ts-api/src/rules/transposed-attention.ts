import type { Graph } from '../graph/graph.js';
import { isOnnxDomain, type NodeProto } from '../graph/proto.js';
import { isWindows } from '../rewrite/pooled-image.js';
import { RowRegion } from '../rewrite/row-region.js';
import type { Match, Refusal, Rule, RuleContext } from '../rewrite/rule.js';
import { runInWindows } from '../rewrite/windowed-rows.js';
import { imageTypes, isImageType } from '../session/image-tensors.js';
import type { Size } from '../size.js';

/** How many nodes lie between a product and the Reshape that laid the planes in rows, at most. */
const maxSteps = 8;

interface Planes {
  readonly plane: Size;
  readonly batch: number;
}

/** The planes of an image that some Reshape above has laid out as the rows of `value`, of the given length. */
function planesInRows(
  context: RuleContext,
  value: string,
  length: number,
  steps = maxSteps,
): Planes | undefined {
  const { graph, shapes } = context;
  const node = graph.producer(value);
  if (!node || steps === 0 || node.opType === 'MatMul') return undefined;
  const [laid = ''] = node.input;
  const shape = shapes.get(laid) ?? [];
  const [height = 0, width = 0] = shape.slice(-2);
  if (node.opType === 'Reshape' && shape.length >= 4 && height > 1 && width > 1 && height * width === length)
    return isWindows(graph, laid) ? undefined : { plane: [height, width], batch: shape[0] ?? 0 };
  for (const input of node.input) {
    const planes = planesInRows(context, input, length, steps - 1);
    if (planes) return planes;
  }
  return undefined;
}

/** The planes whose pixels a recognised product sums over; undefined if it does not. */
function planesOf(context: RuleContext, node: NodeProto): Planes | undefined {
  const [queries = ''] = node.input;
  return planesInRows(context, queries, context.shapes.get(queries)?.at(-1) ?? 0);
}

function isProductOfActivations(graph: Graph, node: NodeProto): boolean {
  if (!isOnnxDomain(node.domain) || (node.opType !== 'MatMul' && node.opType !== 'Einsum')) return false;
  return node.input.length === 2 && node.input.every((input) => !graph.constant(input));
}

/**
 * Attention between channels (Restormer): the product of queries and keys sums over every pixel. Attention between pixels
 * looks alike but sums over channels; the shapes tell them apart.
 */
export const transposedAttention: Rule = {
  name: 'transposed-attention',
  seeks: 'products of two activations (MatMul, Einsum) that sum over pixels',
  needsShapes: true,

  recognizes: isProductOfActivations,

  check(context, node): Match | Refusal | undefined {
    const { graph, types } = context;
    const planes = planesOf(context, node);
    if (!planes) return undefined;
    const region = new RowRegion(context, planes.plane, planes.batch);
    const refusal = region.grow(node);
    const covers = new Set([...region.nodes].filter((one) => one !== node));
    if (refusal) return { reason: `it is attention between channels, and ${refusal.reason}`, covers };
    const products = graph.nodes.filter((one) => covers.has(one) && isProductOfActivations(graph, one));
    // Several products in one attention are one site, the first of them.
    if (
      products.some((one) => graph.nodes.indexOf(one) < graph.nodes.indexOf(node) && planesOf(context, one))
    )
      return undefined;
    const type = types.get(node.input[0] ?? '');
    if (!isImageType(type))
      return { reason: `its queries are ${type}; only ${imageTypes.join(' and ')} can be converted`, covers };
    return {
      featureSize: planes.plane,
      operators: ['LocalWindowPartition', 'LocalWindowMerge'],
      type,
      exactOnly: true, // no approximation of it was published
      covers,
      rewrite: ({ window }) => runInWindows(region, window),
    };
  },
};
