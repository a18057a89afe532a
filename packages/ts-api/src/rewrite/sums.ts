// Nodes that sum over axes of what they read, or take a mean, a norm or a maximum along them, and whether these take in planes.
import type { Graph } from '../graph/graph.js';
import { intOf, isOnnxDomain, type NodeProto, reducesAll, textOf } from '../graph/proto.js';
import { type RuleContext, shapeOf } from './rule.js';

/** An operand, and those of its axes that are summed over. Axes may be negative. */
type Summed = readonly [value: string, axes: readonly number[]];

/** The terms of an Einsum, that of its result last; undefined where that is left out. */
export function termsOf(node: NodeProto): string[] | undefined {
  const terms = textOf(node, 'equation').replaceAll(/\s/g, '').split(/,|->/);
  return terms.length === node.input.length + 1 ? terms : undefined;
}

function summedInEinsum(node: NodeProto): Summed[] {
  const terms = (termsOf(node) ?? []).map((term) => [...term.slice(term.lastIndexOf('.') + 1)]);
  const result = terms.at(-1) ?? [];
  return node.input.map((value, i) => {
    const letters = terms[i] ?? [];
    return [value, letters.flatMap((letter, at) => (result.includes(letter) ? [] : [at - letters.length]))];
  });
}

const products = new Set(['Einsum', 'Gemm', 'MatMul']);
const softmaxes = new Set(['Hardmax', 'LogSoftmax', 'Softmax']);
const attentions = new Set(['Attention', 'MultiHeadAttention']);

/** Whether it multiplies activations by each other: attention does, layers do not. */
export function isProductOfActivations(graph: Graph, node: NodeProto): boolean {
  if (!isOnnxDomain(node.domain) || !products.has(node.opType)) return false;
  const [first = '', second = ''] = node.input;
  return first !== '' && second !== '' && !graph.constant(first) && !graph.constant(second);
}

/** Whether the node is of a kind that `summedPlane` knows, and none of a layer's: its weights do not grow with the image. */
export function isSum(graph: Graph, node: NodeProto): boolean {
  const { domain, opType } = node;
  if (attentions.has(opType)) return isOnnxDomain(domain) || domain === 'com.microsoft';
  if (!isOnnxDomain(domain)) return false;
  if (products.has(opType)) return node.input.length === 1 || isProductOfActivations(graph, node);
  return (
    softmaxes.has(opType) ||
    ['GlobalMaxPool', 'LpNormalization'].includes(opType) ||
    opType.startsWith('Reduce')
  );
}

/** The operands that the node sums over at once; several times where it takes one sum after the other. */
function sumsOf(context: RuleContext, node: NodeProto): readonly (readonly Summed[])[] {
  const { opType } = node;
  const [first = '', second = '', third = ''] = node.input;
  const rankOf = (value: string) => shapeOf(context, value)?.length ?? 0;
  const every = Array.from({ length: rankOf(first) }, (_, axis) => axis);
  if (opType === 'Einsum') return [summedInEinsum(node)];
  if (opType === 'MatMul') {
    const rows = rankOf(second) === 1 ? -1 : -2;
    return [
      [
        [first, [-1]],
        [second, [rows]],
      ],
    ];
  }
  if (opType === 'Gemm') {
    const isTurned = (name: string) => intOf(node, name, 0) !== 0;
    return [
      [
        [first, [isTurned('transA') ? -2 : -1]],
        [second, [isTurned('transB') ? -1 : -2]],
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
  // Below opset 13 a softmax is over all axes from the given one on.
  if (softmaxes.has(opType) && context.opset < 13) return [[[first, every.slice(intOf(node, 'axis', 1))]]];
  if (softmaxes.has(opType) || opType === 'LpNormalization') return [[[first, [intOf(node, 'axis', -1)]]]];
  if (opType === 'GlobalMaxPool') return [[[first, every.slice(2)]]];
  const axes = context.graph.reducedAxes(node);
  return [[[first, !axes || reducesAll(node, axes) ? every : axes]]];
}

/** Whether the node works on windows that a conversion has cut: what is a statistic of these is local. */
function isInWindows(graph: Graph, node: NodeProto): boolean {
  if (!graph.nodes.some(({ opType }) => opType === 'LocalWindowPartition')) return false;
  const seen = new Set([node]);
  for (const { opType, input } of seen) {
    if (opType === 'LocalWindowPartition') return true;
    if (opType === 'LocalWindowMerge') continue;
    for (const above of input.map((value) => graph.producer(value))) if (above) seen.add(above);
  }
  return false;
}

/**
 * The operand whose planes the node sums over, with the axes that take them in; undefined where there is none. Where another axis of an
 * operand grows with the image, too, this is attention between pixels, which gives each pixel its own sum.
 */
export function summedPlane(context: RuleContext, node: NodeProto): Summed | undefined {
  const { graph, growth } = context;
  const grow = (value: string, summed: readonly number[]) => {
    const followed = growth.along(value);
    const axes = summed.map((axis) => (axis < 0 ? axis + followed.length : axis));
    return followed.some((one, axis) => one !== undefined && !axes.includes(axis));
  };
  for (const operands of sumsOf(context, node)) {
    const plane = operands.find(([value, axes]) => growth.takeInPlane(value, axes));
    if (plane && !operands.some(([value, axes]) => grow(value, axes)) && !isInWindows(graph, node))
      return plane;
  }
  return undefined;
}
