// Follows a pooled value to the tensors it is combined with. Making the pooling local turns one value per plane into one
// per pixel, which is right only where every step on the way treats pixels one by one.
import type { Graph } from '../graph/graph.js';
import { intsOf, isOnnxDomain, labelOf, type NodeProto, subgraphsOf } from '../graph/proto.js';
import { type Size, showSize } from '../size.js';
import { channelsToPlanes, type Edit, linearToConv } from './linear-layers.js';
import { broadcasting, unary } from './pointwise-operators.js';
import { pooledImageOf } from './pooled-image.js';
import { type Refusal, type RuleContext, shapeOf } from './rule.js';
import { servesOnly } from './shape-questions.js';

/** Layers over the channels of a flattened value. */
const linear = new Set(['Gemm', 'MatMul']);
/** They may change [N, C, 1, 1] to [N, C] and back without touching the data. */
const reshaping = new Set(['Flatten', 'Reshape', 'Squeeze', 'Unsqueeze']);

/** Whether the node treats what it reads pixel by pixel, reads nothing else, and computes as much. */
export function isUnary({ opType }: NodeProto): boolean {
  return unary.has(opType);
}

/** A product of a pooled value with a full-size image. */
export interface Product {
  readonly node: NodeProto;
  /** Which of the two inputs the pooled value is; its name there may change when a reshape is dropped. */
  readonly position: number;
}

/** What lies between a pooled value and the tensors it is combined with. */
export interface PooledBranch {
  /** The pooled value and all that is computed from it alone: one value per plane before, one per pixel after. */
  readonly values: ReadonlySet<string>;
  /** Nodes that only reshape the pooled value; they have no place in the local graph. */
  readonly reshapes: readonly NodeProto[];
  /** What is to be done to the layers between these: where they take [N, C], they get [N, C, 1, 1]. */
  readonly edits: readonly Edit[];
  /** Nodes that compute something of the pooled value alone. */
  readonly layers: ReadonlySet<NodeProto>;
  /** Nodes whose means it meets where both are flattened: they are no longer if this one is local, and must be local, too. */
  readonly met: ReadonlySet<NodeProto>;
  /**
   * All the places where the branch ends, if padding can wait until there: each of them is a product, and no other value on
   * the way is as large as the plane, or will be once its own pooling is local. Undefined if it cannot.
   */
  readonly products: readonly Product[] | undefined;
}

/** Of rank 4: a one-dimensional convolution of flattened means would lose its plane. */
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

/** What becomes of the pooled value in one consumer: still one value per plane, part of a full-size tensor, its shape, or trouble. */
type Step = 'pooled' | 'reshaped' | 'merged' | 'asked' | Refusal;

function notPointwise(node: NodeProto): Refusal {
  return {
    reason: `its mean feeds ${labelOf(node)} (${node.opType}), which does not treat pixels one by one`,
  };
}

class Follower implements PooledBranch {
  readonly reshapes: NodeProto[] = [];
  readonly edits: Edit[] = [];
  readonly values = new Set<string>();
  readonly layers = new Set<NodeProto>();
  readonly met = new Set<NodeProto>();
  readonly #products: Product[] = [];
  /** They take the shape of a value, which is right if only reshapes want it: these are dropped, and they with them. */
  readonly #asking: NodeProto[] = [];
  #paddingCanWait = true;

  constructor(
    readonly context: RuleContext,
    readonly pooling: NodeProto,
    /** Whose planes it takes the mean of. */
    readonly image: string,
    readonly plane: Size,
  ) {}

  get products(): readonly Product[] | undefined {
    return this.#paddingCanWait && this.#products.length > 0 ? this.#products : undefined;
  }

  /** Follows `start` to all its ends; a refusal says where it cannot go on. */
  follow(start: string): Refusal | undefined {
    const { graph } = this.context;
    const waiting = [start];
    for (let value = waiting.pop(); value !== undefined; value = waiting.pop()) {
      if (this.values.has(value)) continue;
      this.values.add(value);
      if (graph.isOutput(value)) return { reason: `its mean is an output of the model (${value})` };
      for (const consumer of graph.consumers(value)) {
        const step = this.step(consumer, value);
        if (typeof step === 'object') return step;
        if (step === 'reshaped') this.reshapes.push(consumer);
        if (step === 'pooled') this.layers.add(consumer);
        if (step === 'asked') this.#asking.push(consumer);
        else if (step === 'merged') this.end(consumer, value);
        else waiting.push(consumer.output[0] ?? '');
      }
    }
    const asking = this.#asking.find((node) => !servesOnly(graph, node, this.reshapes));
    return asking && notPointwise(asking);
  }

  private step(node: NodeProto, value: string): Step {
    const { graph } = this.context;
    const position = node.input.indexOf(value);
    const elsewhere = notPointwise(node);
    if (!isOnnxDomain(node.domain) || position < 0) return elsewhere;
    // Dropout's mask, say: it has the shape of the mean, and nobody follows it.
    if (node.output.slice(1).some((name) => graph.isUsed(name))) return elsewhere;
    // The product that pads takes both its tensors in one type.
    if (node.opType === 'Cast') this.#paddingCanWait = false;
    if (unary.has(node.opType)) return position === 0 ? 'pooled' : elsewhere;
    if (broadcasting.has(node.opType)) return this.combine(node, value);
    if (reshaping.has(node.opType)) return position === 0 ? this.reshape(node) : elsewhere;
    if (node.opType === 'Shape') return 'asked';
    if (linear.has(node.opType)) return this.multiply(node, value);
    if (node.opType === 'Conv')
      return position === 0 && isPointwiseConv(this.context, node) ? 'pooled' : elsewhere;
    if (node.opType === 'BatchNormalization') return position === 0 ? 'pooled' : elsewhere;
    if (node.opType === 'Expand' && position === 0)
      return this.isFullSize(node.output[0] ?? '') ? 'merged' : this.reshape(node);
    return elsewhere;
  }

  private reshape(node: NodeProto): Step {
    const shape = shapeOf(this.context, node.output[0] ?? '');
    const [batch, channels] = shapeOf(this.context, node.input[0] ?? '') ?? [];
    const same =
      shape?.[0] === batch && shape?.[1] === channels && shape?.slice(2).every((side) => side === 1);
    return same
      ? 'reshaped'
      : { reason: `its mean is reshaped to ${showSize(shape ?? [])} by ${labelOf(node)}` };
  }

  private multiply(node: NodeProto, value: string): Step {
    const rank = shapeOf(this.context, value)?.length;
    const edit = linearToConv(this.context.graph, node, value, rank);
    if (typeof edit !== 'function') return edit;
    this.edits.push(edit);
    return 'pooled';
  }

  /** Whether what a flattened value of rank `rank` meets can follow it to [N, C, 1, 1]: a constant, or means of this or another node. */
  private unflatten(node: NodeProto, value: string, rank: number): boolean {
    if (rank !== 2) return false;
    const edit = channelsToPlanes(this.context.graph, node, value);
    if (edit) this.edits.push(edit);
    if (edit) return true;
    const pools = shapeOf(this.context, value)?.length === 2 ? poolsAbove(this.context, value) : [];
    for (const pool of pools) if (pool.node !== this.pooling) this.met.add(pool.node);
    return pools.length > 0;
  }

  private combine(node: NodeProto, value: string): Step {
    const own = shapeOf(this.context, value) ?? [];
    let merged = false;
    for (const other of node.input) {
      if (other === value) continue;
      const shape = shapeOf(this.context, other);
      const producer = this.context.graph.producer(other);
      // What an If gives at one run tells nothing of others.
      const isChosen = producer !== undefined && subgraphsOf(producer).length > 0;
      if (!shape || isChosen)
        return { reason: `its mean meets ${other} of unknown shape in ${labelOf(node)}` };
      if (own.length !== 4 && shape.some((side) => side !== 1)) {
        if (!this.unflatten(node, other, own.length))
          return { reason: `its mean, flattened, meets ${other} (${showSize(shape)}) in ${labelOf(node)}` };
      } else if (this.isFullSize(other)) merged = true;
      else if (!isOnePerPlane(shape)) {
        return {
          reason: `its mean of ${showSize(this.plane)} pixels meets ${other} (${showSize(shape)}) in ${labelOf(node)}`,
        };
      }
      const pools = poolsAbove(this.context, other);
      const stranger = pools.find(({ plane }) => showSize(plane) !== showSize(this.plane));
      if (stranger) {
        return {
          reason: `its mean of ${showSize(this.plane)} pixels meets one of ${showSize(stranger.plane)} in ${labelOf(node)}`,
        };
      }
      if (pools.some((pool) => pool.node !== this.pooling)) this.#paddingCanWait = false;
    }
    return merged ? 'merged' : 'pooled';
  }

  private end(node: NodeProto, value: string): void {
    const position = node.input.indexOf(value);
    const other = node.input[1 - position] ?? '';
    // Sizes that are equal at one image size need not be at another; a factor that follows from what was pooled, or leads to
    // it, pixel by pixel, always has its size.
    const tied = followsFrom(this.context, other, this.image) || followsFrom(this.context, this.image, other);
    const isImage = shapeOf(this.context, other)?.length === 4;
    if (node.opType === 'Mul' && isImage && tied) this.#products.push({ node, position });
    else this.#paddingCanWait = false;
  }

  private isFullSize(value: string): boolean {
    const [height, width] = shapeOf(this.context, value)?.slice(-2) ?? [];
    return height === this.plane[0] && width === this.plane[1];
  }
}

function isOnePerPlane(shape: readonly number[]): boolean {
  return shape.length <= 4 && shape.slice(-2).every((side) => side === 1);
}

interface Pool {
  readonly node: NodeProto;
  readonly plane: Size;
}

/** The nodes whose means went into `value`, which is one value per plane itself. */
function poolsAbove(context: RuleContext, value: string): Pool[] {
  const found: Pool[] = [];
  walkUp(context.graph, value, (node) => {
    // [N, C, 1, 1], or flattened.
    const shape = shapeOf(context, node.output[0] ?? '') ?? [];
    if (shape.length < 2 || shape.slice(2).some((side) => side !== 1)) return false;
    const image = pooledImageOf(context, node);
    const [height = 1, width = 1] = shapeOf(context, image ?? '')?.slice(2) ?? [];
    if (image) found.push({ node, plane: [height, width] });
    return !image;
  });
  return found;
}

/** Whether `value` is computed from `origin` pixel by pixel, or is it. */
function followsFrom(context: RuleContext, value: string, origin: string): boolean {
  let found = value === origin;
  walkUp(context.graph, value, (node) => {
    const pointwise =
      unary.has(node.opType) || broadcasting.has(node.opType) || isPointwiseLayer(context, node);
    if (pointwise && node.input.includes(origin)) found = true;
    return pointwise && !found;
  });
  return found;
}

function isPointwiseLayer(context: RuleContext, node: NodeProto): boolean {
  const axes = context.graph.reducedAxes(node);
  const acrossChannels = axes?.length === 1 && (axes[0] === 1 || axes[0] === -3);
  if (node.opType.startsWith('Reduce')) return acrossChannels;
  return node.opType === 'BatchNormalization' || (node.opType === 'Conv' && isPointwiseConv(context, node));
}

/** Visits the nodes above `value`, each once, and goes on above those for which `visit` answers true. */
function walkUp(graph: Graph, value: string, visit: (node: NodeProto) => boolean): void {
  const seen = new Set<NodeProto>();
  const waiting = [value];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const node = graph.producer(name);
    if (!node || seen.has(node)) continue;
    seen.add(node);
    if (visit(node)) waiting.push(...node.input);
  }
}

/**
 * The node that takes the mean of a plane off the plane on the way to `value`, with nothing but pointwise steps between: the
 * mean of its square is a variance, and the two together are a normalization written out.
 */
export function findCentering(context: RuleContext, value: string): NodeProto | undefined {
  let centering: NodeProto | undefined;
  walkUp(context.graph, value, (node) => {
    const isMean = (input: string) => poolsAbove(context, input).length > 0;
    const takesOff = node.opType === 'Sub' && node.input.some(isMean);
    const addsNegative =
      node.opType === 'Add' &&
      node.input.some((input) => context.graph.producer(input)?.opType === 'Neg' && isMean(input));
    if (takesOff || addsNegative) centering = node;
    return centering === undefined && (unary.has(node.opType) || broadcasting.has(node.opType));
  });
  return centering;
}

/**
 * Follows the output of a node that pools the planes of `image` to [N, C, 1, 1] or [N, C]. Refuses where a step on the way is not
 * pointwise, or where the value meets a tensor of another size.
 */
export function followPooled(context: RuleContext, node: NodeProto, image: string): PooledBranch | Refusal {
  const [value = ''] = node.output;
  const [height = 0, width = 0] = shapeOf(context, image)?.slice(2) ?? [];
  if (height === 1 || width === 1) {
    const plane = showSize([height, width]);
    return { reason: `its plane is ${plane} at this size, too small to follow what becomes of its mean` };
  }
  const follower = new Follower(context, node, image, [height, width]);
  return follower.follow(value) ?? follower;
}
