import type { NodeProto } from '../graph/proto.js';
import { type RuleContext, shapeOf } from './rule.js';

/** The image whose planes a Reshape lays in rows, before any Reshapes above that keep planes; undefined if it lays none. */
export function laidImage(context: RuleContext, node: NodeProto): string | undefined {
  const { graph, growth } = context;
  let [image = ''] = node.input;
  const shape = shapeOf(context, image) ?? [];
  const [height = 0, width = 0] = shape.slice(-2);
  const length = shapeOf(context, node.output[0] ?? '')?.at(-1);
  if (node.opType !== 'Reshape' || shape.length < 4 || height * width !== length) return undefined;
  if (height === 1 || width === 1 || !growth.endsInPlane(image)) return undefined;
  for (let above = graph.producer(image); above?.opType === 'Reshape'; above = graph.producer(image)) {
    const before = shapeOf(context, above.input[0] ?? '') ?? [];
    if (before.length < 4 || before.slice(-2).join() !== `${height},${width}`) break;
    [image = ''] = above.input;
  }
  return image;
}

/**
 * The image nearest above the node whose planes are laid in rows of `length` pixels; if there is none, the nearest that is laid in rows,
 * which may have become longer since.
 */
export function findLaidImage(context: RuleContext, node: NodeProto, length: number): string | undefined {
  const seen = new Set([node]);
  let nearest: string | undefined;
  for (const next of seen) {
    const image = laidImage(context, next);
    if (image !== undefined && shapeOf(context, next.output[0] ?? '')?.at(-1) === length) return image;
    nearest ??= image;
    for (const above of next.input.map((value) => context.graph.producer(value))) if (above) seen.add(above);
  }
  return nearest;
}
