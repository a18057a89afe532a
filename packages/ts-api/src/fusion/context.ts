import type { Graph } from '../graph/graph.js';
import type { Growth } from '../graph/growth.js';
import type { Shapes } from '../graph/measure.js';
import type { NodeProto } from '../graph/proto.js';
import type { ImageType } from '../session/image-tensors.js';

/** What fusing sees of a model. */
export interface FusionContext {
  readonly graph: Graph;
  /** What shapes the values of the graph had at each size that it was seen at; those that an edit has made have none. */
  readonly looks: readonly Shapes[];
  readonly growth: Growth;
}

/** Nodes that one operator does the work of. */
export interface Fusion {
  readonly operator: string;
  /** The element type of what it works on. */
  readonly type: ImageType;
  /** The last of them, in whose place the operator comes. */
  readonly node: NodeProto;
  /** Edits the graph; what stands there now is returned. */
  rewrite(): NodeProto;
}

/** Whether nothing but these nodes reads the value. */
export function isReadBy({ graph }: FusionContext, value: string, by: readonly NodeProto[]): boolean {
  return !graph.isOutput(value) && graph.consumers(value).every((reader) => by.includes(reader));
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
