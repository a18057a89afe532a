// Nodes that make samples of what a local operator computes.
import { domain } from '../functions/body.js';
import { type AttributeValue, DataType, makeNode, type NodeProto } from '../graph/proto.js';

/** Positions of a window that are taken along each side of a plane; what lies between is no news. */
const positions = 16;

/** Scores of attention that are taken. */
const mostScores = 256;

const toEnd = 2 ** 31 - 1;

/** Since then what is reduced over is an input. */
const reducesByInput = 18;

type Attributes = Readonly<Record<string, AttributeValue>>;

/** Values of shape [samples, groups]. */
export interface Samples {
  readonly mean: string;
  readonly deviation: string;
}

export class ObservingNodes {
  readonly made: NodeProto[] = [];

  /** What they compute has names that begin with `prefix`. */
  constructor(
    readonly prefix: string,
    readonly opset: number,
  ) {}

  op(opType: string, input: readonly string[], attributes: Attributes = {}, ofDomain = ''): string {
    const output = `${this.prefix}_${this.made.length}`;
    this.made.push(makeNode(opType, input, [output], { attributes, domain: ofDomain }));
    return output;
  }

  #ints(...values: number[]): string {
    return this.op('Constant', [], { value_ints: values });
  }

  #reshape(value: string, ...sides: readonly string[]): string {
    return this.op('Reshape', [value, this.op('Concat', sides, { axis: 0 })]);
  }

  #meanOver(value: string, axis: number): string {
    return this.opset < reducesByInput
      ? this.op('ReduceMean', [value], { axes: [axis] })
      : this.op('ReduceMean', [value, this.#ints(axis)]);
  }

  /** At most so many of the elements along some axes, evenly spread. */
  #thinned(value: string, axes: readonly number[], most: number): string {
    const [first = 0] = axes;
    const shape = this.op('Shape', [value]);
    const sides = this.op('Slice', [shape, this.#ints(first), this.#ints(first + axes.length)]);
    const filled = this.op('Add', [sides, this.#ints(most - 1)]);
    const steps = this.op('Div', [filled, this.#ints(most)]);
    const [starts, ends] = [this.#ints(...axes.map(() => 0)), this.#ints(...axes.map(() => toEnd))];
    return this.op('Slice', [value, starts, ends, this.#ints(...axes), steps]);
  }

  /** The means over windows at some positions of an image's planes. */
  #windowMeans(image: string, window: readonly number[]): string {
    const attributes = { kernel_shape: window, replicate: 0 };
    return this.#thinned(this.op('LocalAveragePool', [image], attributes, domain), [2, 3], positions);
  }

  /**
   * What windows of one image, 1 × C × H × W, have for means and deviations, by channel or by so many groups of channels. Both are taken
   * around the plane's mean, so that deviations keep their digits.
   */
  windowStatistics(image: string, window: readonly number[], groups: number): Samples {
    // Squares of float16 may be beyond it.
    const wide = this.op('Cast', [image], { to: DataType.FLOAT });
    const shape = this.op('Shape', [wide]);
    const part = (from: number, to: number) => this.op('Slice', [shape, this.#ints(from), this.#ints(to)]);
    const [rest, width] = [this.#ints(-1), part(3, 4)];
    const count = groups > 0 ? this.#ints(groups) : part(1, 2);
    // Groups in the place of images, which have the channels of a group.
    const grouped = this.#reshape(wide, count, rest, part(2, 3), width);
    const middle = this.op('GlobalAveragePool', [this.#reshape(wide, count, this.#ints(1), rest, width)]);
    const centred = this.op('Sub', [grouped, middle]);
    const means = this.#meanOver(this.#windowMeans(centred, window), 1);
    const squares = this.op('Mul', [centred, centred]);
    const meanSquares = this.#meanOver(this.#windowMeans(squares, window), 1);
    const variances = this.op('Relu', [this.op('Sub', [meanSquares, this.op('Mul', [means, means])])]);
    const samples = (value: string) =>
      this.op('Transpose', [this.#reshape(value, count, rest)], { perm: [1, 0] });
    return {
      mean: samples(this.op('Add', [means, middle])),
      deviation: samples(this.op('Sqrt', [variances])),
    };
  }

  /** Some of the scores of each window's attention. */
  scores(product: string): string {
    return this.#thinned(this.op('Reshape', [product, this.#ints(0, -1)]), [1], mostScores);
  }
}
