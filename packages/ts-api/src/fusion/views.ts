// How the elements of an image lie in what nodes make of it that only rearrange them.
import type { Shapes } from '../graph/measure.js';

/**
 * For each axis of a value those of the image that it goes through, the outermost first: [[0], [2, 3], [1]] are the channels of pixel after
 * pixel. An axis that goes through none is of one element, or repeats the others.
 */
export type View = readonly (readonly number[])[];

/** N×C×H×W as it is. */
export const asItIs: View = [[0], [1], [2], [3]];
export const channelAxis = 1;

/** The lengths of an axis at each of the sizes that a model was seen at. */
type Lengths = readonly number[];

function sameAxis(a: readonly number[] | undefined, b: readonly number[] | undefined): boolean {
  return a?.join() === b?.join();
}

export function sameView(a: View, b: View): boolean {
  return a.length === b.length && a.every((axis, i) => sameAxis(axis, b[i]));
}

/** The place of the axis that goes through the channels alone; -1 where there is none. */
export function channelPlace(view: View): number {
  return view.findIndex((axis) => sameAxis(axis, [channelAxis]));
}

export function transposed(view: View, perm: readonly number[]): View {
  return perm.map((axis) => view[axis] ?? []);
}

/** Without the channels, whose axis stays with one element, or goes. */
export function withoutChannels(view: View, isKept: boolean): View {
  const place = channelPlace(view);
  return isKept ? view.map((axis, i) => (i === place ? [] : axis)) : view.filter((_, i) => i !== place);
}

/** What two views become that broadcast against each other; undefined where they do not fit. */
export function together(a: View, b: View): View | undefined {
  const rank = Math.max(a.length, b.length);
  const at = (view: View, i: number) => view[i - rank + view.length] ?? [];
  const axes = Array.from({ length: rank }, (_, i) => [at(a, i), at(b, i)] as const);
  const fits = axes.every(([one, other]) => one.length === 0 || other.length === 0 || sameAxis(one, other));
  return fits ? axes.map(([one, other]) => (one.length > 0 ? one : other)) : undefined;
}

/** The lengths of all axes of a value; undefined where its rank is not the same at all sizes, or not known. */
export function lengthsOf(looks: readonly Shapes[], value: string): readonly Lengths[] | undefined {
  const shapes = looks.map((look) => look.get(value));
  const rank = shapes[0]?.length;
  if (rank === undefined || shapes.some((shape) => shape?.length !== rank)) return undefined;
  return Array.from({ length: rank }, (_, axis) => shapes.map((shape) => shape?.[axis] ?? 0));
}

/**
 * What is seen through a Reshape, or whatever else leaves elements in their order, to axes of the lengths `after`, where those of the image
 * have the lengths `image`. Undefined where an axis of the image would be cut.
 */
export function reshaped(view: View, image: readonly Lengths[], after: readonly Lengths[]): View | undefined {
  const atoms = view.flat();
  const axes: number[][] = [];
  for (const target of after) {
    const axis: number[] = [];
    let length = target.map(() => 1);
    for (;;) {
      const next = image[atoms[0] ?? -1];
      const isDone = length.join() === target.join();
      // One of a single element belongs to the first axis of one.
      if (isDone && (axis.length > 0 || next?.some((side) => side !== 1) !== false)) break;
      if (!next) return undefined;
      axis.push(atoms.shift() as number);
      length = length.map((side, i) => side * (next[i] ?? 0));
      if (length.some((side, i) => side > (target[i] ?? 0))) return undefined;
    }
    axes.push(axis);
  }
  const isOver = atoms.some((atom) => image[atom]?.some((side) => side !== 1));
  if (isOver) return undefined;
  axes.at(-1)?.push(...atoms);
  return axes;
}
