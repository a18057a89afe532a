// Follows images that are laid in rows, one pixel after the other, to the images that are made of rows again. Where all
// that lies between treats one image of the batch by itself, windows can stand for images in it.
import { intOf, intsOf, isOnnxDomain, labelOf, type NodeProto } from '../graph/proto.js';
import { broadcasting, unary } from '../pooled/pointwise-operators.js';
import { type Size, showSize } from '../size.js';
import { imageSidesOf, type LaidImage, type Layout, laidImage } from './laid-images.js';
import { type Refusal, type RuleContext, shapeOf } from './rule.js';
import { servesOnly } from './shape-questions.js';
import { layerNorms, termsOf } from './sums.js';

/** A Reshape that lays the planes of `image` in rows; the last of several. */
export interface Laying extends LaidImage {
  readonly node: NodeProto;
}

/** A Reshape, the last of several, that makes an image of `rows`. */
export interface Raising {
  readonly node: NodeProto;
  readonly rows: string;
  readonly layout: Layout;
  /** Of an image like it, or of one of more channels. */
  readonly like: Laying;
}

/** A Reshape between two layouts of rows. */
export interface Regrouping {
  readonly node: NodeProto;
  /** Which of the axes that it makes is the pixels, from the first; undefined where none is. */
  readonly pixelAxis: number | undefined;
}

const comparing = new Set([
  'And',
  'Equal',
  'Greater',
  'GreaterOrEqual',
  'Less',
  'LessOrEqual',
  'Not',
  'Or',
  'Where',
]);
const alongAxis: Readonly<Record<string, number | undefined>> = {
  Concat: undefined,
  Gather: 0,
  GatherElements: 0,
  Hardmax: -1,
  LogSoftmax: -1,
  LpNormalization: -1,
  Softmax: -1,
  Split: 0,
  TopK: -1,
};
const reshaping = new Set(['Flatten', 'Reshape', 'Squeeze', 'Unsqueeze']);

const productOf = (sides: readonly number[]) => sides.reduce((product, side) => product * side, 1);

/** Grows from one product over rows until it ends in images on all sides. */
export class RowRegion {
  readonly layings: Laying[] = [];
  readonly raisings: Raising[] = [];
  /** Reshapes in between, whose shapes may have been computed of the whole image. */
  readonly reshapes: Regrouping[] = [];
  /** They only repeat what the next step would repeat by itself. */
  readonly expansions: NodeProto[] = [];
  /** All that lies in between. */
  readonly nodes = new Set<NodeProto>();
  readonly #asking: NodeProto[] = [];
  readonly #raised: Omit<Raising, 'like'>[] = [];
  /** Reshapes that lead to the last of several, and go with it. */
  readonly #between = new Set<NodeProto>();

  /** Height and width of the images. */
  readonly plane: Size;
  readonly batch: number;

  /** Of images like the one that is laid in rows. */
  constructor(
    readonly context: RuleContext,
    { image, layout }: LaidImage,
  ) {
    const { batch, plane } = imageSidesOf(shapeOf(context, image) ?? [], layout);
    this.plane = plane;
    this.batch = batch;
  }

  get pixels(): number {
    return this.plane[0] * this.plane[1];
  }

  /** Grows from `node`; a refusal says where it cannot go on. */
  grow(node: NodeProto): Refusal | undefined {
    const waiting = [node];
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      if (this.nodes.has(next)) continue;
      this.nodes.add(next);
      const refusal = this.#checkNode(next) ?? this.#growUp(next, waiting) ?? this.#growDown(next, waiting);
      if (refusal) return refusal;
    }
    return this.#matchRaised() ?? this.#checkAsking();
  }

  /** All values that are computed in the region. */
  values(): Set<string> {
    return new Set(
      [...this.nodes, ...this.#between, ...this.layings.map(({ node }) => node)].flatMap(
        ({ output }) => output,
      ),
    );
  }

  #shapeOf(value: string): readonly number[] {
    return shapeOf(this.context, value) ?? [];
  }

  #isPlanes(value: string): boolean {
    const shape = this.#shapeOf(value);
    return shape.length >= 4 && showSize(shape.slice(-2)) === showSize(this.plane);
  }

  #growUp(node: NodeProto, waiting: NodeProto[]): Refusal | undefined {
    const { graph } = this.context;
    const data = reshaping.has(node.opType) || node.opType === 'Expand' ? node.input.slice(0, 1) : node.input;
    for (const value of data) {
      if (value === '' || graph.isConstant(value)) continue;
      const producer = graph.producer(value);
      if (!producer) return { reason: `${labelOf(node)} reads ${value}, which is not laid in rows` };
      const laying = this.#layingOf(producer);
      if (laying && 'reason' in laying) return laying;
      if (!laying) waiting.push(producer);
      else if (!this.layings.some((one) => one.node === producer)) {
        this.layings.push(laying);
        // Others may read these rows, too.
        const refusal = this.#growDown(producer, waiting);
        if (refusal) return refusal;
      }
    }
    return undefined;
  }

  /** The node as a Reshape of an image to rows, others before it included; undefined if it is none. */
  #layingOf(node: NodeProto): Laying | Refusal | undefined {
    const shape = this.#shapeOf(node.output[0] ?? '');
    const laid = laidImage(this.context, node);
    if (!laid || shape[laid.pixelAxis] !== this.pixels) return undefined;
    const { image, layout, pixelAxis } = laid;
    const { batch, channels, plane } = imageSidesOf(this.#shapeOf(image), layout);
    const [rows, rest] = [productOf(shape.slice(0, pixelAxis)), productOf(shape.slice(pixelAxis + 1))];
    const keeps =
      layout === 'channels first'
        ? rows === batch * channels && pixelAxis > 1 && (shape[0] ?? 0) % batch === 0
        : rows === batch && rest === channels;
    const isImage = this.#shapeOf(image).length === 4 && showSize(plane) === showSize(this.plane);
    if (!isImage || batch !== this.batch || !keeps)
      return {
        reason: `${labelOf(node)} lays ${showSize(this.#shapeOf(image))} in rows of ${showSize(shape)}, across images`,
      };
    for (let [value = ''] = node.input; value !== image; ) {
      const above = this.context.graph.producer(value) as NodeProto;
      this.#between.add(above);
      [value = ''] = above.input;
    }
    return { node, ...laid };
  }

  #growDown(node: NodeProto, waiting: NodeProto[]): Refusal | undefined {
    const { graph } = this.context;
    for (const value of node.output) {
      if (graph.isOutput(value)) return { reason: `its rows are an output of the model (${value})` };
      for (const consumer of graph.consumers(value)) {
        if (consumer.opType === 'Shape') this.#asking.push(consumer);
        else if (consumer.input[0] === value && this.#layoutRaised(consumer, value) !== undefined) {
          const refusal = this.#raise(consumer, value);
          if (refusal) return refusal;
        } else waiting.push(consumer);
      }
    }
    return undefined;
  }

  /** The axes of a value that are the pixels of a plane, from the first. */
  #pixelAxes(value: string): number[] {
    const followed = this.context.growth.along(value);
    return followed.flatMap((one, axis) => (one === 'pixels' ? [axis] : []));
  }

  /** How the image, or the planes at least, that a Reshape makes of rows lies; undefined if it makes none. */
  #layoutRaised(node: NodeProto, rows: string): Layout | undefined {
    const [output = ''] = node.output;
    if (node.opType !== 'Reshape') return undefined;
    const [shape, pixelAxis] = [this.#shapeOf(output), this.#pixelAxes(rows).at(-1)];
    if (pixelAxis === this.#shapeOf(rows).length - 1 && this.#isPlanes(output)) return 'channels first';
    const { plane } = imageSidesOf(shape, 'channels last');
    const isLast = shape.length === 4 && this.context.growth.arePlane(output, 1, 2);
    return pixelAxis === 1 && isLast && showSize(plane) === showSize(this.plane)
      ? 'channels last'
      : undefined;
  }

  /** Follows Reshapes to the images that they end in. */
  #raise(node: NodeProto, rows: string): Refusal | undefined {
    const { graph } = this.context;
    const [value = ''] = node.output;
    const shape = this.#shapeOf(value);
    const layout = this.#layoutRaised(node, rows) ?? 'channels first';
    if (shape.length === 4 && shape[0] === this.batch) {
      this.#raised.push({ node, rows, layout });
      return undefined;
    }
    this.#between.add(node);
    for (const consumer of graph.consumers(value)) {
      if (consumer.opType === 'Shape') this.#asking.push(consumer);
      else if (
        consumer.opType === 'Reshape' &&
        consumer.input[0] === value &&
        this.#isPlanes(consumer.output[0] ?? '')
      ) {
        const refusal = this.#raise(consumer, rows);
        if (refusal) return refusal;
      } else
        return { reason: `${labelOf(consumer)} reads its rows as ${showSize(shape)}, which is no image` };
    }
    return undefined;
  }

  #matchRaised(): Refusal | undefined {
    for (const raised of this.#raised) {
      const shape = this.#shapeOf(raised.node.output[0] ?? '');
      const like = this.#layingBefore(raised.node, imageSidesOf(shape, raised.layout).channels);
      if (!like) {
        const images = `images of ${showSize(shape)}`;
        return { reason: `${labelOf(raised.node)} makes ${images} of its rows, like none that went in` };
      }
      this.raisings.push({ ...raised, like });
    }
    return this.raisings.length > 0 ? undefined : { reason: 'no image is made of its rows' };
  }

  /** What lays an image in rows before the node, of as many channels or, failing that, of more. */
  #layingBefore(node: NodeProto, channels: number): Laying | undefined {
    const { graph } = this.context;
    const before = this.layings.filter((one) => graph.positionOf(one.node) < graph.positionOf(node));
    const countOf = ({ image, layout }: Laying) => imageSidesOf(this.#shapeOf(image), layout).channels;
    return before.find((one) => countOf(one) === channels) ?? before.find((one) => countOf(one) > channels);
  }

  /** Shapes that are asked for along the way are right only if they end in reshapes of the region. */
  #checkAsking(): Refusal | undefined {
    const { graph } = this.context;
    const told = [
      ...this.reshapes.map(({ node }) => node),
      ...this.expansions,
      ...this.#between,
      ...this.layings.map(({ node }) => node),
      ...this.raisings.map(({ node }) => node),
    ];
    const asking = this.#asking.find((node) => !servesOnly(graph, node, told));
    return asking && { reason: `${labelOf(asking)} takes the shape of its rows for something else` };
  }

  /** Whether the node treats every image of the batch by itself, by its operator and attributes. */
  #checkNode(node: NodeProto): Refusal | undefined {
    const { opType } = node;
    const refuse = (why: string): Refusal => ({
      reason: `its rows go through ${labelOf(node)} (${opType}), ${why}`,
    });
    const unknown = refuse('which is no step of attention that could run in windows');
    const acrossImages = refuse('which does not treat images one by one');
    if (!isOnnxDomain(node.domain)) return unknown;
    const [value = ''] = node.input;
    if (opType === 'Expand') return this.#expand(node) ? undefined : unknown;
    if (reshaping.has(opType)) return this.#reshape(node) ? undefined : acrossImages;
    if (unary.has(opType) || broadcasting.has(opType) || comparing.has(opType) || opType === 'MatMul')
      return this.#meetsAlike(node) ? undefined : acrossImages;
    if (opType === 'Einsum') return this.#leadsAlike(node) ? undefined : acrossImages;
    if (opType === 'Transpose') return intsOf(node, 'perm')?.[0] === 0 ? undefined : acrossImages;
    if (opType === 'Slice' || opType.startsWith('Reduce')) {
      const axes = opType === 'Slice' ? this.#slicedAxes(node) : this.context.graph.reducedAxes(node);
      const rank = this.#shapeOf(value).length;
      const clear = axes && axes.length > 0 && axes.every((axis) => axis !== 0 && axis !== -rank);
      return clear ? undefined : acrossImages;
    }
    if (layerNorms.has(opType)) {
      const rank = this.#shapeOf(value).length;
      const first = (intOf(node, 'axis', -1) + rank) % rank;
      return this.#pixelAxes(value)
        .concat(0)
        .every((axis) => axis < first)
        ? undefined
        : acrossImages;
    }
    if (!Object.hasOwn(alongAxis, opType)) return unknown;
    // What is constant is there once, not once for each window.
    if (opType === 'Concat' && node.input.some((one) => this.context.graph.isConstant(one)))
      return acrossImages;
    const axis = intOf(node, 'axis', alongAxis[opType] ?? 0);
    return axis !== 0 && axis !== -this.#shapeOf(value).length ? undefined : acrossImages;
  }

  #slicedAxes(node: NodeProto): number[] | undefined {
    return node.input[3] ? this.context.graph.constantIntegers(node.input[3]) : undefined;
  }

  /** Values that follow the image have the same number of axes and the batch first; constants serve every image alike. */
  #meetsAlike(node: NodeProto): boolean {
    const rank = this.#shapeOf(node.output[0] ?? '').length;
    const [first] = this.#shapeOf(node.output[0] ?? '');
    return node.input.every((value) => {
      const shape = this.#shapeOf(value);
      if (value === '' || shape.length < 1) return true;
      if (this.context.graph.isConstant(value)) return shape.length < rank || shape[0] === 1;
      return shape.length === rank && shape[0] === first;
    });
  }

  /** Whether an Einsum takes the batch first and gives it first. */
  #leadsAlike(node: NodeProto): boolean {
    const { operands, result } = termsOf(node);
    const terms = result === undefined ? [''] : [...operands, result];
    const [letter] = terms[0] ?? '';
    const alike = terms.every((term) => term[0] === letter);
    return (
      alike && /[a-z]/i.test(letter ?? '') && terms.every((term) => term.lastIndexOf(letter ?? '') === 0)
    );
  }

  /** Whether what reads the expanded value repeats it by itself. */
  #expand(node: NodeProto): boolean {
    const [value = ''] = node.input;
    const [expanded = ''] = node.output;
    const shape = this.#shapeOf(value);
    const rank = this.#shapeOf(expanded).length;
    const repeated = this.context.graph.consumers(expanded).every((consumer) => {
      if (consumer.opType === 'Shape') return true;
      const others = consumer.input.filter((name) => name !== expanded).map((name) => this.#shapeOf(name));
      return (
        broadcasting.has(consumer.opType) &&
        others.some((other) => showSize(other) === showSize(this.#shapeOf(expanded)))
      );
    });
    if (shape.length !== rank || !repeated || this.context.graph.isOutput(expanded)) return false;
    this.expansions.push(node);
    return true;
  }

  /** Whether the batch, or the batch times some channels, comes first before and after, and the pixels keep an axis of their own. */
  #reshape(node: NodeProto): boolean {
    const [input = ''] = node.input;
    const [output = ''] = node.output;
    const [before, after] = [this.#shapeOf(input), this.#shapeOf(output)];
    const [pixelsBefore, pixelsAfter] = [this.#pixelAxes(input), this.#pixelAxes(output)];
    const whole = (before[0] ?? 0) % this.batch === 0 && (after[0] ?? 0) % this.batch === 0;
    const keepsPixels = pixelsBefore.length === pixelsAfter.length && pixelsAfter.length < 2;
    const joins = [before[pixelsBefore[0] ?? -1], after[pixelsAfter[0] ?? -1]].some(
      (side) => side !== undefined && side !== this.pixels,
    );
    if (after.length < 2 || !whole || !keepsPixels || joins || pixelsAfter[0] === 0) return false;
    this.reshapes.push({ node, pixelAxis: pixelsAfter[0] });
    return true;
  }
}
