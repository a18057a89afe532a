// The nodes that take the mean of planes, or their sum or norm, wherever height and width lie.
import { intOf, isOnnxDomain, type NodeProto, reducesAll } from '../graph/proto.js';
import { type RuleContext, shapeOf } from '../rewrite/rule.js';
import { type Axes, placeOf } from './axes.js';

/** What is taken of planes. */
export type Kind = 'mean' | 'variance' | 'sum' | 'sum of squares' | 'sum of magnitudes' | 'norm';

const kinds: Readonly<Record<string, Kind | undefined>> = {
  GlobalAveragePool: 'mean',
  GlobalLpPool: 'norm',
  ReduceL1: 'sum of magnitudes',
  ReduceL2: 'norm',
  ReduceMean: 'mean',
  ReduceSum: 'sum',
  ReduceSumSquare: 'sum of squares',
};

/** Whether it is a mean or a variance. A plain sum is one: it is divided by the number of pixels, or refused. */
export function isMean(kind: Kind): boolean {
  return kind === 'mean' || kind === 'sum' || kind === 'variance';
}

/** Where the axes of an image are that one statistic of it is taken over. */
export interface Reduced {
  readonly image: string;
  /** Its axes, and which of them are reduced. */
  readonly axes: Axes;
  readonly places: readonly number[];
  /** Rows and columns, or the pixels of planes that are laid in rows. */
  readonly plane: readonly [number, number] | readonly [number];
}

/** A statistic of planes that can be made local. */
export interface Start extends Reduced {
  readonly node: NodeProto;
  readonly kind: Kind;
  /** The node that has reduced one side of the planes of which this reduces the other. */
  readonly first?: NodeProto | undefined;
  /** For a variance: the mean that has been taken off. */
  readonly mean?: Start | undefined;
  /** The nodes by which a sum is divided by the number of pixels, or a norm by its root. */
  readonly divisions?: readonly NodeProto[];
}

export function kindOf(node: NodeProto): Kind | undefined {
  if (!isOnnxDomain(node.domain)) return undefined;
  if (node.opType === 'GlobalLpPool') {
    const p = intOf(node, 'p', 2);
    return p === 2 ? 'norm' : p === 1 ? 'sum of magnitudes' : undefined;
  }
  return Object.hasOwn(kinds, node.opType) ? kinds[node.opType] : undefined;
}

/** The axes that the node reduces, from the first; undefined where they are computed at run time. */
function reducedPlaces({ graph }: RuleContext, node: NodeProto, rank: number): number[] | undefined {
  const every = Array.from({ length: rank }, (_, i) => i);
  if (node.opType.startsWith('Global')) return every.slice(2);
  const axes = graph.reducedAxes(node);
  if (!axes) return undefined;
  return reducesAll(node, axes) ? every : axes.map((axis) => placeOf(axis, rank));
}

/** Whether the node takes away the axes that it reduces. */
function dropsAxes(node: NodeProto): boolean {
  return node.opType.startsWith('Reduce') && intOf(node, 'keepdims', 1) === 0;
}

/** Rows and columns, or pixels, among the axes of a value; undefined for what is no image, or of one side alone. */
export function planeIn(context: RuleContext, value: string): Reduced['plane'] | undefined {
  const followed = context.growth.along(value);
  const [rows, columns, pixels] = (['rows', 'columns', 'pixels'] as const).map((what) =>
    followed.flatMap((one, i) => (one === what ? [i] : [])),
  );
  if (rows?.length === 1 && columns?.length === 1 && pixels?.length === 0)
    return [rows[0] as number, columns[0] as number];
  const [only, ...more] = pixels ?? [];
  const isLaid = rows?.length === 0 && columns?.length === 0 && more.length === 0;
  return isLaid && only !== undefined ? [only] : undefined;
}

function reduces(context: RuleContext, image: string, places: readonly number[]): Reduced | undefined {
  const plane = planeIn(context, image);
  if (!plane?.every((axis) => places.includes(axis))) return undefined;
  return { image, axes: measuredAxes(context, image), places, plane };
}

/** The axes of a value; which of them follow the batch shows when two images are fed. */
export function measuredAxes(context: RuleContext, value: string): Axes {
  const [one, two] = [context.batched?.one.shapes.get(value), context.batched?.two.shapes.get(value)];
  return (shapeOf(context, value) ?? []).map((size, i) => ({ size, isBatch: one?.[i] !== two?.[i] }));
}

/** A statistic over both sides of planes, in one step or in two of a kind; undefined for other nodes. */
export function startAt(context: RuleContext, node: NodeProto): Start | undefined {
  const kind = kindOf(node);
  const { graph, windowed } = context;
  if (!kind || windowed.has(node)) return undefined;
  const [input = ''] = node.input;
  const places = reducedPlaces(context, node, shapeOf(context, input)?.length ?? 0);
  if (!places) return undefined;
  const whole = reduces(context, input, places);
  if (whole) return { node, kind, ...whole };
  const first = graph.producer(input);
  if (first?.opType !== node.opType || kindOf(first) !== kind || kind === 'sum of squares') return undefined;
  const [image = ''] = first.input;
  const rank = shapeOf(context, image)?.length ?? 0;
  const taken = reducedPlaces(context, first, rank) ?? [];
  // A statistic of its own, of which this is one over channels.
  if (reduces(context, image, taken)) return undefined;
  const left = Array.from({ length: rank }, (_, i) => i).filter(
    (i) => !dropsAxes(first) || !taken.includes(i),
  );
  const both = reduces(context, image, [...taken, ...places.map((i) => left[i] ?? -1)]);
  return both && { node, kind, first, ...both };
}
