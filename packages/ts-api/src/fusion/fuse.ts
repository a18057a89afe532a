// Puts operators that do their work in one pass in the place of nodes that take several.
import { lowestMixedOpset, lowestOpset } from '../functions/body.js';
import { Graph } from '../graph/graph.js';
import { Growth } from '../graph/growth.js';
import type { Shapes } from '../graph/measure.js';
import { type Model, opsetOf } from '../graph/model.js';
import { labelOf, type NodeProto } from '../graph/proto.js';
import type { TwoSizes } from '../graph/two-sizes.js';
import type { ImageType } from '../session/image-tensors.js';
import { channelNormalization } from './channel-normalization.js';
import type { Fusion, FusionContext } from './context.js';
import { depthwiseConv } from './depthwise-conv.js';
import { instanceNormalization } from './instance-normalization.js';
import { leakyRelu } from './leaky-relu.js';
import { pointwiseConv } from './pointwise-conv.js';
import { transposedAttention } from './transposed-attention.js';

/** Nodes that were fused. */
export interface Fused {
  /** Name of what stands there now, or its operator and output where it has none. */
  readonly node: string;
  /** It is of domain `tlsc`, but for ONNX's own LeakyRelu. */
  readonly operator: string;
  readonly type: ImageType;
}

/** What was seen of a model before its nodes were edited: at two sizes, and for two images where it takes them. */
export interface Seen {
  readonly sizes: TwoSizes;
  readonly two: { readonly shapes: Shapes } | undefined;
}

export function fusionContext(model: Model, { sizes, two }: Seen): FusionContext {
  const graph = new Graph(model.graph, model.externalDataFolder);
  // Where it fails at the other size, of values behind that one alone is known.
  const seen = [...sizes.filter(({ failure }) => !failure), ...(two ? [two] : [])];
  return {
    graph,
    // Bodies are written in no older one.
    opset: Math.max(opsetOf(model), lowestOpset),
    looks: seen.map(({ shapes }) => shapes),
    growth: new Growth(sizes),
    changeable: new Set(model.graph.input.map(({ name }) => name)),
  };
}

/** Those of later passes take up what earlier ones have put in place. */
const passes = [
  [channelNormalization, depthwiseConv, transposedAttention, leakyRelu],
  [instanceNormalization, pointwiseConv],
];

/** Edits the graph. What no fusion recognises stays as it is. */
export function fuse(context: FusionContext): Fused[] {
  const { graph, opset } = context;
  const made = new Map<NodeProto, Pick<Fused, 'operator' | 'type'>>();
  // One body is for one type, unless it can be for both.
  const types = new Map<string, ImageType>();
  const isOfOtherType = ({ operator, type }: Fusion) =>
    opset < lowestMixedOpset && (types.get(operator) ?? type) !== type;
  for (const pass of passes) {
    for (const node of [...graph.nodes]) {
      // An earlier fusion has taken it up.
      if (graph.producer(node.output[0] ?? '') !== node) continue;
      for (const find of pass) {
        const found = find(context, node);
        if (!found || isOfOtherType(found)) continue;
        const { operator, type } = found;
        types.set(operator, type);
        made.set(found.rewrite(), { operator, type });
        break;
      }
    }
  }
  return [...made].flatMap(([node, fused]) =>
    graph.positionOf(node) < 0 ? [] : [{ node: labelOf(node), ...fused }],
  );
}
