import { isOnnxDomain, labelOf, type NodeProto } from '../graph/proto.js';
import { findFirstReduction, findFlattening } from '../rewrite/pooled-image.js';
import type { Answer, Rule, RuleContext } from '../rewrite/rule.js';
import { isSum, summedPlane } from '../rewrite/sums.js';

const extremes = new Set(['GlobalMaxPool', 'ReduceMax', 'ReduceMin']);

/** Whether it reduces one side of planes, and not the other. */
function isAlongSide({ graph, growth }: RuleContext, node: NodeProto): boolean {
  const axes = graph.reducedAxes(node) ?? [];
  const followed = axes.map((axis) => growth.of(node.input[0] ?? '', axis));
  return followed.includes('rows') || followed.includes('columns');
}

/**
 * Whatever else sums over planes, and no local operator stands for: sums and norms, attention that no other rule can follow. A maximum is
 * no average; as in the published method it stays global, and so does what goes along one side of a plane alone.
 */
export const otherReductions: Rule = {
  name: 'other-reductions',
  seeks: 'anything else that sums over height and width',
  needsShapes: true,

  recognizes: isSum,

  check(context, node): Answer | undefined {
    const plane = summedPlane(context, node);
    if (extremes.has(node.opType))
      return plane && { kept: 'a maximum or minimum is no average, it stays global' };
    const isReduction = isOnnxDomain(node.domain) && node.opType.startsWith('Reduce');
    const first = isReduction ? findFirstReduction(context, node) : undefined;
    if (first)
      return {
        reason: 'it reduces height and width one after the other, which cannot be converted yet',
        covers: new Set([first]),
      };
    const flattening = isReduction ? findFlattening(context, node) : undefined;
    if (flattening)
      return {
        reason: `its planes are laid in rows by ${labelOf(flattening)}, which cannot be converted yet`,
      };
    if (plane) return { reason: `${node.opType} over height and width cannot be converted yet` };
    if (isReduction && isAlongSide(context, node))
      return { kept: 'it goes along one side of the plane alone, it stays global' };
    return undefined;
  },
};
