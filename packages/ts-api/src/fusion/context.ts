import type { Graph } from '../graph/graph.js';
import type { Growth } from '../graph/growth.js';
import type { Shapes } from '../graph/measure.js';
import { isOnnxDomain, type NodeProto } from '../graph/proto.js';
import type { ImageType } from '../session/image-tensors.js';

/** What fusing sees of a model. */
export interface FusionContext {
  readonly graph: Graph;
  readonly opset: number;
  /**
   * What shapes the values of the graph had at each size that it was seen at, and for two images; those that an edit has made have none.
   */
  readonly looks: readonly Shapes[];
  readonly growth: Growth;
  /** Values that whoever runs the model may set: initializers that are inputs, too. */
  readonly changeable: ReadonlySet<string>;
}

/** Nodes that one operator does the work of. */
export interface Fusion {
  readonly operator: string;
  /** The element type of what it works on. */
  readonly type: ImageType;
  /** Edits the graph; what stands there now is returned. */
  rewrite(): NodeProto;
}

/** As many nodes as what is asked of a shape may go through. */
const mostOfShape = 256;

/** Whether all that is computed of a shape ends in these nodes, and goes with them. */
function servesOnly({ graph }: FusionContext, shape: NodeProto, ends: readonly NodeProto[]): boolean {
  const serving = new Set([shape]);
  for (const { output } of serving) {
    for (const value of output) {
      const readers = graph.consumers(value);
      if (readers.length === 0 || graph.isOutput(value) || serving.size > mostOfShape) return false;
      for (const reader of readers) if (!ends.includes(reader)) serving.add(reader);
    }
  }
  return true;
}

/** Whether nothing but these nodes reads the value, or asks for its shape but for them. */
export function isReadBy(context: FusionContext, value: string, by: readonly NodeProto[]): boolean {
  const { graph } = context;
  const isOwn = (reader: NodeProto) =>
    by.includes(reader) || (reader.opType === 'Shape' && servesOnly(context, reader, by));
  return !graph.isOutput(value) && graph.consumers(value).every(isOwn);
}

/** The one node of this kind that reads a value, if nothing else does. */
export function onlyReader(context: FusionContext, value: string, opType: string): NodeProto | undefined {
  const reader = context.graph.consumers(value).find((one) => one.opType === opType);
  return reader && isOnnxDomain(reader.domain) && isReadBy(context, value, [reader]) ? reader : undefined;
}

/**
 * The node that a fused one is named after, and has the notes of: the one that it does the work of, or where that has no name the last of
 * those whose place it takes.
 */
export function namesake(node: NodeProto, last: NodeProto): NodeProto {
  return node.name === '' ? last : node;
}

/** Whether the value is images, N×C×H×W, of more than one channel, whose planes follow those that the model is given. */
export function isImage({ growth, looks: [look] }: FusionContext, value: string): boolean {
  const shape = look?.get(value);
  return (
    shape?.length === 4 &&
    (shape[1] ?? 0) > 1 &&
    growth.of(value, 1) === undefined &&
    growth.arePlane(value, 2, 3)
  );
}
