import type { NodeProto } from '../graph/proto.js';
import { findLaidImage, type LaidImage } from '../rewrite/laid-images.js';
import { RowRegion } from '../rewrite/row-region.js';
import type { Match, Refusal, Rule, RuleContext } from '../rewrite/rule.js';
import { isProductOfActivations, summedPlane } from '../rewrite/sums.js';
import { runInWindows } from '../rewrite/windowed-rows.js';
import { imageTypes, isImageType } from '../session/image-tensors.js';

/** The image whose pixels a recognised product sums over, which are laid in rows; undefined if it does not, or they are not. */
function imageOf(context: RuleContext, node: NodeProto): LaidImage | undefined {
  const [value = '', axes = []] = summedPlane(context, node) ?? [];
  const pixels = axes.find((axis) => context.growth.of(value, axis) === 'pixels');
  const length = pixels === undefined ? undefined : context.shapes.get(value)?.at(pixels);
  return length === undefined ? undefined : findLaidImage(context, node, length);
}

/**
 * Attention between channels (Restormer): the product of queries and keys sums over every pixel. Attention between pixels
 * looks alike but sums over channels; whether the axis that it sums over grows with the image tells them apart. Several products in one
 * attention are one site, the first of them.
 */
export const transposedAttention: Rule = {
  name: 'transposed-attention',
  seeks: 'products of two activations (MatMul, Gemm, Einsum) that sum over pixels',
  isCertain: () => false,

  recognizes: isProductOfActivations,

  check(context, node): Match | Refusal | undefined {
    const { types } = context;
    const image = imageOf(context, node);
    if (!image) return undefined;
    const region = new RowRegion(context, image);
    const refusal = region.grow(node);
    const covers = new Set([...region.nodes].filter((one) => one !== node));
    if (refusal)
      return { reason: `it sums over pixels like attention between channels, and ${refusal.reason}`, covers };
    const type = types.get(node.input[0] ?? '');
    if (!isImageType(type))
      return { reason: `its queries are ${type}; only ${imageTypes.join(' and ')} can be converted`, covers };
    return {
      featureSize: region.plane,
      operators: ['LocalWindowPartition', 'LocalWindowMerge'],
      type,
      exactOnly: true, // no approximation of it was published
      covers,
      rewrite: ({ window }) => runInWindows(region, window),
    };
  },
};
