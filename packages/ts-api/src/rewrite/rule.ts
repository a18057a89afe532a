import type { Graph } from '../graph/graph.js';
import type { Growth } from '../graph/growth.js';
import type { ElementTypes, Measurement, Shapes } from '../graph/measure.js';
import type { NodeProto } from '../graph/proto.js';
import { type ImageType, imageTypes, isImageType } from '../session/image-tensors.js';
import type { Size } from '../size.js';

/** What was found out about other nodes on the way to an answer. */
interface Findings {
  /** Nodes that belong to the same statistic: the rule is not asked of them, and other rules' answers go with this one. */
  readonly covers?: ReadonlySet<NodeProto> | undefined;
}

/** Why a node is not rewritten; starts in lower case, to follow the node's name. */
export interface Refusal extends Findings {
  readonly reason: string;
}

/** The window that a site gets. */
export interface LocalWindow {
  readonly window: Size;
  /** The most rows and columns that fast mode may skip at it; undefined in exact mode. */
  readonly maxStride: Size | undefined;
}

/** A window as the attributes of a local operator. */
export function windowAttributes({ window, maxStride }: LocalWindow) {
  return { kernel_shape: window, ...(maxStride && { max_stride: maxStride }) };
}

/** A node that can be made local, and all that making it so needs. */
export interface Match extends Findings {
  /** Height and width of the plane that the statistic is taken over, at the size measured. */
  readonly featureSize: Size;
  /** The operators of domain `tlsc` that it puts in place. */
  readonly operators: readonly string[];
  /** The element type of the tensors that these work on. */
  readonly type: ImageType;
  /** How many layers will run at the size of the valid windows; undefined where the padding comes before them. */
  readonly validLayers?: number | undefined;
  /** Whether its windows are exact in fast mode, too. Default: false. */
  readonly exactOnly?: boolean | undefined;
  /** Puts the local operator, with this window, in the node's place. */
  rewrite(window: LocalWindow): void;
  /** What is to be done when all sites have been rewritten; the same for all that share it, and done once. */
  finish?(): void;
}

/** What was seen of a model in one run. */
export type Look = Pick<Measurement, 'shapes' | 'values'>;

/**
 * What a rule sees: the graph, the shapes of its values at one image size and what their axes follow, the types of what recognised nodes
 * read.
 */
export interface RuleContext {
  readonly graph: Graph;
  readonly opset: number;
  readonly shapes: Shapes;
  /** For one image, and for two at once; the same where it takes so many and no other, undefined where two are too many after all. */
  readonly batched: { readonly one: Look; readonly two: Look } | undefined;
  /** At the training size, at another, and at a small odd one where the model runs at that. */
  readonly looks: readonly (Look & { readonly size: Size })[];
  readonly growth: Growth;
  /** What works on windows that an earlier conversion has cut. */
  readonly windowed: ReadonlySet<NodeProto>;
  readonly types: ElementTypes;
}

/** A global statistic that stays as it is, by design; lower case like a refusal's reason. */
export interface Kept extends Findings {
  readonly kept: string;
}

export type Answer = Match | Refusal | Kept;

/** How one kind of global statistic becomes local. Asks, and edits nothing until `Match.rewrite`. */
export interface Rule {
  readonly name: string;
  /** The nodes that it recognises, in words. */
  readonly seeks: string;
  /** Whether the node looks like a statistic of this kind, going by operators and attributes alone. */
  recognizes(graph: Graph, node: NodeProto): boolean;
  /** Whether a recognised node is a global statistic for certain, whatever its shapes. */
  isCertain(graph: Graph, node: NodeProto): boolean;
  /** What can be done about a recognised node; undefined when its shapes show that it is no global statistic. */
  check(context: RuleContext, node: NodeProto): Answer | undefined;
}

export function isRefusal(answer: object): answer is Refusal {
  return 'reason' in answer;
}

export function isMatch(answer: Answer): answer is Match {
  return 'rewrite' in answer;
}

/**
 * The element type of the node's input, which must be an image, N×C×H×W, in float32 or float16; a refusal where it is not.
 * `image` is what the input was before it was reshaped.
 */
export function imageTypeOf(
  { growth, shapes, types }: RuleContext,
  node: NodeProto,
  image = node.input[0] ?? '',
): ImageType | Refusal {
  const [input = ''] = node.input;
  const rank = shapes.get(image)?.length;
  if (rank !== 4) return { reason: `its input has rank ${rank ?? 'unknown'}, not 4 (N×C×H×W)` };
  const [, channels, height, width] = growth.along(image);
  if (channels !== undefined || height === 'pixels' || width === 'pixels')
    return { reason: 'its input has four axes, but is no image, N×C×H×W: others grow with the image' };
  if (height === 'columns' && width === 'rows') return { reason: 'its input is turned, N×C×W×H' };
  const type = types.get(input);
  if (isImageType(type)) return type;
  return {
    reason: `its input is ${type || 'of unknown type'}; only ${imageTypes.join(' and ')} can be converted`,
  };
}

/** Whether the value is planes that have one size whatever that of the image: a statistic of these is like any layer. */
export function isOfFixedSize({ growth, shapes }: RuleContext, image: string): boolean {
  const shape = shapes.get(image);
  // Of sides of one pixel nothing is to be seen.
  const sides = shape?.slice(2) ?? [];
  return (
    shape?.length === 4 && sides.every((side) => side > 1) && !growth.along(image).slice(1).some(Boolean)
  );
}

/** Height and width of the node's input, an image, or of `image`, which it was before it was reshaped. */
export function featureSizeOf({ shapes }: RuleContext, node: NodeProto, image = node.input[0] ?? ''): Size {
  const [, , height = 0, width = 0] = shapes.get(image) ?? [];
  return [height, width];
}

/** The shape of a value, measured, or of a constant. */
export function shapeOf({ graph, shapes }: RuleContext, value: string): readonly number[] | undefined {
  return shapes.get(value) ?? graph.constant(value)?.dims.map(Number);
}
