// Puts operators that do their work in one pass in the place of nodes that take several.
import { Graph } from '../graph/graph.js';
import { Growth } from '../graph/growth.js';
import type { Model } from '../graph/model.js';
import { labelOf, type NodeProto } from '../graph/proto.js';
import type { TwoSizes } from '../graph/two-sizes.js';
import type { ImageType } from '../session/image-tensors.js';
import { channelNormalization } from './channel-normalization.js';
import type { FusionContext } from './context.js';
import { depthwiseConv } from './depthwise-conv.js';
import { pointwiseConv } from './pointwise-conv.js';

/** Nodes that were fused. */
export interface Fused {
  /** Name of the last of them, or its operator and output where it has none. */
  readonly node: string;
  /** The operator of domain `tlsc` that stands there now. */
  readonly operator: string;
  readonly type: ImageType;
}

/** What is seen of a model whose nodes have been edited since it was seen at two sizes. */
export function fusionContext(model: Model, sizes: TwoSizes): FusionContext {
  const graph = new Graph(model.graph, model.externalDataFolder);
  // Where it fails at the other size, of values behind that one alone is known.
  const seen = sizes.filter(({ failure }) => !failure);
  return { graph, looks: seen.map(({ shapes }) => shapes), growth: new Growth(sizes) };
}

/** Those of later passes take up what earlier ones have put in place. */
const passes = [[channelNormalization, depthwiseConv], [pointwiseConv]];

/** Edits the graph. What no fusion recognises stays as it is. */
export function fuse(context: FusionContext): Fused[] {
  const { graph } = context;
  const made = new Map<NodeProto, Fused>();
  for (const pass of passes) {
    for (const node of [...graph.nodes]) {
      // An earlier fusion has taken it up.
      if (graph.producer(node.output[0] ?? '') !== node) continue;
      for (const find of pass) {
        const found = find(context, node);
        if (!found) continue;
        const { operator, type } = found;
        const label = labelOf(found.node);
        made.set(found.rewrite(), { node: label, operator, type });
        break;
      }
    }
  }
  return [...made].flatMap(([node, fused]) => (graph.positionOf(node) < 0 ? [] : [fused]));
}
