// Instance normalization that is written out: (x - mean) / sqrt(mean((x - mean)²) + epsilon).
import type { Graph } from '../graph/graph.js';
import { intOf, isOnnxDomain, type NodeProto } from '../graph/proto.js';
import { isWeights, weightsOf } from './weights.js';

export interface WrittenNormalization {
  readonly image: string;
  readonly epsilon: number;
  /** The node that computes the result. */
  readonly last: NodeProto;
  /** All its nodes but the last. */
  readonly nodes: ReadonlySet<NodeProto>;
}

/** Whether these are the last two of four axes, and no others. */
function areHeightAndWidth(axes: readonly number[]): boolean {
  const normal = axes.map((axis) => (axis < 0 ? axis + 4 : axis)).sort();
  return normal.join() === '2,3';
}

/** Whether the node takes the means of planes, [N, C, 1, 1], going by operator and attributes. */
function isPlaneMean(graph: Graph, node: NodeProto): boolean {
  if (!isOnnxDomain(node.domain)) return false;
  if (node.opType === 'GlobalAveragePool') return true;
  if (node.opType !== 'ReduceMean' || intOf(node, 'keepdims', 1) === 0) return false;
  return areHeightAndWidth(graph.reducedAxes(node) ?? []);
}

function isOp(node: NodeProto | undefined, ...opTypes: readonly string[]): node is NodeProto {
  return node !== undefined && isOnnxDomain(node.domain) && opTypes.includes(node.opType);
}

/** The one number that a constant holds. */
function numberIn(graph: Graph, value: string | undefined): number | undefined {
  const tensor = graph.constant(value ?? '');
  const values = tensor && isWeights(tensor) ? weightsOf(graph.withValues(tensor)) : [];
  return values.length === 1 ? values[0] : undefined;
}

/** The node as image - mean(image); undefined if it is none. */
function asCentering(graph: Graph, node: NodeProto | undefined) {
  if (!isOp(node, 'Sub')) return undefined;
  const [image = '', taken = ''] = node.input;
  const mean = graph.producer(taken);
  return mean && isPlaneMean(graph, mean) && mean.input[0] === image ? { image, mean, node } : undefined;
}

/** What the node squares; undefined if it does not. */
function squaredBy(graph: Graph, node: NodeProto | undefined): string | undefined {
  const [value, other] = node?.input ?? [];
  if (isOp(node, 'Mul') && value === other) return value;
  return isOp(node, 'Pow') && numberIn(graph, other) === 2 ? value : undefined;
}

/** The one node that reads the value. */
function onlyReader(graph: Graph, value: string | undefined): NodeProto | undefined {
  const readers = graph.consumers(value ?? '');
  return readers.length === 1 && !graph.isOutput(value ?? '') ? readers[0] : undefined;
}

/** The constant that a node adds to `value`. */
function addedTo(graph: Graph, node: NodeProto, value: string): number | undefined {
  return numberIn(
    graph,
    node.input.find((input) => input !== value),
  );
}

/** From the root of a variance on: the quotient by it, or the product with its reciprocal. */
function dividedBy(graph: Graph, root: NodeProto) {
  const next = onlyReader(graph, root.output[0]);
  if (isOp(next, 'Div') && next.input[1] === root.output[0])
    return { last: next, dividend: next.input[0] ?? '', steps: [] };
  const product = isOp(next, 'Reciprocal') ? onlyReader(graph, next.output[0]) : undefined;
  if (!next || !isOp(product, 'Mul')) return undefined;
  const dividend = product.input.find((input) => input !== next.output[0]) ?? '';
  return { last: product, dividend, steps: [next] };
}

/** The normalization of which `variance` is the variance; undefined where it is none, or others read what is computed on the way. */
export function findWrittenNormalization(
  graph: Graph,
  variance: NodeProto,
): WrittenNormalization | undefined {
  if (!isPlaneMean(graph, variance)) return undefined;
  const square = graph.producer(variance.input[0] ?? '');
  const deviation = squaredBy(graph, square);
  const spread = asCentering(graph, graph.producer(deviation ?? ''));
  const [value = ''] = variance.output;
  const raised = onlyReader(graph, value);
  const root = isOp(raised, 'Add') ? onlyReader(graph, raised.output[0]) : undefined;
  if (!square || !spread || !raised || !isOp(root, 'Sqrt')) return undefined;
  const epsilon = addedTo(graph, raised, value);
  const quotient = dividedBy(graph, root);
  const centred = asCentering(graph, graph.producer(quotient?.dividend ?? ''));
  if (epsilon === undefined || !quotient || centred?.image !== spread.image) return undefined;
  const nodes = new Set([
    ...[spread.mean, spread.node, square, variance, raised, root, centred.mean, centred.node],
    ...quotient.steps,
  ]);
  const { last } = quotient;
  const isOwn = (reader: NodeProto) => reader === last || nodes.has(reader);
  const isInner = (name: string) => !graph.isOutput(name) && graph.consumers(name).every(isOwn);
  const isWhole = [...nodes].every(({ output }) => output.every(isInner));
  return isWhole ? { image: spread.image, epsilon, last, nodes } : undefined;
}
