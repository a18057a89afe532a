import { domain } from './functions/body.js';
import type { Model } from './graph/model.js';
import { intsOf, type NodeProto } from './graph/proto.js';
import type { Size } from './size.js';

/** The nodes that a conversion has put into the model. */
export function localNodesOf(model: Model): NodeProto[] {
  return model.graph.node.filter((node) => node.domain === domain);
}

/** The window of a local operator. */
export function windowOf(node: NodeProto): Size {
  const [height = 0, width = 0] = intsOf(node, 'kernel_shape') ?? [];
  return [height, width];
}
