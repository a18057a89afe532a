import type { NodeProto } from '../graph/proto.js';
import { findLaying, isProductOfActivations, laidImage, summedAxes } from '../rewrite/pixel-axis.js';
import { isWindows } from '../rewrite/pooled-image.js';
import { RowRegion } from '../rewrite/row-region.js';
import type { Match, Refusal, Rule, RuleContext } from '../rewrite/rule.js';
import { runInWindows } from '../rewrite/windowed-rows.js';
import { imageTypes, isImageType } from '../session/image-tensors.js';
import type { Size } from '../size.js';

interface Planes {
  readonly plane: Size;
  readonly batch: number;
}

/** The planes whose pixels a recognised product sums over; undefined if it does not. */
function planesOf(context: RuleContext, node: NodeProto): Planes | undefined {
  const [queries = '', keys = ''] = node.input;
  for (const [first, second] of summedAxes(node)) {
    const laying = findLaying(context, queries, first, { pastProducts: false });
    // Attention between pixels sums over them too, in the product of its weights, which are a product, and its values.
    const areWeights =
      findLaying(context, keys, second) && !findLaying(context, keys, second, { pastProducts: false });
    const image = (laying && laidImage(context, laying)) ?? '';
    const shape = context.shapes.get(image);
    const [height = 0, width = 0] = shape?.slice(-2) ?? [];
    if (shape && !areWeights && !isWindows(context.graph, image))
      return { plane: [height, width], batch: shape[0] ?? 0 };
  }
  return undefined;
}

/**
 * Attention between channels (Restormer): the product of queries and keys sums over every pixel. Attention between pixels
 * looks alike but sums over channels; where the axis that it sums over comes from tells them apart.
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
