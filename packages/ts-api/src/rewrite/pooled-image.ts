// Planes are reduced at once, one side after the other, or laid in rows first.
import type { Graph } from '../graph/graph.js';
import { intOf, isOnnxDomain, type NodeProto, reducesAll } from '../graph/proto.js';
import type { RuleContext } from './rule.js';
import { isSum, summedSide } from './sums.js';

function isImage({ graph, shapes, windowed }: RuleContext, value: string): boolean {
  const shape = shapes.get(value);
  const producer = graph.producer(value);
  return (
    shape?.length === 4 && shape.slice(2).some((side) => side > 1) && !(producer && windowed.has(producer))
  );
}

/** Whether these are the last two of four axes, and no others. */
export function areHeightAndWidth(axes: readonly number[]): boolean {
  const normal = axes.map((axis) => (axis < 0 ? axis + 4 : axis)).sort();
  return normal.join() === '2,3';
}

/** Whether the node takes the means of planes, [N, C, 1, 1], going by operator and attributes. */
export function isPlaneMean(graph: Graph, node: NodeProto): boolean {
  if (!isOnnxDomain(node.domain)) return false;
  if (node.opType === 'GlobalAveragePool') return true;
  if (node.opType !== 'ReduceMean' || intOf(node, 'keepdims', 1) === 0) return false;
  return areHeightAndWidth(graph.reducedAxes(node) ?? []);
}

/** Whether height and width are both among the axes of a reduction of an image N×C×H×W. */
function reducesPlane(graph: Graph, node: NodeProto): boolean {
  if (node.opType.startsWith('Global')) return true;
  const axes = graph.reducedAxes(node);
  if (!axes || reducesAll(node, axes)) return true;
  const normal = axes.map((axis) => (axis < 0 ? axis + 4 : axis));
  return normal.includes(2) && normal.includes(3);
}

/** The Reshape or Flatten that laid the planes of an image in rows, when the node reduces just these rows. */
export function findFlattening(context: RuleContext, node: NodeProto): NodeProto | undefined {
  const { graph, shapes } = context;
  const [input = ''] = node.input;
  const rank = shapes.get(input)?.length ?? 0;
  const axes = graph.reducedAxes(node) ?? [];
  const reshape = graph.producer(input);
  if (axes.length !== 1 || (axes[0] !== -1 && axes[0] !== rank - 1)) return undefined;
  if (reshape?.opType !== 'Reshape' && reshape?.opType !== 'Flatten') return undefined;
  const [image = ''] = reshape.input;
  const [batch, channels, height = 1, width = 1] = shapes.get(image) ?? [];
  const rows = [batch, channels, height * width].join();
  return isImage(context, image) && shapes.get(input)?.join() === rows ? reshape : undefined;
}

/**
 * Whether what the node reads was made by reducing the other side of the image than `side`, by a node of any kind, with whatever steps
 * between that leave that side as it is: reduced.
 */
export function findOtherReduction(
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

/** The node of the same kind that has reduced one side of the planes of an image of which the node reduces the other. */
export function findFirstReduction(context: RuleContext, node: NodeProto): NodeProto | undefined {
  const { graph } = context;
  const first = graph.producer(node.input[0] ?? '');
  if (first?.opType !== node.opType || !isImage(context, first.input[0] ?? '')) return undefined;
  const [firstAxes, axes] = [graph.reducedAxes(first) ?? [], graph.reducedAxes(node) ?? []];
  const taken = firstAxes.map((axis) => (axis + 4) % 4);
  const left = [0, 1, 2, 3].filter((axis) => intOf(first, 'keepdims', 1) === 1 || !taken.includes(axis));
  // The axes as the image has them: sizes alone would take channels for width where there are as many.
  const then = axes.map((axis) => left.at(axis) ?? -1);
  return areHeightAndWidth([...taken, ...then]) ? first : undefined;
}

/** The image of whose planes a GlobalAveragePool or ReduceMean takes the mean, in one step or in two; undefined for other means. */
export function pooledImageOf(context: RuleContext, node: NodeProto): string | undefined {
  const [input = ''] = node.input;
  if (node.opType !== 'GlobalAveragePool' && node.opType !== 'ReduceMean') return undefined;
  if (isImage(context, input) && reducesPlane(context.graph, node)) return input;
  return (findFlattening(context, node) ?? findFirstReduction(context, node))?.input[0];
}
