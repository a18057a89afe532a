// Nodes that sum over axes of what they read, or take a mean, a norm or a maximum along them, and whether these take in planes.
import type { Graph } from '../graph/graph.js';
import { intOf, intsOf, isOnnxDomain, type NodeProto, reducesAll, textOf } from '../graph/proto.js';
import { type RuleContext, shapeOf } from './rule.js';

/** An operand, and those of its axes that are summed over. Axes may be negative. */
type Summed = readonly [value: string, axes: readonly number[]];

/** The terms of an Einsum's operands, and of its result, which may be left out. */
export function termsOf(node: NodeProto): {
  readonly operands: string[];
  readonly result?: string | undefined;
} {
  const [left = '', result] = textOf(node, 'equation').replaceAll(/\s/g, '').split('->');
  return { operands: left.split(','), result };
}

/** The letter of each axis of an operand of this rank; '.' for those that its term leaves open. */
function lettersOf(term: string, rank: number): string[] {
  const [front = '', back] = term.split('...');
  if (back === undefined) return [...front];
  const open = Math.max(rank - front.length - back.length, 0);
  return [...front, ...'.'.repeat(open), ...back];
}

function summedInEinsum(context: RuleContext, node: NodeProto): Summed[] {
  const { operands: terms, result } = termsOf(node);
  // Without a result it is the letters that occur once, and what is left open.
  const isKept = (letter: string) =>
    result === undefined
      ? letter === '.' || terms.join().split(letter).length === 2
      : result.includes(letter === '.' ? '...' : letter);
  return node.input.map((value, i) => {
    const letters = lettersOf(terms[i] ?? '', shapeOf(context, value)?.length ?? 0);
    return [value, letters.flatMap((letter, axis) => (isKept(letter) ? [] : [axis]))];
  });
}

/** Products, by which of their inputs are multiplied; those of quantized values, too. */
const products: Readonly<Record<string, readonly [number, number] | undefined>> = {
  Einsum: [0, 1],
  FusedMatMul: [0, 1],
  Gemm: [0, 1],
  MatMul: [0, 1],
  MatMulInteger: [0, 1],
  QLinearMatMul: [0, 3],
};
const softmaxes = new Set(['Hardmax', 'LogSoftmax', 'Softmax']);
const attentions = new Set(['Attention', 'MultiHeadAttention']);
const others = new Set([
  'GlobalMaxPool',
  'LpNormalization',
  'MeanVarianceNormalization',
  'QLinearReduceMean',
]);
/** Normalizations over all axes from one on. */
export const layerNorms = new Set(['LayerNormalization', 'RMSNormalization', 'SimplifiedLayerNormalization']);
/** They give the places of largest or smallest values, or just these. */
const searches = new Set(['ArgMax', 'ArgMin', 'TopK']);

function isKnown({ domain }: NodeProto): boolean {
  return isOnnxDomain(domain) || domain === 'com.microsoft';
}

/** Whether it multiplies activations by each other: attention does, layers do not. */
export function isProductOfActivations(graph: Graph, node: NodeProto): boolean {
  const operands = (products[node.opType] ?? []).map((i) => node.input[i] ?? '');
  return (
    isKnown(node) &&
    operands.length === 2 &&
    operands.every((value) => value !== '' && !graph.constant(value))
  );
}

/** Whether the node convolves with activations. */
function isCorrelation(graph: Graph, node: NodeProto): boolean {
  return node.opType === 'Conv' && !graph.isConstant(node.input[1] ?? '');
}

/** Whether the node is of a kind that `summedPlane` knows, and none of a layer's: its weights do not grow with the image. */
export function isSum(graph: Graph, node: NodeProto): boolean {
  const { opType } = node;
  if (!isKnown(node)) return false;
  if (products[opType]) return node.input.length !== 2 || isProductOfActivations(graph, node);
  return (
    [softmaxes, attentions, others, searches].some((kind) => kind.has(opType)) ||
    opType.startsWith('Reduce') ||
    isCorrelation(graph, node)
  );
}

/** The operands that the node sums over at once; several times where it takes one sum after the other. */
function sumsOf(context: RuleContext, node: NodeProto): readonly (readonly Summed[])[] {
  const { opType } = node;
  const [first = '', second = '', third = ''] = node.input;
  const rankOf = (value: string) => shapeOf(context, value)?.length ?? 0;
  const every = Array.from({ length: rankOf(first) }, (_, axis) => axis);
  const isTurned = (name: string) => intOf(node, name, 0) !== 0;
  if (opType === 'Einsum') return [summedInEinsum(context, node)];
  const [, other] = products[opType] ?? [];
  if (other !== undefined) {
    const right = node.input[other] ?? '';
    const rows = rankOf(right) === 1 || isTurned('transB') ? -1 : -2;
    return [
      [
        [first, [isTurned('transA') ? -2 : -1]],
        [right, [rows]],
      ],
    ];
  }
  // Queries and keys over their channels; then values over as many as there are, for each query.
  if (attentions.has(opType))
    return [
      [
        [first, [-1]],
        [second, [-1]],
      ],
      [
        [first, [-1]],
        [third, [-2]],
      ],
    ];
  if (opType === 'Conv') return [[[second, Array.from({ length: rankOf(second) - 1 }, (_, i) => i + 1)]]];
  // Below opset 13 a softmax is over all axes from the given one on.
  if (softmaxes.has(opType) && context.opset < 13) return [[[first, every.slice(intOf(node, 'axis', 1))]]];
  if (softmaxes.has(opType) || opType === 'LpNormalization' || opType === 'TopK')
    return [[[first, [intOf(node, 'axis', -1)]]]];
  if (searches.has(opType)) return [[[first, [intOf(node, 'axis', 0)]]]];
  if (opType === 'MeanVarianceNormalization') return [[[first, intsOf(node, 'axes') ?? [0, 2, 3]]]];
  if (opType === 'GlobalMaxPool') return [[[first, every.slice(2)]]];
  const axes = opType === 'QLinearReduceMean' ? intsOf(node, 'axes') : context.graph.reducedAxes(node);
  return [[[first, !axes || reducesAll(node, axes) ? every : axes]]];
}

/**
 * The operand whose planes the node sums over, with the axes that take them in; undefined where there is none. Where another axis of an
 * operand grows with the image, too, this is attention between pixels, which gives each pixel its own sum.
 */
export function summedPlane(context: RuleContext, node: NodeProto): Summed | undefined {
  const { growth, windowed } = context;
  if (windowed.has(node)) return undefined;
  const grow = (value: string, summed: readonly number[]) => {
    const followed = growth.along(value);
    const axes = summed.map((axis) => (axis < 0 ? axis + followed.length : axis));
    return followed.some((one, axis) => one !== undefined && !axes.includes(axis));
  };
  for (const operands of sumsOf(context, node)) {
    const plane = operands.find(([value, axes]) => growth.takeInPlane(value, axes));
    if (plane && !operands.some(([value, axes]) => grow(value, axes))) return plane;
  }
  return undefined;
}

/** The side of the image that the node sums over alone, in the first that it reads; undefined where there is none. */
export function summedSide(context: RuleContext, node: NodeProto): 'rows' | 'columns' | undefined {
  const [value, axes] = sumsOf(context, node)[0]?.[0] ?? ['', []];
  const followed = axes.map((axis) => context.growth.of(value, axis)).filter((one) => one !== undefined);
  const [side, ...more] = followed;
  return more.length > 0 || side === 'pixels' ? undefined : side;
}
