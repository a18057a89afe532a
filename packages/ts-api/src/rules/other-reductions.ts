import { labelOf } from '../graph/proto.js';
import { findFlattening, findOtherReduction } from '../rewrite/pooled-image.js';
import type { Answer, Rule } from '../rewrite/rule.js';
import { isSum, summedPlane, summedSide } from '../rewrite/sums.js';

const extremes = new Set(['ArgMax', 'ArgMin', 'GlobalMaxPool', 'ReduceMax', 'ReduceMin', 'TopK']);

/**
 * Whatever else sums over planes, and no local operator stands for: sums and norms, attention that no other rule can follow. A maximum is
 * no average; as in the published method it stays global, and so does what goes along one side of a plane alone.
 */
export const otherReductions: Rule = {
  name: 'other-reductions',
  seeks: 'anything else that sums over height and width',
  isCertain: () => false,

  recognizes: isSum,

  check(context, node): Answer | undefined {
    const plane = summedPlane(context, node);
    if (extremes.has(node.opType))
      return plane && { kept: 'a maximum or minimum is no average, it stays global' };
    const isReduction = node.opType.startsWith('Reduce') || node.opType === 'LpNormalization';
    const flattening = isReduction ? findFlattening(context, node) : undefined;
    if (flattening)
      return {
        reason: `its planes are laid in rows by ${labelOf(flattening)}, which cannot be converted yet`,
      };
    if (plane) return { reason: `${node.opType} over height and width cannot be converted yet` };
    const side = isReduction ? summedSide(context, node) : undefined;
    if (side === undefined) return undefined;
    const first = findOtherReduction(context, node, side);
    if (!first) return { kept: 'it goes along one side of the plane alone, it stays global' };
    return {
      reason: `it reduces height and width one after the other, with ${labelOf(first)}, which cannot be converted yet`,
    };
  },
};
