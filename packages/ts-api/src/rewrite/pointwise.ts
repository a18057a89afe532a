// Follows a pooled value to the tensors it is combined with. Making the pooling local turns one value per plane into one
// per pixel, which is right only where every step on the way treats pixels one by one.
import { intsOf, isOnnxDomain, labelOf, type NodeProto } from '../graph/proto.js';
import { type Size, showSize } from '../size.js';
import type { Refusal, RuleContext } from './rule.js';

const listed = (names: string) => new Set(names.split(' '));

/** Of one operand, whatever its shape. */
const unary = listed(
  'Abs Cast Ceil Celu Clip Dropout Elu Erf Exp Floor Gelu HardSigmoid HardSwish Identity LeakyRelu Log Mish Neg ' +
    'Reciprocal Relu Round Selu Sigmoid Sign Softplus Softsign Sqrt Tanh ThresholdedRelu',
);
/** Of several operands that broadcast. */
const broadcasting = listed('Add Div Max Mean Min Mul Pow PRelu Sub Sum');
/** They may change [N, C, 1, 1] to [N, C] and back without touching the data. */
const reshaping = listed('Flatten Reshape Squeeze Unsqueeze');

/** What lies between a pooled value and the tensors it is combined with. */
export interface PooledBranch {
  /** The pooled value and all that is computed from it alone: one value per plane before, one per pixel after. */
  readonly values: readonly string[];
  /** Nodes that only reshape the pooled value; they have no place in the local graph. */
  readonly reshapes: readonly NodeProto[];
}

function shapeOf({ graph, shapes }: RuleContext, value: string): readonly number[] | undefined {
  return shapes.get(value) ?? graph.constant(value)?.dims.map(Number);
}

function isPointwiseConv(context: RuleContext, node: NodeProto): boolean {
  const kernel = shapeOf(context, node.input[1] ?? '')?.slice(2);
  const strides = intsOf(node, 'strides') ?? [1];
  const pads = intsOf(node, 'pads') ?? [0];
  return (
    kernel?.every((side) => side === 1) === true &&
    strides.every((step) => step === 1) &&
    pads.every((pad) => pad === 0)
  );
}

/** What becomes of the pooled value in one consumer: still one value per plane, part of a full-size tensor, or trouble. */
type Step = 'pooled' | 'reshaped' | 'merged' | Refusal;

class Follower implements PooledBranch {
  readonly reshapes: NodeProto[] = [];
  readonly values: string[] = [];

  constructor(
    readonly context: RuleContext,
    readonly plane: Size,
    readonly pooledShape: readonly number[],
  ) {}

  /** Follows `value` to its ends; a refusal says where it cannot go on. */
  follow(value: string): Refusal | undefined {
    if (this.values.includes(value)) return undefined;
    this.values.push(value);
    if (this.context.graph.isOutput(value))
      return { reason: `its mean is an output of the model (${value})` };
    for (const consumer of this.context.graph.consumers(value)) {
      const step = this.step(consumer, value);
      if (typeof step === 'object') return step;
      if (step === 'merged') continue;
      const [next = ''] = consumer.output;
      const refusal = this.follow(next);
      if (refusal) return refusal;
      if (step === 'reshaped') this.reshapes.push(consumer);
    }
    return undefined;
  }

  private step(node: NodeProto, value: string): Step {
    const position = node.input.indexOf(value);
    const elsewhere = {
      reason: `its mean feeds ${labelOf(node)} (${node.opType}), which does not treat pixels one by one`,
    };
    if (!isOnnxDomain(node.domain) || position < 0) return elsewhere;
    if (unary.has(node.opType)) return position === 0 ? 'pooled' : elsewhere;
    if (broadcasting.has(node.opType)) return this.combine(node, value);
    if (reshaping.has(node.opType)) return position === 0 ? this.reshape(node) : elsewhere;
    if (node.opType === 'Conv')
      return position === 0 && isPointwiseConv(this.context, node) ? 'pooled' : elsewhere;
    if (node.opType === 'BatchNormalization') return position === 0 ? 'pooled' : elsewhere;
    if (node.opType === 'Expand')
      return position === 0 && this.isFullSize(node.output[0] ?? '') ? 'merged' : elsewhere;
    return elsewhere;
  }

  private reshape(node: NodeProto): Step {
    const shape = shapeOf(this.context, node.output[0] ?? '');
    const [batch, channels] = this.pooledShape;
    const same =
      shape?.[0] === batch && shape?.[1] === channels && shape?.slice(2).every((side) => side === 1);
    return same
      ? 'reshaped'
      : { reason: `its mean is reshaped to ${showSize(shape ?? [])} by ${labelOf(node)}` };
  }

  private combine(node: NodeProto, value: string): Step {
    const rank = shapeOf(this.context, value)?.length;
    let merged = false;
    for (const other of node.input) {
      if (other === value) continue;
      const shape = shapeOf(this.context, other);
      if (!shape) return { reason: `its mean meets ${other} of unknown shape in ${labelOf(node)}` };
      if (rank !== 4 && shape.some((side) => side !== 1))
        return { reason: `its mean, flattened, meets ${other} (${showSize(shape)}) in ${labelOf(node)}` };
      if (this.isFullSize(other)) merged = true;
      else if (!isPerChannel(shape)) {
        return {
          reason: `its mean of ${showSize(this.plane)} pixels meets ${other} (${showSize(shape)}) in ${labelOf(node)}`,
        };
      }
      const stranger = this.pooledPlanesAbove(other).find(
        (plane) => showSize(plane) !== showSize(this.plane),
      );
      if (stranger) {
        return {
          reason: `its mean of ${showSize(this.plane)} pixels meets one of ${showSize(stranger)} in ${labelOf(node)}`,
        };
      }
    }
    return merged ? 'merged' : 'pooled';
  }

  /** The planes whose means went into `value`, which is one value per plane itself. */
  private pooledPlanesAbove(value: string): Size[] {
    const { graph } = this.context;
    const node = graph.producer(value);
    const shape = shapeOf(this.context, value);
    if (!node || !shape || !isPerChannel(shape)) return [];
    const [, , height, width] = shapeOf(this.context, node.input[0] ?? '') ?? [];
    const pools = node.opType === 'GlobalAveragePool' || node.opType === 'ReduceMean';
    if (pools && height !== undefined && width !== undefined && height * width > 1) return [[height, width]];
    return node.input.flatMap((input) => this.pooledPlanesAbove(input));
  }

  private isFullSize(value: string): boolean {
    const [height, width] = shapeOf(this.context, value)?.slice(-2) ?? [];
    return height === this.plane[0] && width === this.plane[1];
  }
}

function isPerChannel(shape: readonly number[]): boolean {
  return shape.length <= 4 && shape.slice(-2).every((side) => side === 1);
}

/**
 * Follows the output of a node that pools planes of the given size to [N, C, 1, 1] or [N, C]. Refuses where a step on the
 * way is not pointwise, or where the value meets a tensor of another size.
 */
export function followPooled(context: RuleContext, node: NodeProto, plane: Size): PooledBranch | Refusal {
  const [value = ''] = node.output;
  const shape = shapeOf(context, value);
  if (!shape) return { reason: 'the shape of its output could not be measured' };
  if (plane.some((side) => side === 1)) {
    return {
      reason: `its plane is ${showSize(plane)} at this size, too small to follow what becomes of its mean`,
    };
  }
  const follower = new Follower(context, plane, shape);
  return follower.follow(value) ?? follower;
}
