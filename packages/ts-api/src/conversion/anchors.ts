// What may anchor a network to the whole image: a piece of it is cut elsewhere then, or looked at elsewhere.
import type { Graph } from '../graph/graph.js';
import type { Growth } from '../graph/growth.js';
import { attributeOf, intOf, isOnnxDomain, labelOf, type NodeProto, textOf } from '../graph/proto.js';

/** What is left of a side that loses its border, or what it was filled up with, at least; a half is a part. */
const wholeShare = 0.75;

/** The axes of a value along the sides of the image. */
function sidesOf(growth: Growth, value: string): number[] {
  return growth
    .along(value)
    .flatMap((follows, axis) => (follows === 'rows' || follows === 'columns' ? [axis] : []));
}

/** Whether it takes a part of the image that depends on where the image ends. */
function takesPart({ input, output }: NodeProto, growth: Growth): boolean {
  const [from = ''] = input;
  return output.some((part) => {
    const [before, after] = [growth.lengths(from), growth.lengths(part)];
    if (before.length !== after.length) return false;
    return sidesOf(growth, from).some((axis) =>
      (after[axis] ?? []).every((length, at) => length < wholeShare * (before[axis]?.[at] ?? 0)),
    );
  });
}

function joinsParts(node: NodeProto, growth: Growth): boolean {
  const [made = ''] = node.output;
  const rank = growth.along(made).length;
  const axis = intOf(node, 'axis', 1);
  const growing = node.input.filter((one) => sidesOf(growth, one).includes(axis < 0 ? axis + rank : axis));
  return growing.length > 1;
}

/** Whether pixels are looked up at places that depend on the size of the whole. */
function alignsCorners(node: NodeProto, growth: Growth): boolean {
  if (!attributeOf(node, 'coordinate_transformation_mode')) return false;
  const mode = textOf(node, 'coordinate_transformation_mode');
  return mode === 'align_corners' && sidesOf(growth, node.output[0] ?? '').length > 0;
}

function isAnchor(node: NodeProto, growth: Growth): boolean {
  if (!isOnnxDomain(node.domain)) return false;
  if (node.opType === 'Slice' || node.opType === 'Split') return takesPart(node, growth);
  if (node.opType === 'Concat') return joinsParts(node, growth);
  return node.opType === 'Resize' && alignsCorners(node, growth);
}

/** The first node that may anchor the network; whether it does, only runs can tell. */
export function anchorIn(graph: Graph, growth: Growth): string | undefined {
  const node = graph.nodes.find((one) => isAnchor(one, growth));
  return node && labelOf(node);
}
