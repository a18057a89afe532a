// A model that was exported for images of one size becomes one for any: what it holds of that size as constants is worked out of the
// image instead.
import { Graph } from '../graph/graph.js';
import { Growth } from '../graph/growth.js';
import { imageInputsOf } from '../graph/inputs.js';
import { measure, type Shapes, withProbedModel } from '../graph/measure.js';
import { type Model, withNodes } from '../graph/model.js';
import { intsOf, isOnnxDomain, labelOf, type NodeProto } from '../graph/proto.js';
import { otherSizes, type Sample, sampleBeside, type TwoSizes } from '../graph/two-sizes.js';
import type { Size } from '../size.js';
import { type Free, freeingOf, makeGlobal, poolsPlane, type Traced } from './frozen-nodes.js';
import { freeImageSizes } from './image-sizes.js';
import { checkOwnSize } from './own-size.js';
import type { Parts } from './reshapes.js';
import { type Following, type Side, SizeWriter, sizeIn } from './size-writer.js';

/** What was freed. */
export interface Freed {
  /** The size that the model was exported for. */
  readonly size: Size;
  /** The nodes that held it, or sizes that follow from it. */
  readonly nodes: readonly string[];
}

/** A copy whose graph may be edited: nodes are replaced, not changed. */
function copyOf(model: Model): Model {
  const copy = withNodes(model, model.graph.node);
  copy.graph.initializer = [...model.graph.initializer];
  copy.graph.valueInfo = [...model.graph.valueInfo];
  return copy;
}

/** All that `freeingOf` finds in a model, by its shapes at the traced size and what is known of growth. */
class Freeing {
  readonly #planes = new Map<string, { value: string; axis: number; position: number }>();

  constructor(
    readonly shapes: Shapes,
    readonly sizes: TwoSizes | undefined,
    readonly parts: Parts,
  ) {}

  /** Height and width of the smallest plane. */
  get #smallest(): readonly number[] {
    const planes = [...this.#planes.keys()].map((key) => key.split(',').map(Number));
    return [0, 1].map((i) => Math.min(...planes.map((plane) => plane[i] ?? Number.POSITIVE_INFINITY)));
  }

  /** How the nodes of a model are to be freed, by where they stand. */
  decide(model: Model): Map<number, Free> {
    const graph = new Graph(model.graph, model.externalDataFolder);
    const traced = this.#trace(graph, model);
    const frees = graph.nodes.map((node, i) => [i, freeingOf(traced, node)] as const);
    return new Map(frees.flatMap(([i, free]) => (free ? [[i, free] as const] : [])));
  }

  #trace(graph: Graph, model: Model): Traced {
    const growth = this.sizes && new Growth(this.sizes);
    const seen = this.sizes?.[1].shapes;
    const [input] = imageInputsOf(model, [0, 0]);
    const image = input?.name ?? '';
    const sides = input ? [input.layout.rows, input.layout.columns].map(Number) : [];
    const order = new Map(graph.nodes.map((node, i) => [node, i]));
    this.#see(image, -1, graph, growth);
    for (const [node, i] of order) for (const value of node.output) this.#see(value, i, graph, growth);
    const smallest = this.#smallest;
    const sideOf = (axis: number, more: Partial<Following> = {}): Side | undefined =>
      sides.includes(axis) ? [{ value: image, axis, times: 1, over: 1, ...more }] : undefined;
    return {
      graph,
      shape: (value) => this.shapes.get(value) ?? graph.constant(value)?.dims.map(Number),
      growth(value, axis) {
        if (!growth || !seen?.has(value)) {
          if (!isLayer(graph.producer(value))) return 'unknown';
          return axis < 2 ? 'none' : 'side';
        }
        const one = growth.of(value, axis);
        return one === 'rows' || one === 'columns' ? 'side' : (one ?? 'none');
      },
      parts: this.parts,
      planeLike: (node, height, width) => {
        const like = this.#planes.get([height, width].join());
        return like && like.position < (order.get(node) ?? 0) ? like : undefined;
      },
      isImage: (value) => value === image,
      imageSide: (axis, length) => (this.shapes.get(image)?.[axis] === length ? sideOf(axis) : undefined),
      missing: (axis, padded) => {
        const least = smallest[sides.indexOf(axis)] ?? padded;
        return Number.isInteger(padded / least) ? sideOf(axis, { multiple: padded / least }) : undefined;
      },
    };
  }

  /** Remembers the first value of each size of plane. */
  #see(value: string, position: number, graph: Graph, growth: Growth | undefined): void {
    const shape = this.shapes.get(value) ?? [];
    if (shape.length < 4) return;
    const isSeen = this.sizes?.[1].shapes.has(value) === true;
    // Until it is known what grows, planes are what layers of images give or take.
    const producer = graph.producer(value);
    const isImage = !producer || isLayer(producer) || graph.consumers(value).some(isLayer);
    for (const axis of shape.slice(1).keys()) {
      const plane = shape.slice(axis, axis + 2);
      const isPlane = isSeen
        ? growth?.arePlane(value, axis, axis + 1)
        : shape.length === 4 && axis === 2 && isImage;
      if (!isPlane || plane.some((side) => side < 2) || this.#planes.has(plane.join())) continue;
      this.#planes.set(plane.join(), { value, axis, position });
    }
  }
}

/** Layers of images, N×C×H×W. */
const imageLayers = new Set([
  'AveragePool',
  'Conv',
  'ConvTranspose',
  'DepthToSpace',
  'MaxPool',
  'Pad',
  'Resize',
  'SpaceToDepth',
]);

function isLayer(node: NodeProto | undefined): boolean {
  return node !== undefined && isOnnxDomain(node.domain) && imageLayers.has(node.opType);
}

/** As often as something new may be learned of what grows. */
const mostRounds = 32;

/** A model whose nodes have been freed as decided, and what two runs of it showed. */
interface Trial {
  readonly model: Model;
  readonly frees: ReadonlyMap<number, Free>;
  readonly sizes: TwoSizes;
}

/** What is freed, and how it is tried. */
interface Attempt {
  readonly model: Model;
  readonly name: string;
  /** What it is like at its own size, freed or not. */
  readonly own: Sample;
  /** The size that it is tried at. */
  readonly other: Size;
  readonly signal: AbortSignal | undefined;
}

async function tryOut({ model, name, own, other, signal }: Attempt, freeing: Freeing): Promise<Trial> {
  const trial = copyOf(model);
  const graph = new Graph(trial.graph, trial.externalDataFolder);
  const frees = freeing.decide(model);
  const writer = new SizeWriter(graph);
  for (const [i, free] of frees) if (free.isNew) free.write(writer, graph, model.graph.node[i] as NodeProto);
  const sizes = await withProbedModel(trial, name, {}, (probed) =>
    sampleBeside(probed, own, signal, [other]),
  );
  return { model: trial, frees, sizes };
}

/** What was seen of the values that are computed before a node: behind a wrong decision, shapes are wrong, too. */
function seenBefore([trained, other]: TwoSizes, nodes: readonly NodeProto[], position: number): TwoSizes {
  const behind = new Set(nodes.slice(position).flatMap(({ output }) => output));
  const shapes = new Map([...other.shapes].filter(([value]) => !behind.has(value)));
  return [trained, { ...other, shapes }];
}

/** The first node of which two decisions come to different sizes at the other size. */
function firstDifference(
  a: ReadonlyMap<number, Free>,
  b: ReadonlyMap<number, Free>,
  { shapes }: Sample,
): number | undefined {
  const sizesOf = (free: Free | undefined) =>
    [...(free?.sides.values() ?? [])].flatMap((sides) =>
      sides.map((side) => sizeIn(side, (value) => shapes.get(value))),
    );
  const positions = [...new Set([...a.keys(), ...b.keys()])].sort((one, other) => one - other);
  return positions.find((i) => sizesOf(a.get(i)).join() !== sizesOf(b.get(i)).join());
}

/**
 * Decides, looks at two sizes what comes of it, and decides again by what is seen to grow, until nothing changes any more: what a node
 * should do is certain where what it reads was seen, and what it reads is right up to the first node of which something wrong was
 * decided.
 */
async function searchAt(attempt: Attempt, parts: Parts): Promise<Trial> {
  const { shapes } = attempt.own;
  let known: TwoSizes | undefined;
  let reached = -1;
  for (let round = 0; ; round++) {
    const trial = await tryOut(attempt, new Freeing(shapes, known, parts));
    const again = new Freeing(shapes, trial.sizes, parts).decide(attempt.model);
    const wrong = firstDifference(trial.frees, again, trial.sizes[1]);
    // Once all was seen, what does not grow is left as it was.
    if (wrong === undefined && !trial.sizes[1].failure)
      return tryOut(attempt, new Freeing(shapes, trial.sizes, parts));
    if (wrong === undefined || wrong <= reached || round === mostRounds) return trial;
    reached = wrong;
    known = seenBefore(trial.sizes, attempt.model.graph.node, wrong);
  }
}

/** The first trial that runs at another size; failing that, the first of all. */
async function search(model: Model, name: string, size: Size, signal?: AbortSignal): Promise<Trial> {
  const own = { size, ...(await measure(model, size, name, { signal })), failure: undefined };
  const parts: Parts = new Map();
  let first: Trial | undefined;
  for (const other of otherSizes(size)) {
    const trial = await searchAt({ model, name, own, other, signal }, parts);
    if (!trial.sizes[1].failure) return trial;
    first ??= trial;
  }
  return first ?? searchAt({ model, name, own, other: size, signal }, parts);
}

/**
 * Makes height and width of the model's images free where they are fixed, in place, and has all nodes follow them that hold sizes as
 * constants, as far as can be told. Says what size they were; undefined, and the model as it was, where they are free already. Whether
 * it runs at other sizes now, and what still depends on the old one, is for the caller to find out. Throws ERR_UNSUPPORTED_MODEL where
 * the model no longer gives at its own size what it gave, and what `ProbedModel` does.
 */
export async function freeSizes(
  model: Model,
  name: string,
  signal?: AbortSignal,
): Promise<Freed | undefined> {
  const original = copyOf(model);
  original.graph.input = structuredClone(model.graph.input);
  const size = freeImageSizes(model);
  if (!size) return undefined;
  const { model: freed, frees, sizes } = await search(model, name, size, signal);
  const nodes = [...frees].flatMap(([i, { isNew }]) => (isNew ? (model.graph.node[i] ?? []) : []));
  if (nodes.length > 0 && !sizes[1].failure) await checkOwnSize(original, freed, size, name, signal);
  model.graph.node = freed.graph.node;
  model.graph.initializer = freed.graph.initializer;
  model.graph.valueInfo = freed.graph.valueInfo;
  return { size, nodes: nodes.map(labelOf) };
}

/** Poolings that may be over the whole plane. */
function largePoolsOf({ graph }: Model): NodeProto[] {
  const kinds = ['AveragePool', 'LpPool', 'MaxPool'];
  return graph.node.filter(
    (node) => kinds.includes(node.opType) && Math.max(...(intsOf(node, 'kernel_shape') ?? [0])) > 4,
  );
}

export function hasLargePools(model: Model): boolean {
  return largePoolsOf(model).length > 0;
}

/**
 * Poolings over the whole plane at this size become global, in place: at larger sizes they were none any more. Whether there are any.
 */
export async function freePlanePools(
  model: Model,
  size: Size,
  name: string,
  signal?: AbortSignal,
): Promise<boolean> {
  const pools = largePoolsOf(model);
  if (pools.length === 0) return false;
  const { shapes } = await measure(model, size, name, { signal });
  const graph = new Graph(model.graph, model.externalDataFolder);
  const found = pools.filter((node) => poolsPlane(node, (value) => shapes.get(value)));
  for (const node of found) makeGlobal(graph, node);
  return found.length > 0;
}
