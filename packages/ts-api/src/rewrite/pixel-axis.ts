// Which axis of a value is the pixels of planes that were laid in rows. Sizes alone do not tell: a plane of 8 × 8 may have 64
// channels. So an axis, counted from the last, -1, is followed up to where it came about.
import type { Graph } from '../graph/graph.js';
import { intOf, intsOf, isOnnxDomain, type NodeProto, textOf } from '../graph/proto.js';
import { broadcasting, unary } from './pointwise-operators.js';
import { type RuleContext, shapeOf } from './rule.js';

const reshaping = new Set(['Flatten', 'Reshape', 'Squeeze', 'Unsqueeze']);

const product = (sides: readonly number[]) => sides.reduce((all, side) => all * side, 1);

/** All sides after an axis, multiplied: how far apart its elements are. */
function strideOf(shape: readonly number[], axis: number): number {
  return product(shape.slice(shape.length + axis + 1));
}

/** The axis of a shape that has this side, its elements so far apart. */
function axisWith(shape: readonly number[], side: number, stride: number): number | undefined {
  const index = shape.findIndex((one, i) => one === side && strideOf(shape, i - shape.length) === stride);
  return index < 0 ? undefined : index - shape.length;
}

function beforeTranspose(node: NodeProto, rank: number, axis: number): number {
  const perm = intsOf(node, 'perm') ?? Array.from({ length: rank }, (_, i) => rank - 1 - i);
  return (perm[rank + axis] ?? 0) - rank;
}

/** An axis of a value that the axis in question is the same as. */
type Origin = readonly [value: string, axis: number];

/** Where each letter of a term of an Einsum stands, counted from the last. */
function lettersOf(term: string): Map<string, number> {
  const letters = [...term.slice(term.lastIndexOf('.') + 1)];
  return new Map(letters.map((letter, i) => [letter, i - letters.length]));
}

/** The terms of an Einsum, that of its result last; undefined where that is left out. */
export function termsOf(node: NodeProto): string[] | undefined {
  const terms = textOf(node, 'equation').replaceAll(/\s/g, '').split(/,|->/);
  return terms.length === node.input.length + 1 ? terms : undefined;
}

function originsInEinsum(node: NodeProto, axis: number): Origin[] {
  const terms = (termsOf(node) ?? []).map(lettersOf);
  const [letter] = [...(terms.at(-1) ?? [])].find(([, at]) => at === axis) ?? [];
  return node.input.flatMap((value, i): Origin[] => {
    const at = letter === undefined ? undefined : terms[i]?.get(letter);
    return at === undefined ? [] : [[value, at]];
  });
}

/** The axes, of what the node reads, that an axis of its first output is the same as. */
function originsOf(context: RuleContext, node: NodeProto, [value, axis]: Origin): Origin[] {
  const [input = '', other = ''] = node.input;
  const shape = shapeOf(context, value) ?? [];
  const before = shapeOf(context, input) ?? [];
  const [rank, side] = [shape.length, shape.at(axis) ?? 0];
  if (node.opType === 'Transpose') return [[input, beforeTranspose(node, rank, axis)]];
  if (node.opType === 'Einsum') return originsInEinsum(node, axis);
  if (node.opType === 'MatMul') {
    if (axis === -1) return [[other, -1]];
    return axis === -2 ? [[input, -2]] : [];
  }
  const isReduced = node.opType.startsWith('Reduce') && before.length !== rank;
  if (reshaping.has(node.opType) || isReduced) {
    const from = axisWith(before, side, strideOf(shape, axis));
    return from === undefined ? [] : [[input, from]];
  }
  if (node.opType === 'Gather') {
    const gathered = intOf(node, 'axis', 0);
    const first = gathered < 0 ? gathered + before.length : gathered;
    const behind = rank + axis >= first + (shapeOf(context, other)?.length ?? 0);
    if (behind) return [[input, axis]];
    return rank + axis < first ? [[input, rank + axis - before.length]] : [];
  }
  // Parts of an axis are that axis, too.
  if (node.opType === 'Concat') return node.input.map((one) => [one, axis]);
  if (node.opType === 'Slice' || node.opType === 'Split') return [[input, axis]];
  const read = node.opType === 'Expand' ? [input] : node.input;
  return read.filter((one) => shapeOf(context, one)?.at(axis) === side).map((one) => [one, axis]);
}

/** Whether height and width are the last two axes of an image, in this order. */
function isUpright(context: RuleContext, image: string): boolean {
  const { graph } = context;
  const passed = new Set<string>();
  let [value, rows, columns] = [image, -2, -1];
  while (!passed.has(value)) {
    passed.add(value);
    const node = graph.producer(value);
    const shape = shapeOf(context, value) ?? [];
    if (!node || !isOnnxDomain(node.domain)) break;
    if (node.opType === 'Transpose') {
      [rows, columns] = [rows, columns].map((axis) => beforeTranspose(node, shape.length, axis)) as [
        number,
        number,
      ];
    } else if (reshaping.has(node.opType)) {
      // Of images with blocks of pixels in axes of their own it cannot be told: better refused than left by mistake.
      return shape.length !== 4 || columns === rows + 1;
    } else if (!unary.has(node.opType) && !broadcasting.has(node.opType)) break;
    value = node.input.find((one) => product(shapeOf(context, one) ?? []) === product(shape)) ?? '';
  }
  return rows === -2 && columns === -1;
}

/** The image whose planes a Reshape lays in rows, before any Reshapes above that keep planes; undefined if it lays none. */
export function laidImage(context: RuleContext, node: NodeProto): string | undefined {
  const { graph } = context;
  let [image = ''] = node.input;
  const shape = shapeOf(context, image) ?? [];
  const [height = 0, width = 0] = shape.slice(-2);
  const length = shapeOf(context, node.output[0] ?? '')?.at(-1);
  if (node.opType !== 'Reshape' || shape.length < 4 || height * width !== length) return undefined;
  if (height === 1 || width === 1 || !isUpright(context, image)) return undefined;
  for (let above = graph.producer(image); above?.opType === 'Reshape'; above = graph.producer(image)) {
    const before = shapeOf(context, above.input[0] ?? '') ?? [];
    if (before.length < 4 || before.slice(-2).join() !== `${height},${width}`) break;
    [image = ''] = above.input;
  }
  return image;
}

/** Whether it multiplies two activations: attention does, layers do not. */
export function isProductOfActivations(graph: Graph, node: NodeProto): boolean {
  if (!isOnnxDomain(node.domain) || (node.opType !== 'MatMul' && node.opType !== 'Einsum')) return false;
  return node.input.length === 2 && node.input.every((input) => !graph.constant(input));
}

/**
 * The Reshape that laid planes in rows whose pixels are this axis of the value; undefined where the axis is anything else, or came
 * through a product of activations where these are not to be passed.
 */
export function findLaying(
  context: RuleContext,
  value: string,
  axis: number,
  { pastProducts = true } = {},
): NodeProto | undefined {
  const seen = new Set<string>();
  const waiting: Origin[] = [[value, axis]];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const [name, at] = next;
    const node = context.graph.producer(name);
    if (!node || !isOnnxDomain(node.domain) || seen.has(`${at} ${name}`)) continue;
    seen.add(`${at} ${name}`);
    if (at === -1 && laidImage(context, node) !== undefined) return node;
    if (!pastProducts && isProductOfActivations(context.graph, node)) continue;
    waiting.push(...originsOf(context, node, next).toReversed());
  }
  return undefined;
}

/** The axes, of both operands, that a product (MatMul, Einsum) sums over. */
export function summedAxes(node: NodeProto): (readonly [first: number, second: number])[] {
  if (node.opType === 'MatMul') return [[-1, -2]];
  const [queries, keys, result] = (termsOf(node) ?? []).map(lettersOf);
  return [...(queries ?? [])].flatMap(([letter, first]) => {
    const second = keys?.get(letter);
    return second === undefined || result?.has(letter) ? [] : [[first, second] as const];
  });
}
