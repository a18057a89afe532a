import type { Graph } from '../graph/graph.js';
import { isOnnxDomain, labelOf, type NodeProto, reducesAll } from '../graph/proto.js';
import type { Answer, Rule, RuleContext } from '../rewrite/rule.js';
import { localAveragePool } from './local-average-pool.js';

const extremes = ['GlobalMaxPool', 'ReduceMax', 'ReduceMin'];

function isReduction(node: NodeProto): boolean {
  return isOnnxDomain(node.domain) && (node.opType.startsWith('Reduce') || node.opType === 'GlobalMaxPool');
}

/** Whether height and width are both among the axes of a reduction of an image. */
function reducesPlane(graph: Graph, node: NodeProto): boolean {
  if (node.opType === 'GlobalMaxPool') return true;
  const axes = graph.reducedAxes(node);
  if (!axes || reducesAll(node, axes)) return true;
  const normal = axes.map((axis) => (axis < 0 ? axis + 4 : axis));
  return normal.includes(2) && normal.includes(3);
}

/** The Reshape or Flatten that laid the planes of an image in rows, when the node reduces just these rows. */
function findFlattening({ graph, shapes }: RuleContext, node: NodeProto): NodeProto | undefined {
  const [input = ''] = node.input;
  const rank = shapes.get(input)?.length ?? 0;
  const axes = graph.reducedAxes(node) ?? [];
  const reshape = graph.producer(input);
  if (axes.length !== 1 || (axes[0] !== -1 && axes[0] !== rank - 1)) return undefined;
  if (reshape?.opType !== 'Reshape' && reshape?.opType !== 'Flatten') return undefined;
  const [, , height = 1, width = 1] = shapes.get(reshape.input[0] ?? '') ?? [];
  const rows = shapes.get(reshape.input[0] ?? '')?.length === 4 && height * width > 1;
  return rows && shapes.get(input)?.at(-1) === height * width ? reshape : undefined;
}

/** Whether the node reduces one side of a plane of which its input has lost the other to a reduction of the same kind. */
function finishesReduction({ graph, shapes }: RuleContext, node: NodeProto): boolean {
  const first = graph.producer(node.input[0] ?? '');
  if (first?.opType !== node.opType) return false;
  const image = shapes.get(first.input[0] ?? '');
  const rest = shapes.get(node.output[0] ?? '')?.filter((side) => side !== 1);
  const kept = image?.slice(0, 2).filter((side) => side !== 1);
  return image?.length === 4 && image.slice(2).some((side) => side > 1) && rest?.join() === kept?.join();
}

/**
 * Statistics of whole planes that no local operator stands for: sums and norms, planes reduced one side after the other or
 * laid in a row first. A maximum is no average; as in the published method it stays global.
 */
export const otherReductions: Rule = {
  name: 'other-reductions',
  seeks: 'other reductions over height and width',
  needsShapes: true,

  recognizes(graph, node) {
    return isReduction(node) && !localAveragePool.recognizes(graph, node);
  },

  check(context, node): Answer | undefined {
    const { graph, shapes } = context;
    const isImage = shapes.get(node.input[0] ?? '')?.length === 4;
    const whole = isImage && reducesPlane(graph, node);
    if (extremes.includes(node.opType))
      return whole ? { kept: 'a maximum or minimum is no average, it stays global' } : undefined;
    if (whole) return { reason: `${node.opType} over height and width cannot be converted yet` };
    if (finishesReduction(context, node))
      return { reason: 'it reduces height and width one after the other, which cannot be converted yet' };
    const flattening = findFlattening(context, node);
    if (flattening)
      return {
        reason: `its planes are laid in rows by ${labelOf(flattening)}, which cannot be converted yet`,
      };
    return undefined;
  },
};
