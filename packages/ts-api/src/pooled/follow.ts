// Follows pooled values to the images that they are combined with. Making the pooling local turns one value per plane into one per pixel,
// which is right only where every step on the way treats pixels one by one.
import { TlscError } from '../errors.js';
import type { Graph } from '../graph/graph.js';
import { labelOf, type NodeProto } from '../graph/proto.js';
import { sizeNumbers } from '../graph/size-numbers.js';
import { isRefusal, type LocalWindow, type Refusal, type RuleContext } from '../rewrite/rule.js';
import { isWeights, weightsOf } from '../rewrite/weights.js';
import { showSize } from '../size.js';
import { type Axes, pick } from './axes.js';
import { LocalForms } from './local-forms.js';
import { stepOf } from './operators.js';
import { broadcasting, unary } from './pointwise-operators.js';
import { measuredAxes, type Start, startAt } from './starts.js';
import { handOn, type Situation, type Step } from './step.js';
import { divisionsAfter, growsInNumber, numbersRead } from './sums.js';
import { isTied, walkUp } from './tied.js';
import { varianceAt } from './variance.js';
import { writeStart } from './write-start.js';

/** A value that has one number per plane. */
interface Pooled {
  readonly axes: Axes;
  /** The start whose very numbers these are, in whatever shape. */
  readonly exact?: Start | undefined;
  /** What it is made of. */
  readonly starts: ReadonlySet<Start>;
}

/** What became of the statistic of a start. */
export interface Branch {
  start: Start;
  /** Where it cannot be made local. */
  refusal: Refusal | undefined;
  /** How many layers lie between the statistic and what it is combined with. */
  layers: number;
  /**
   * Whether padding can wait until the ends: each of them is a product that pads, and nothing else on the way is as large as the plane.
   */
  canWait: boolean;
  ends: number;
}

interface Following {
  readonly node: NodeProto;
  readonly step: Step;
  readonly starts: ReadonlySet<Start>;
}

/** Height and width of the planes that are reduced, or their pixels. */
function pixelsOf({ axes, plane }: Start): string {
  return showSize(pick(axes, plane).map(({ size }) => size));
}

/** All pooled values of a graph, and the steps between them, from the starts to the images that they end in. */
class Followed {
  readonly branches = new Map<NodeProto, Branch>();
  readonly #pooled = new Map<string, Pooled>();
  readonly #steps: Following[] = [];
  readonly #numbers: ReadonlySet<string>;
  readonly #chosen = new Map<NodeProto, LocalWindow>();

  constructor(
    readonly context: RuleContext,
    starts: readonly Start[],
  ) {
    const { graph } = context;
    this.#numbers = sizeNumbers(graph);
    for (const start of starts)
      this.branches.set(start.node, { start, refusal: undefined, layers: 0, canWait: true, ends: 0 });
    const divisions = new Set<NodeProto>();
    for (const branch of this.branches.values()) {
      const divided = divisionsAfter(context, branch.start);
      if (!divided) continue;
      branch.start = { ...branch.start, divisions: divided };
      for (const node of divided) divisions.add(node);
    }
    for (const node of graph.nodes) {
      const branch = this.branches.get(node);
      if (branch) this.#begin(this.#asVariance(branch));
      else if (node.input.some((value) => this.#pooled.has(value))) this.#goOn(node, divisions.has(node));
    }
    for (const branch of this.branches.values()) if (branch.ends === 0) branch.canWait = false;
  }

  /** The start of a branch, known for a variance by the mean that has been taken off before. */
  #asVariance(branch: Branch): Start {
    const variance = varianceAt(this.context, branch.start, (value) => this.#pooled.get(value)?.exact);
    if (variance) Object.assign(branch, { start: variance, canWait: false });
    return branch.start;
  }

  #begin(start: Start): void {
    const [output = ''] = start.node.output;
    const starts = new Set([start]);
    this.#pooled.set(output, { axes: measuredAxes(this.context, output), starts, exact: start });
    this.#checkOutput(output, starts);
  }

  #checkOutput(value: string, starts: ReadonlySet<Start>): void {
    if (this.context.graph.isOutput(value))
      this.#refuse(starts, { reason: `its mean is an output of the model (${value})` });
  }

  #refuse(starts: ReadonlySet<Start>, refusal: Refusal): void {
    for (const { node } of starts) {
      const branch = this.branches.get(node);
      if (branch) branch.refusal ??= refusal;
    }
  }

  #goOn(node: NodeProto, isDivision: boolean): void {
    const operands = node.input.flatMap((value) => this.#pooled.get(value) ?? []);
    const starts = new Set(operands.flatMap((operand) => [...operand.starts]));
    const situation = this.#situationOf(node, [...starts]);
    const meeting = this.#meetingOf(node, starts);
    const value = node.input.find((name) => this.#pooled.has(name)) ?? '';
    const own = isDivision ? this.#pooled.get(value) : undefined;
    const step =
      meeting ??
      (own ? undefined : this.#growingOf(node)) ??
      (own ? handOn(value, situation, measuredAxes(this.context, node.output[0] ?? '')) : stepOf(situation));
    if (isRefusal(step)) {
      this.#refuse(starts, step);
      return;
    }
    this.#steps.push({ node, step, starts });
    const branches = [...starts].flatMap((start) => this.branches.get(start.node) ?? []);
    for (const branch of branches) {
      if (step.isLayer) branch.layers += 1;
      if (step.meeting) branch.ends += 1;
      const pads = step.padsFirst || (step.meeting && !step.meeting.padsInProduct) || starts.size > 1;
      if (pads) branch.canWait = false;
    }
    for (const [i, axes] of step.axes.entries()) {
      const name = node.output[i] ?? '';
      if (!axes || name === '') continue;
      const handedOn = step.isLayer ? undefined : operands[0]?.exact;
      this.#pooled.set(name, { axes, starts, exact: starts.size === 1 ? handedOn : undefined });
      this.#checkOutput(name, starts);
    }
  }

  /** Numbers that follow the size of the image have no place beside what is local. */
  #growingOf(node: NodeProto): Refusal | undefined {
    for (const value of numbersRead(node, this.#numbers)) {
      if (this.#pooled.has(value) || !growsInNumber(this.context, value)) continue;
      return {
        reason: `its mean meets ${value}, a number that follows the size of the image, in ${labelOf(node)}`,
      };
    }
    return undefined;
  }

  /** Statistics of other planes cannot meet: made local they have other sizes. */
  #meetingOf(node: NodeProto, starts: ReadonlySet<Start>): Refusal | undefined {
    const [first, ...others] = [...starts];
    const stranger = others.find((one) => first && !this.#isPlaneOf(first, one.image, one.plane));
    if (!first || !stranger) return undefined;
    const met = `one of ${pixelsOf(stranger)} in ${labelOf(node)}`;
    return { reason: `its mean of ${pixelsOf(first)} pixels meets ${met}` };
  }

  /** Height and width of a plane, or its pixels, at both sizes of the image. */
  #planeSizes(value: string, plane: readonly number[]): readonly [readonly number[], readonly number[]] {
    const sides = this.context.growth.lengths(value);
    const pixels = (at: 0 | 1) => plane.map((axis) => sides[axis]?.[at] ?? 0);
    return [pixels(0), pixels(1)];
  }

  #situationOf(node: NodeProto, starts: readonly Start[]): Situation {
    const [start] = starts;
    const { context } = this;
    return {
      context,
      node,
      axesOf: (value) => this.#pooled.get(value)?.axes,
      pixels: start ? pixelsOf(start) : '',
      hasPlane: (value, axes) => start !== undefined && this.#isPlaneOf(start, value, axes),
      isTied: (image) => starts.every((one) => isTied(context, image, one.image)),
    };
  }

  /**
   * Whether two planes are as large at the training size, and nearly so at the other, which need not be as good a multiple of what the
   * network halves: sides are rounded then, for one plane, and for another not.
   */
  #isPlaneOf({ image, plane }: Start, value: string, axes: readonly number[]): boolean {
    const areLaid = plane.length !== axes.length;
    const product = (sides: readonly number[]) => sides.reduce((area, side) => area * side, 1);
    const sizesOf = (sizes: readonly [readonly number[], readonly number[]]) =>
      areLaid ? sizes.map((sides) => [product(sides)]) : sizes;
    const [own, other] = [this.#planeSizes(image, plane), this.#planeSizes(value, axes)].map(sizesOf);
    const near = (a: number, b: number) => Math.abs(a - b) <= Math.max(a, b) / 4;
    return (
      own?.[0]?.join() === other?.[0]?.join() &&
      (own?.[1] ?? []).every((side, i) => near(side, other?.[1]?.[i] ?? 0))
    );
  }

  /** The node that takes a statistic off its image on the way to `value`, with nothing but steps between that treat pixels one by one. */
  findCentering(value: string): NodeProto | undefined {
    const { graph } = this.context;
    let centering: NodeProto | undefined;
    const isPooled = (input: string) => this.#pooled.has(input);
    walkUp(graph, value, (node) => {
      // Among pooled values themselves nothing is centred.
      if (node.output.some(isPooled)) return false;
      const takesOff = node.opType === 'Sub' && node.input.some(isPooled);
      const addsNegative =
        node.opType === 'Add' && node.input.some((input) => isPooled(input) && isNegated(graph, input));
      if (takesOff || addsNegative) centering = node;
      return centering === undefined && keepsPixels(node);
    });
    return centering;
  }

  /** Has `write` make the statistic of this node local. */
  choose(node: NodeProto, window: LocalWindow): void {
    this.#chosen.set(node, window);
  }

  /** Puts what is local in the place of all statistics that were chosen, and of what is computed of them. */
  write(): void {
    const windows = new Map(this.#chosen);
    this.#chosen.clear();
    if (windows.size === 0) return;
    // Of the others, what meets these is the same for all pixels.
    const starts = [...this.branches.values()]
      .map(({ start }) => start)
      .filter(({ node }) => windows.has(node));
    for (const { node, mean } of starts) {
      if (mean && !windows.has(mean.node)) throw parted(mean.node, node);
    }
    for (const { start } of this.branches.values()) {
      if (start.mean && windows.has(start.mean.node) && !windows.has(start.node))
        throw parted(start.mean.node, start.node);
    }
    const followed = starts.length < this.branches.size ? new Followed(this.context, starts) : this;
    const refused = [...followed.branches.values()].find(({ refusal }) => refusal);
    if (refused) throw notLocalizable(refused);
    followed.#write(windows, (node) => this.branches.get(node)?.canWait === true);
  }

  #write(windows: ReadonlyMap<NodeProto, LocalWindow>, canWait: (node: NodeProto) => boolean): void {
    const { context } = this;
    const { graph } = context;
    const forms = new LocalForms(graph);
    graph.forgetShapes(new Set(this.#pooled.keys()));
    const isValid = (starts: Iterable<Start>) => [...starts].every(({ node }) => canWait(node));
    const nodes = [...graph.nodes];
    const steps = new Map(this.#steps.map((one) => [one.node, one]));
    const write = ({ step, starts }: Following) => step.write(forms, isValid(starts));
    for (const node of nodes) {
      const start = this.branches.get(node)?.start;
      const window = windows.get(node);
      const one = steps.get(node);
      if (start && window) writeStart(context, forms, start, window, isValid([start]));
      else if (one && !one.step.asks) write(one);
    }
    for (const one of this.#steps)
      if (one.step.asks && graph.producer(one.node.output[0] ?? '') === one.node) write(one);
    for (const { node } of this.#steps) graph.removeIfUnused(node);
  }
}

/** Whether the value is that of another times a number below 0. */
function isNegated(graph: Graph, value: string): boolean {
  const node = graph.producer(value);
  if (node?.opType === 'Neg') return true;
  return (
    node?.opType === 'Mul' &&
    node.input.some((input) => {
      const tensor = graph.constant(input);
      return (
        tensor !== undefined &&
        isWeights(tensor) &&
        weightsOf(graph.withValues(tensor)).every((one) => one < 0)
      );
    })
  );
}

/** Whether the node hands pixels on, one by one or in another layout. */
function keepsPixels({ opType }: NodeProto): boolean {
  return unary.has(opType) || broadcasting.has(opType) || layouts.has(opType);
}

const layouts = new Set(
  'BatchNormalization Concat Flatten Reshape Slice Split Squeeze Transpose Unsqueeze'.split(' '),
);

function notLocalizable({ start, refusal }: Branch): TlscError {
  return new TlscError('ERR_NOT_LOCALIZABLE', `${labelOf(start.node)}: ${refusal?.reason}`);
}

function parted(mean: NodeProto, variance: NodeProto): TlscError {
  const message = `${labelOf(mean)} is the mean of the variance ${labelOf(variance)}: one cannot be local without the other; choose both or none`;
  return new TlscError('ERR_NOT_LOCALIZABLE', message);
}

const known = new WeakMap<RuleContext, Followed>();

/** What becomes of the statistics of all planes in the graph. */
export function followAll(context: RuleContext): Followed {
  const starts = () => context.graph.nodes.flatMap((node) => startAt(context, node) ?? []);
  const followed = known.get(context) ?? new Followed(context, starts());
  known.set(context, followed);
  return followed;
}
