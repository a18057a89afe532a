import { labelOf, type NodeProto } from '../graph/proto.js';
import type { Answer, Rule, RuleContext } from '../rewrite/rule.js';
import { isSum, summedPlane, summedSide } from '../rewrite/sums.js';

const extremes = new Set(['ArgMax', 'ArgMin', 'GlobalMaxPool', 'ReduceMax', 'ReduceMin', 'TopK']);

/**
 * Whether what the node reads was made by reducing the other side of the image than `side`, by a node of any kind, with whatever steps
 * between that leave that side as it is: reduced.
 */
function findOtherReduction(
  context: RuleContext,
  node: NodeProto,
  side: 'rows' | 'columns',
): NodeProto | undefined {
  const { graph, growth } = context;
  const isReduced = (value: string) => growth.along(value).every((one) => one === undefined || one === side);
  const seen = new Set<NodeProto>();
  const waiting = [node.input[0] ?? ''];
  for (let value = waiting.pop(); value !== undefined; value = waiting.pop()) {
    const above = graph.producer(value);
    if (!above || seen.has(above) || !isReduced(value)) continue;
    seen.add(above);
    const reduced = isSum(graph, above) ? summedSide(context, above) : undefined;
    if (reduced !== undefined && reduced !== side) return above;
    waiting.push(...above.input);
  }
  return undefined;
}

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
