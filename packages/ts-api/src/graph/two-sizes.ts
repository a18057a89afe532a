// What the values of a model are like at two sizes of the image. What follows the image, and along which side, shows when they are
// compared.
import { TlscError } from '../errors.js';
import { type Size, showSize } from '../size.js';
import { type Measurement, measure, type ProbedModel } from './measure.js';
import { withNodes } from './model.js';
import { labelOf, type NodeProto } from './proto.js';

/** A node that fails, and how. */
export interface Failure {
  /** Name of the node, or its operator and output where it has none. */
  readonly node: string;
  /** Follows the node's name. */
  readonly reason: string;
}

/** What was seen at one image size. Where the model failed, of the nodes before the one that did. */
export interface Sample extends Omit<Measurement, 'types'> {
  readonly size: Size;
  readonly failure: Failure | undefined;
}

export type TwoSizes = readonly [trained: Sample, other: Sample];

/** As many failures as are looked behind. */
const mostFailures = 4;

/** Runs the model at one size; where a node fails, once more up to that node. */
async function sampleAt(probed: ProbedModel, size: Size, signal: AbortSignal | undefined): Promise<Sample> {
  let failure: Failure | undefined;
  let part = probed.model;
  let valued = [...probed.probes.values.keys()];
  for (let attempt = 0; attempt <= mostFailures; attempt++) {
    try {
      const measurement = failure
        ? await measure(part, size, probed.name, { valued, signal })
        : await probed.at(size, signal);
      return { size, ...measurement, failure };
    } catch (error) {
      if (!(error instanceof TlscError) || error.code !== 'ERR_TRAIN_SIZE') throw error;
      const failed = /Name:'(.*?)' Status Message: (.*)/s.exec(error.message);
      const { node: nodes } = part.graph;
      const index = nodes.findIndex((one) => labelOf(one) === failed?.[1]);
      const reason = `cannot run on an image of ${showSize(size)}: ${failed?.[2] ?? error.message}`;
      failure = { node: index < 0 ? 'the model' : (failed?.[1] ?? ''), reason };
      if (index < 0) break;
      const gone = new Set(nodes.slice(index).flatMap(({ output }) => output));
      valued = valued.filter((name) => !gone.has(name));
      part = withNodes(part, nodes.slice(0, index));
    }
  }
  return { size, shapes: new Map(), values: new Map(), failure };
}

/** Images of no more pixels are rather made larger: made smaller, and halved again and again, little would be left of them. */
const smallImage = 48 * 48;

/**
 * Sizes to compare with, as good multiples of powers of two as the size is, as far as can be; the first that the model runs at will do.
 * Height and width change by different factors, so that it shows which of the two an axis follows; by the same in the end, for models
 * that take squares alone.
 */
export function otherSizes([height, width]: Size): Size[] {
  const [quarters, twice] = [(height * 3) / 4, height * 2];
  const smaller: Size = [quarters, width / 2];
  const larger: Size[] = [
    [twice, (width * 3) / 2],
    [twice, width * 3],
  ];
  const [alikeSmaller, alikeLarger]: [Size, Size] = [
    [quarters, (width * 3) / 4],
    [twice, width * 2],
  ];
  const isSmall = height * width <= smallImage;
  const sizes = isSmall ? [...larger, alikeLarger] : [smaller, ...larger, alikeSmaller, alikeLarger];
  return sizes.filter((size) => size.every(Number.isInteger));
}

/** Height and width, where these are the last two of four axes. */
function planeOf({ shapes }: Sample, value: string | undefined): Size | undefined {
  const [, , height, width] = shapes.get(value ?? '') ?? [];
  return height === undefined || width === undefined ? undefined : [height, width];
}

/** What images are made larger by, to a multiple of a size. */
const padding = new Set(['Concat', 'Pad', 'Resize', 'Upsample']);

/**
 * The plane that images of both sizes are made as large as, on one side at least, by padding or otherwise: models do so that run at
 * multiples of a size. Undefined where they follow the image.
 */
function paddedPlane(nodes: readonly NodeProto[], [trained, other]: TwoSizes): Size | undefined {
  for (const { opType, input, output } of nodes) {
    if (!padding.has(opType)) continue;
    const [before, before2] = [trained, other].map((sample) => planeOf(sample, input[0]));
    const [after, after2] = [trained, other].map((sample) => planeOf(sample, output[0]));
    if (!before || !before2 || !after || !after2) continue;
    const isLost = [0, 1].some(
      (axis) =>
        before[axis] !== before2[axis] &&
        after[axis] === after2[axis] &&
        (after[axis] ?? 0) >= Math.max(before[axis] ?? 0, before2[axis] ?? 0),
    );
    if (isLost) return after;
  }
  return undefined;
}

/** The sample that shows more of the model. */
function better(a: Sample | undefined, b: Sample): Sample {
  return a && a.shapes.size >= b.shapes.size ? a : b;
}

/**
 * Runs the model at `size` and at another. Where it runs at no other, or all are alike to it, the second sample has a failure. Throws
 * what `ProbedModel.at` does.
 */
export async function sampleTwice(
  probed: ProbedModel,
  size: Size,
  signal?: AbortSignal,
  candidates: readonly Size[] = otherSizes(size),
): Promise<TwoSizes> {
  return sampleBeside(probed, await sampleAt(probed, size, signal), signal, candidates);
}

/** The same where it is known what is seen at the first size. */
export async function sampleBeside(
  probed: ProbedModel,
  trained: Sample,
  signal: AbortSignal | undefined,
  candidates: readonly Size[],
): Promise<TwoSizes> {
  const { size } = trained;
  const { node: nodes } = probed.model.graph;
  let failing: Sample | undefined;
  let padded: Size | undefined;
  for (const candidate of candidates) {
    const both = [trained, await sampleAt(probed, candidate, signal)] as const;
    const [, other] = both;
    const plane = paddedPlane(nodes, both);
    if (!other.failure && !plane) return both;
    padded ??= plane;
    if (other.failure) failing = better(failing, other);
  }
  if (padded) {
    // Larger than what it is padded to, and multiples of that.
    const both = [trained, await sampleAt(probed, [padded[0] * 2, padded[1] * 3], signal)] as const;
    if (!both[1].failure && !paddedPlane(nodes, both)) return both;
    failing ??= both[1].failure ? both[1] : undefined;
  }
  const reason = `makes images of every size as large as ${showSize(padded ?? size)}`;
  const none = { size, shapes: new Map(), values: new Map(), failure: { node: 'the model', reason } };
  return [trained, failing ?? none];
}
