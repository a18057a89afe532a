import { isOnnxDomain, labelOf, type NodeProto, textOf } from '../graph/proto.js';
import { findFirstReduction, findFlattening, reducesPlane } from '../rewrite/pooled-image.js';
import type { Answer, Rule } from '../rewrite/rule.js';

const extremes = ['GlobalMaxPool', 'ReduceMax', 'ReduceMin'];

function isReduction(node: NodeProto): boolean {
  return node.opType.startsWith('Reduce') || node.opType === 'GlobalMaxPool' || sumsOverPlane(node);
}

/** Whether an Einsum sums over the last two of the four axes, or more, of something that it takes: an image, if it is one. */
function sumsOverPlane(node: NodeProto): boolean {
  if (node.opType !== 'Einsum') return false;
  const [terms = '', result = ''] = textOf(node, 'equation').replaceAll(/\s/g, '').split('->');
  const isSummed = (term: string) =>
    term.length === 4 && [...term.slice(-2)].every((letter) => !result.includes(letter));
  return terms.split(',').some(isSummed);
}

/**
 * Statistics of whole planes that no local operator stands for: sums and norms, planes reduced one side after the other or
 * laid in a row first. A maximum is no average; as in the published method it stays global.
 */
export const otherReductions: Rule = {
  name: 'other-reductions',
  seeks: 'other reductions over height and width',
  needsShapes: true,

  recognizes(_graph, node) {
    return isOnnxDomain(node.domain) && isReduction(node);
  },

  check(context, node): Answer | undefined {
    const { graph, shapes } = context;
    const isImage = shapes.get(node.input[0] ?? '')?.length === 4;
    const whole = isImage && (node.opType === 'Einsum' || reducesPlane(graph, node));
    if (extremes.includes(node.opType))
      return whole ? { kept: 'a maximum or minimum is no average, it stays global' } : undefined;
    if (whole) return { reason: `${node.opType} over height and width cannot be converted yet` };
    if (findFirstReduction(context, node))
      return { reason: 'it reduces height and width one after the other, which cannot be converted yet' };
    const flattening = findFlattening(context, node);
    if (flattening)
      return {
        reason: `its planes are laid in rows by ${labelOf(flattening)}, which cannot be converted yet`,
      };
    return undefined;
  },
};
