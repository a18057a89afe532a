import type { Graph } from '../graph/graph.js';
import { intsOf, type NodeProto } from '../graph/proto.js';
import { type RuleContext, shapeOf } from '../rewrite/rule.js';
import { broadcasting, unary } from './pointwise-operators.js';

/** Visits the nodes above `value`, each once, and goes on above those for which `visit` answers true. */
export function walkUp(graph: Graph, value: string, visit: (node: NodeProto) => boolean): void {
  const seen = new Set<NodeProto>();
  const waiting = [value];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const node = graph.producer(name);
    if (!node || seen.has(node)) continue;
    seen.add(node);
    if (visit(node)) waiting.push(...node.input);
  }
}

function isPointwiseConv(context: RuleContext, node: NodeProto): boolean {
  const kernel = shapeOf(context, node.input[1] ?? '')?.slice(2);
  const strides = intsOf(node, 'strides') ?? [1];
  const pads = intsOf(node, 'pads') ?? [0];
  return (
    kernel?.length === 2 &&
    kernel.every((side) => side === 1) &&
    strides.every((step) => step === 1) &&
    pads.every((pad) => pad === 0)
  );
}

/** Whether what the node computes has the planes of what it reads. */
function keepsPlanes(context: RuleContext, node: NodeProto): boolean {
  const { opType } = node;
  if (unary.has(opType) || broadcasting.has(opType)) return true;
  const axes = context.graph.reducedAxes(node);
  if (opType.startsWith('Reduce')) return axes?.length === 1 && (axes[0] === 1 || axes[0] === -3);
  return opType === 'BatchNormalization' || (opType === 'Conv' && isPointwiseConv(context, node));
}

/** Whether `value` is computed from `origin` pixel by pixel, or is it. */
function followsFrom(context: RuleContext, value: string, origin: string): boolean {
  let found = value === origin;
  walkUp(context.graph, value, (node) => {
    const pointwise = keepsPlanes(context, node);
    if (pointwise && node.input.includes(origin)) found = true;
    return pointwise && !found;
  });
  return found;
}

/**
 * Whether two images have one size at any size of the model's images: sizes that are equal at two need not be at a third, but one that
 * follows from the other pixel by pixel always has its size.
 */
export function isTied(context: RuleContext, image: string, other: string): boolean {
  return followsFrom(context, image, other) || followsFrom(context, other, image);
}
