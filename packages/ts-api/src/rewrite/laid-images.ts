// Images whose planes are laid in rows, one pixel after the other, and the images that are made of rows again.
import type { NodeProto } from '../graph/proto.js';
import type { Size } from '../size.js';
import { type RuleContext, shapeOf } from './rule.js';

/** Where the channels of an image are: N×C×H×W, or N×H×W×C. */
export type Layout = 'channels first' | 'channels last';

/** An image whose planes a Reshape lays in rows, before any Reshapes above that keep planes. */
export interface LaidImage {
  readonly image: string;
  readonly layout: Layout;
  /** Which axis of the rows is the pixels, from the first. */
  readonly pixelAxis: number;
}

/** What the sides of an image are. */
export function imageSidesOf(shape: readonly number[], layout: Layout) {
  const [batch = 0, second = 0, third = 0, last = 0] = shape;
  const [channels, plane]: [number, Size] =
    layout === 'channels first' ? [second, [third, last]] : [last, [second, third]];
  return { batch, channels, plane };
}

/** What was found before Reshapes that keep planes: there may be thousands in a row, and each is asked of. */
const origins = new WeakMap<RuleContext, Map<string, string>>();

/** The same image before any Reshapes that keep its planes. */
function beforeReshapes(context: RuleContext, laid: string, plane: readonly number[]): string {
  const known = origins.get(context) ?? new Map<string, string>();
  origins.set(context, known);
  const passed: string[] = [];
  let image = laid;
  while (!known.has(image)) {
    passed.push(image);
    const above = context.graph.producer(image);
    const [input = ''] = above?.opType === 'Reshape' ? above.input : [];
    const before = shapeOf(context, input) ?? [];
    if (before.length < 4 || before.slice(-2).join() !== plane.join()) break;
    image = input;
  }
  const origin = known.get(image) ?? image;
  for (const value of passed) known.set(value, origin);
  return origin;
}

/** The image whose planes a Reshape lays in rows; undefined if it lays none. */
export function laidImage(context: RuleContext, node: NodeProto): LaidImage | undefined {
  const { growth } = context;
  const [input = ''] = node.input;
  const [rows = ''] = node.output;
  const shape = shapeOf(context, input) ?? [];
  const rank = shapeOf(context, rows)?.length ?? 0;
  if (node.opType !== 'Reshape' || shape.length < 4) return undefined;
  const isOf = (axis: number, [height = 0, width = 0]: readonly number[]) =>
    height > 1 && width > 1 && shapeOf(context, rows)?.[axis] === height * width;
  if (growth.arePlane(input, -2, -1)) {
    const plane = shape.slice(-2);
    if (!isOf(rank - 1, plane)) return undefined;
    return { image: beforeReshapes(context, input, plane), layout: 'channels first', pixelAxis: rank - 1 };
  }
  const isLast = shape.length === 4 && growth.arePlane(input, 1, 2) && growth.of(input, 3) === undefined;
  if (!isLast || !isOf(1, shape.slice(1, 3))) return undefined;
  return { image: input, layout: 'channels last', pixelAxis: 1 };
}

/**
 * The image nearest above the node whose planes are laid in rows of `length` pixels; if there is none, the nearest that is laid in rows,
 * which may have become longer since.
 */
export function findLaidImage(context: RuleContext, node: NodeProto, length: number): LaidImage | undefined {
  const seen = new Set([node]);
  let nearest: LaidImage | undefined;
  for (const next of seen) {
    const laid = laidImage(context, next);
    const shape = shapeOf(context, next.output[0] ?? '');
    if (laid && shape?.[laid.pixelAxis] === length) return laid;
    nearest ??= laid;
    for (const above of next.input.map((value) => context.graph.producer(value))) if (above) seen.add(above);
  }
  return nearest;
}
