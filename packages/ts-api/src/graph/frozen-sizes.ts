// Sizes that exporters have written into the graph as constants where the network computes them of the image: int(H / 2) of
// MPRNet's four quarters for instance. Such a model runs at other sizes than the one it was traced at, but wrong. What follows the
// image and what does not shows when the shapes at two image sizes are compared.
import { type Size, showSize } from '../size.js';
import type { Graph } from './graph.js';
import type { Model } from './model.js';
import { intsOf, isOnnxDomain, labelOf, type NodeProto } from './proto.js';
import type { Sample, TwoSizes } from './two-sizes.js';

/** A node that does not follow the size of the image. */
export interface FrozenSize {
  /** Name of the node, or its operator and output where it has none. */
  readonly node: string;
  /** Follows the node's name. */
  readonly reason: string;
}

/** Inputs that say how large an output is to be, or where it is cut. */
const sizeInputs: Readonly<Record<string, readonly number[]>> = {
  ConstantOfShape: [0],
  Expand: [1],
  Pad: [1, 3],
  Reshape: [1],
  Resize: [3],
  Slice: [1, 2, 3, 4],
  Tile: [1],
};

/** The values that `findFrozenSizes` goes by, to be told of a model. */
export function sizesAskedOf({ graph }: Model): string[] {
  const asked = graph.node.flatMap((node) =>
    isOnnxDomain(node.domain) ? (sizeInputs[node.opType] ?? []).map((i) => node.input[i] ?? '') : [],
  );
  const computed = graph.node.flatMap(({ output }) => output);
  const given = [...graph.initializer, ...graph.input].map((one) => one.name);
  const there = new Set([...computed, ...given]);
  return [...new Set(asked)].filter((name) => name !== '' && there.has(name));
}

/** An end of a Slice from which on it means: to the end, whatever the size. */
const openEnd = 2 ** 30;

/** Borders are a few pixels wide. */
const widestStrip = 16;

class Comparison {
  /**
   * Whether what comes out has the size of the image, or a multiple of it, at both sizes: what is then cut off and put on along the way
   * are borders, such as convolutions without padding lose, however wide.
   */
  readonly keepsPace: boolean;

  constructor(
    readonly graph: Graph,
    readonly trained: Sample,
    readonly other: Sample,
  ) {
    const factors = [0, 1].map((side) => (other.size[side] ?? 0) / (trained.size[side] ?? 1));
    const growths = [...trained.shapes].flatMap(([value, shape]) => {
      const after = graph.isOutput(value) ? other.shapes.get(value) : undefined;
      const growing = shape.map((length, axis) => (after?.[axis] ?? 0) / length).filter((by) => by !== 1);
      return after ? [growing.join()] : [];
    });
    this.keepsPace = growths.length > 0 && growths.every((growth) => growth === factors.join());
  }

  /** The sides of an axis at both sizes, when they differ. */
  sides(value: string, axis: number): Size | undefined {
    const at = ({ shapes }: Sample) => shapes.get(value)?.at(axis);
    const [trained, other] = [at(this.trained), at(this.other)];
    return trained !== undefined && other !== undefined && trained !== other ? [trained, other] : undefined;
  }

  rank(value: string): number {
    return this.trained.shapes.get(value)?.length ?? 0;
  }

  /** What an input holds, where it is the same at both sizes; undefined in place of a number that is not. */
  constants(value: string | undefined): readonly (number | undefined)[] | undefined {
    const [trained, other] = [this.trained, this.other].map(({ values }) => values.get(value ?? ''));
    return trained?.map((number, i) => (number === other?.[i] ? number : undefined));
  }

  /** Height and width of a value whose last two axes are the same at both sizes. */
  fixedPlane(value: string): Size | undefined {
    const [trained, other] = [this.trained, this.other].map(({ shapes }) => shapes.get(value)?.slice(-2));
    if (trained?.length !== 2 || trained.join() !== other?.join()) return undefined;
    return [trained[0] ?? 0, trained[1] ?? 0];
  }

  /** Whether both last axes of a value follow the image, and are of this size at one of the two. */
  followsFrom(value: string, plane: Size): boolean {
    const [height, width] = [this.sides(value, -2), this.sides(value, -1)];
    return [0, 1].some((at) => height?.[at] === plane[0] && width?.[at] === plane[1]);
  }
}

type Check = (compared: Comparison, node: NodeProto) => string | undefined;

/** Rows kept from one end count for as many at any size; rows cut off are a border where they are few. */
function checkSlice(compared: Comparison, node: NodeProto): string | undefined {
  const [data = ''] = node.input;
  const [starts, ends, axes] = node.input.slice(1, 4).map((input) => compared.constants(input));
  const steps = compared.constants(node.input[4]);
  const rank = compared.rank(data);
  for (const [i, start] of (starts ?? []).entries()) {
    const axis = axes ? axes[i] : i;
    const end = ends?.[i];
    if (axis === undefined || start === undefined || end === undefined || (steps?.[i] ?? 1) < 1) continue;
    const sides = compared.sides(data, axis < 0 ? axis + rank : axis);
    if (!sides) continue;
    const smallest = Math.min(...sides);
    const where = `axis ${axis}, which follows the size of the image`;
    const opens = end >= openEnd;
    const kept = start < 0 === end < 0 && !opens ? end - start : opens && start < 0 ? -start : 0;
    if (kept > widestStrip || (kept > 2 && kept * 4 > smallest))
      return `always takes ${kept} along ${where} (${start} to ${opens ? 'the end' : end})`;
    if (compared.keepsPace) continue;
    const cut = start >= 0 && (opens || end < 0) ? Math.max(start, opens ? 0 : -end) : 0;
    if (cut > 2 && cut * 4 > smallest) return `always leaves out ${cut} along ${where}`;
  }
  return undefined;
}

function checkPad(compared: Comparison, node: NodeProto): string | undefined {
  if (compared.keepsPace) return undefined;
  const [data = '', pads] = node.input;
  const rank = compared.rank(data);
  const amounts = compared.constants(pads);
  const axes = compared.constants(node.input[3]) ?? Array.from({ length: rank }, (_, axis) => axis);
  for (const [i, amount] of (amounts ?? []).entries()) {
    const axis = axes[i % axes.length];
    const sides = axis === undefined ? undefined : compared.sides(data, axis < 0 ? axis + rank : axis);
    const size = Math.abs(amount ?? 0);
    if (sides && size > 2 && size * 4 > Math.min(...sides))
      return `always pads axis ${axis}, which follows the size of the image, by ${amount}`;
  }
  return undefined;
}

function checkResize(compared: Comparison, node: NodeProto): string | undefined {
  const [data = '', , , sizes] = node.input;
  if (!sizes || !compared.sides(data, -2) || !compared.sides(data, -1)) return undefined;
  const plane = compared.fixedPlane(node.output[0] ?? '');
  return plane && Math.max(...plane) > 1 ? `always resizes to ${showSize(plane)}` : undefined;
}

/** To a plane that its input has, or has laid in rows, at one of the two sizes; windows of fixed size are fine. */
function checkReshape(compared: Comparison, node: NodeProto): string | undefined {
  const [data = '', shape] = node.input;
  const plane = compared.fixedPlane(node.output[0] ?? '');
  const constants = compared.constants(shape)?.slice(-2);
  if (!plane || plane.includes(1) || constants?.join() !== plane.join()) return undefined;
  const inRows = compared.sides(data, -2) ? undefined : compared.sides(data, -1);
  const wasPlane = compared.followsFrom(data, plane) || inRows?.includes(plane[0] * plane[1]);
  return wasPlane ? `always gives planes of ${showSize(plane)}` : undefined;
}

/** Made as large as the image was at one of the two sizes, to meet it. */
function checkFilled(compared: Comparison, node: NodeProto): string | undefined {
  const [output = ''] = node.output;
  const plane = compared.fixedPlane(output);
  if (!plane || plane.includes(1)) return undefined;
  const others = compared.graph.consumers(output).flatMap(({ input }) => input);
  const meets = others.some((other) => other !== output && compared.followsFrom(other, plane));
  return meets ? `always makes planes of ${showSize(plane)}` : undefined;
}

function checkAveragePool(compared: Comparison, node: NodeProto): string | undefined {
  const [height = 0, width = 0] = intsOf(node, 'kernel_shape') ?? [];
  const spans = compared.followsFrom(node.input[0] ?? '', [height, width]);
  if (!spans || Math.max(height, width) <= 4) return undefined;
  return `averages ${showSize([height, width])}, the whole plane at one size of the image, and not at others`;
}

const checks: Readonly<Record<string, Check>> = {
  AveragePool: checkAveragePool,
  ConstantOfShape: checkFilled,
  Expand: checkFilled,
  Pad: checkPad,
  Reshape: checkReshape,
  Resize: checkResize,
  Slice: checkSlice,
  Tile: checkFilled,
};

/** Every node of the graph whose result does not follow the size of the image though its input does, and where the model failed. */
export function findFrozenSizes(graph: Graph, [trained, other]: TwoSizes): FrozenSize[] {
  const compared = new Comparison(graph, trained, other);
  const found = graph.nodes.flatMap((node) => {
    const reason = isOnnxDomain(node.domain) ? checks[node.opType]?.(compared, node) : undefined;
    return reason ? [{ node: labelOf(node), reason }] : [];
  });
  const failure = trained.failure ?? other.failure;
  return failure ? [...found, failure] : found;
}
