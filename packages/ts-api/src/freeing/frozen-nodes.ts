// The nodes whose sizes an exporter has written down as constants, and what these are of what the nodes read.
import type { Graph } from '../graph/graph.js';
import { intsOf, isOnnxDomain, makeNode, type NodeProto, reducesAll } from '../graph/proto.js';
import { isWeights, weightsOf } from '../rewrite/weights.js';
import { type Parts, type Reshaped, rest, targetOf } from './reshapes.js';
import { type Length, numberOf, type Side, type SizeWriter, sizeIn } from './size-writer.js';

/** How a node follows the image. */
export interface Free {
  /** What its constant inputs are to be instead, by where they stand; none for a pooling. */
  readonly sides: ReadonlyMap<number, readonly Side[]>;
  /** Whether that is anything else than it was. */
  readonly isNew: boolean;
  /** Has it do so, in a graph that has the node. */
  write(writer: SizeWriter, graph: Graph, node: NodeProto): void;
}

/** What is known of the values of a model while it is freed: their shapes at the size that it was traced at. */
export interface Traced {
  readonly graph: Graph;
  shape(value: string): readonly number[] | undefined;
  growth(value: string, axis: number): ReturnType<Reshaped['growth']>;
  /** What was learned of how axes are parted. */
  readonly parts: Parts;
  /** Whether a value is the image that the model is fed. */
  isImage(value: string): boolean;
  /** The side of the image, where an axis is as long as that. */
  imageSide(axis: number, length: number): Side | undefined;
  /** What is missing of a side of the image to a multiple of what the network halves it to. */
  missing(axis: number, padded: number): Side | undefined;
  /** A value computed before `node` that has planes of this size. */
  planeLike(node: NodeProto, height: number, width: number): { value: string; axis: number } | undefined;
}

type Find = (traced: Traced, node: NodeProto) => Free | undefined;

/** From here on the end of a Slice means: all. */
const open = 2 ** 31 - 1;

/** A border that is cut off, at most. */
const widestBorder = 16;

const follows = (side: Side) => side.some((length) => typeof length !== 'number' || length === rest);

/** Puts sides in the place of constant inputs. */
function setSizes(
  given: ReadonlyMap<number, readonly number[]>,
  sides: ReadonlyMap<number, readonly Side[]>,
): Free {
  return {
    sides,
    isNew: [...sides].some(([at, some]) => some.map(numberOf).join() !== given.get(at)?.join()),
    write(writer, graph, node) {
      const input = [...node.input];
      for (const [at, some] of sides) input[at] = writer.vector(some, `${node.output[0]}_size`, node);
      const made = makeNode(node.opType, input, node.output, { domain: node.domain, name: node.name });
      made.attribute = node.attribute;
      graph.replace(node, made);
    },
  };
}

function reshape(traced: Traced, node: NodeProto): Free | undefined {
  const { graph } = traced;
  const [value = '', shape = ''] = node.input;
  const target = graph.constantIntegers(shape);
  const [before, after] = [traced.shape(value), traced.shape(node.output[0] ?? '')];
  if (!target || !before || !after) return undefined;
  const sides = targetOf({
    value,
    before,
    after,
    growth: (axis) => traced.growth(value, axis),
    parts: traced.parts,
    planeLike: (height, width) => traced.planeLike(node, height, width),
  });
  // What is copied, or left open, follows already.
  const freed = target.map((side, axis) => (side > 0 && follows(sides[axis] ?? []) ? sides[axis] : [side]));
  const isTold = freed.filter((side) => side?.join() === `${rest}`).length < 2;
  return isTold ? setSizes(new Map([[1, target]]), new Map([[1, freed as Side[]]])) : undefined;
}

/** A length that is the same part of an axis, or as much shorter, at any size. */
function partOf(length: number, value: string, axis: number, whole: number): Side | undefined {
  for (const over of [1, 2, 3, 4, 8]) {
    for (let times = 1; times < over || times === 1; times++)
      if (length * over === whole * times) return [{ value, axis, times, over }];
  }
  return undefined;
}

function slice(traced: Traced, node: NodeProto): Free | undefined {
  const { graph } = traced;
  const [value = '', ...bounds] = node.input;
  const [starts, ends, given, steps] = bounds.map((name) =>
    name ? graph.constantIntegers(name) : undefined,
  );
  const shape = traced.shape(value);
  if (!starts || !ends || !shape || steps?.some((step) => step < 1)) return undefined;
  const axes = given ?? starts.map((_, i) => i);
  const freed = (places: readonly number[], isEnd: boolean): Side[] =>
    places.map((place, i) => {
      const axis = (axes[i] ?? 0) < 0 ? (axes[i] ?? 0) + shape.length : (axes[i] ?? 0);
      const whole = shape[axis] ?? 0;
      const grows = traced.growth(value, axis);
      if (place <= 0 || place > whole || grows === 'none') return [place];
      // Cut to the size of the image, from what was padded or not.
      const image = isEnd ? traced.imageSide(axis, place) : undefined;
      if (image) return image;
      if (place === whole && isEnd) return [open];
      // As far from the end as it was: negative places count from there.
      const isNearEnd = whole - place <= widestBorder && place * 2 > whole;
      if (isNearEnd && whole % place !== 0) return [place - whole];
      return partOf(place, value, axis, whole) ?? [place];
    });
  return setSizes(
    new Map([
      [1, starts],
      [2, ends],
    ]),
    new Map([
      [1, freed(starts, false)],
      [2, freed(ends, true)],
    ]),
  );
}

/** The value that what reads this one combines it with, where that is computed before the node. */
function partnerOf({ graph, shape }: Traced, node: NodeProto): string | undefined {
  const [output = ''] = node.output;
  const own = shape(output)?.join();
  const position = graph.positionOf(node);
  for (const reader of graph.consumers(output)) {
    if (reader.opType === 'Concat' || reader.input.length < 2) {
      if (reader.opType !== 'Concat') continue;
    }
    for (const other of reader.input) {
      const producer = graph.producer(other);
      const isBefore = !graph.isConstant(other) && (!producer || graph.positionOf(producer) < position);
      const sides = shape(other);
      const isAlike =
        reader.opType === 'Concat'
          ? sides?.slice(2).join() === shape(output)?.slice(2).join()
          : sides?.join() === own;
      if (other !== output && isBefore && isAlike) return other;
    }
  }
  return undefined;
}

/** Resize to a constant size. */
function resize(traced: Traced, node: NodeProto): Free | undefined {
  const { graph } = traced;
  const [value = '', , , sizes = ''] = node.input;
  const wanted = sizes ? graph.constantIntegers(sizes) : undefined;
  const [before, after] = [traced.shape(value), traced.shape(node.output[0] ?? '')];
  // With `axes` or a policy the sizes are not those of all axes.
  if (!wanted || !before || after?.length !== wanted.length) return undefined;
  const partner = partnerOf(traced, node);
  const sides = after.map((side, axis): Side => {
    const from = before[axis] ?? 1;
    if (traced.growth(value, axis) === 'none' && !(from === 1 && side > 1)) return [side];
    if (partner && axis > 1) return [{ value: partner, axis, times: 1, over: 1 }];
    const isWhole = from > 1 && (side % from === 0 || from % side === 0);
    const like = traced.planeLike(node, after[2] ?? 0, after[3] ?? 0);
    if (!isWhole && like && axis > 1)
      return [{ value: like.value, axis: like.axis + axis - 2, times: 1, over: 1 }];
    return scaled(side, value, axis, from);
  });
  return setSizes(new Map([[3, wanted]]), new Map([[3, sides]]));
}

function scaled(side: number, value: string, axis: number, from: number): Side {
  const [a, b] = [side, from].map((n) => n / greatestDivisor(side, from)) as [number, number];
  const length: Length = { value, axis, times: a, over: b };
  return [length];
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}

/** Expand, Tile and ConstantOfShape: as large as what they meet. */
function spread(traced: Traced, node: NodeProto): Free | undefined {
  const { graph } = traced;
  const at = node.opType === 'ConstantOfShape' ? 0 : 1;
  const given = graph.constantIntegers(node.input[at] ?? '');
  const partner = partnerOf(traced, node);
  const after = traced.shape(node.output[0] ?? '');
  const before = at === 1 ? (traced.shape(node.input[0] ?? '') ?? []) : [];
  if (!given || !after || node.opType === 'Tile') return undefined;
  const sides = after.map((side, axis): Side => {
    // To as many as there are is nothing to Expand.
    if (side > 1 && before.length === after.length && before[axis] === side) return [1];
    const grows = partner !== undefined && side > 1 && traced.growth(partner, axis) !== 'none';
    return grows ? [{ value: partner, axis, times: 1, over: 1 }] : [side];
  });
  return setSizes(new Map([[at, given]]), new Map([[at, sides]]));
}

/** Pad of the image to a multiple of what its smallest plane stands for, by nothing where the size that was traced was one. */
function pad(traced: Traced, node: NodeProto): Free | undefined {
  const { graph } = traced;
  const [value = '', pads = '', , axes = ''] = node.input;
  const given = graph.constantIntegers(pads);
  const padded = traced.shape(node.output[0] ?? '') ?? [];
  const rank = padded.length;
  if (axes !== '' || !traced.isImage(value) || !given || given.length !== 2 * rank) return undefined;
  const shapeOf = (name: string) => traced.shape(name);
  const sides = given.map((amount, i): Side => {
    const missing = i < rank ? undefined : traced.missing(i - rank, padded[i - rank] ?? 0);
    return missing && sizeIn(missing, shapeOf) === amount ? missing : [amount];
  });
  return setSizes(new Map([[1, given]]), new Map([[1, sides]]));
}

/** What hands on a sum as it is. */
const handing = new Set(['Flatten', 'Identity', 'Reshape', 'Squeeze', 'Transpose', 'Unsqueeze']);

/** Sums, which are divided by the number of their elements to be means; a norm by its root. */
const sums = new Set(['ReduceL1', 'ReduceL2', 'ReduceSum', 'ReduceSumSquare']);

/** How far a reciprocal or a root that was written down in float32 may be off. */
const rounding = 2e-7;

/** The value and the number that it is divided by, one way or the other. */
function dividedBy(
  graph: Graph,
  { input, opType }: NodeProto,
): readonly [string, string, number] | undefined {
  const places = opType === 'Div' ? [1] : [1, 0];
  for (const at of places) {
    const [by = '', value = ''] = [input[at], input[1 - at]];
    const tensor = graph.constant(by);
    const [number, ...others] = tensor && isWeights(tensor) ? weightsOf(graph.withValues(tensor)) : [];
    if (number === undefined || others.length > 0) continue;
    return [value, by, opType === 'Div' ? number : 1 / number];
  }
  return undefined;
}

/** The axes of its first operand that a node sums over; none where it is no such sum. */
function summedAxes({ graph, shape: shapeOf }: Traced, sum: NodeProto): readonly number[] {
  const shape = shapeOf(sum.input[0] ?? '') ?? [];
  if (!isOnnxDomain(sum.domain)) return [];
  if (sum.opType === 'MatMul') return shape.length > 1 ? [shape.length - 1] : [];
  if (!sums.has(sum.opType)) return [];
  const given = graph.reducedAxes(sum) ?? [];
  if (reducesAll(sum, given)) return [...shape.keys()];
  return given.map((axis) => (axis < 0 ? axis + shape.length : axis));
}

/** A sum over axes of the image divided by the number of its elements, which was written down. */
function division(traced: Traced, node: NodeProto): Free | undefined {
  const { graph } = traced;
  const [dividend = '', divisor = '', number = 0] = dividedBy(graph, node) ?? [];
  let sum = graph.producer(dividend);
  while (sum && handing.has(sum.opType)) sum = graph.producer(sum.input[0] ?? '');
  const [value = ''] = sum?.input ?? [];
  const axes = sum ? summedAxes(traced, sum) : [];
  const side: Side = axes.map((axis): Length => ({ value, axis, times: 1, over: 1 }));
  const elements = sizeIn(side, (name) => traced.shape(name));
  const isNear = (count: number) => Math.abs(number / count - 1) < rounding;
  // Products between pixels are divided by the one or by the other.
  const isRoot = sum?.opType === 'ReduceL2' || (sum?.opType === 'MatMul' && isNear(Math.sqrt(elements)));
  const isCount = isNear(isRoot ? Math.sqrt(elements) : elements);
  if (axes.length === 0 || !isCount || axes.every((axis) => traced.growth(value, axis) === 'none'))
    return undefined;
  return {
    sides: new Map([[1, [side]]]),
    isNew: true,
    write(writer, edited, one) {
      const base = `${one.output[0]}_count`;
      const attributes = { to: edited.constant(divisor)?.dataType ?? 1 };
      const insert = (opType: string, input: string, options = {}) =>
        edited.insertBefore(one, base, opType, [input], options);
      const count = insert('Cast', writer.vector([side], base, one), { attributes });
      const by = isRoot ? insert('Sqrt', count) : count;
      edited.replace(one, makeNode('Div', [dividend, by], one.output, { name: one.name }));
    },
  };
}

const global: Readonly<Record<string, string>> = {
  AveragePool: 'GlobalAveragePool',
  LpPool: 'GlobalLpPool',
  MaxPool: 'GlobalMaxPool',
};

/** Whether a pooling takes in its whole plane at the size that was seen, and gives one value for it. */
export function poolsPlane(node: NodeProto, shapeOf: Traced['shape']): boolean {
  const [plane, pooled] = [node.input[0], node.output[0]].map((value) => shapeOf(value ?? ''));
  const kernel = intsOf(node, 'kernel_shape');
  const pads = intsOf(node, 'pads') ?? [];
  const dilations = intsOf(node, 'dilations') ?? [];
  return (
    isOnnxDomain(node.domain) &&
    Object.hasOwn(global, node.opType) &&
    plane?.length === 4 &&
    kernel?.join() === plane.slice(2).join() &&
    Math.max(...kernel) > 4 &&
    pooled?.slice(2).join() === '1,1' &&
    pads.every((pad) => pad === 0) &&
    dilations.every((step) => step === 1) &&
    node.output.slice(1).every((name) => name === '')
  );
}

/** Puts the global pooling in the place of one over the whole plane. */
export function makeGlobal(graph: Graph, node: NodeProto): void {
  const made = makeNode(global[node.opType] ?? '', node.input, node.output, { name: node.name });
  made.attribute = node.attribute.filter(({ name }) => name === 'p');
  graph.replace(node, made);
}

function pool({ shape }: Traced, node: NodeProto): Free | undefined {
  if (!poolsPlane(node, shape)) return undefined;
  return { sides: new Map(), isNew: true, write: (_writer, graph, one) => makeGlobal(graph, one) };
}

const finds: Readonly<Record<string, Find>> = {
  AveragePool: pool,
  ConstantOfShape: spread,
  Div: division,
  Expand: spread,
  LpPool: pool,
  MaxPool: pool,
  Mul: division,
  Pad: pad,
  Reshape: reshape,
  Resize: resize,
  Slice: slice,
  Tile: spread,
};

/** What has a node follow the image that holds a size as a constant; undefined for one that holds none, or one that cannot be told. */
export function freeingOf(traced: Traced, node: NodeProto): Free | undefined {
  return isOnnxDomain(node.domain) ? finds[node.opType]?.(traced, node) : undefined;
}
