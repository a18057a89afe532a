// How the target of a Reshape follows what is reshaped.
import type { Length, Side } from './size-writer.js';

/** Axes that a Reshape joins or parts, on both sides: as many elements, in the same order. */
interface Group {
  readonly from: readonly number[];
  readonly to: readonly number[];
}

/** The least groups of axes that a Reshape makes of each other. */
export function groupsOf(before: readonly number[], after: readonly number[]): Group[] {
  const groups: Group[] = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    const [from, to] = [[i], [j]];
    let [left, right] = [before[i++] ?? 1, after[j++] ?? 1];
    while (left !== right) {
      if (left < right && i < before.length) {
        from.push(i);
        left *= before[i++] ?? 1;
      } else if (j < after.length) {
        to.push(j);
        right *= after[j++] ?? 1;
      } else return [];
    }
    groups.push({
      from: from.filter((axis) => axis < before.length),
      to: to.filter((axis) => axis < after.length),
    });
  }
  return groups;
}

/** Whether axes are parted into height and width, into a count and the rest, or do not grow at all, by how Reshapes like it were seen to do so. */
export type Parts = Map<string, 'plane' | 'count' | 'fixed'>;

/** What is known of the value that is reshaped. */
export interface Reshaped {
  readonly value: string;
  readonly before: readonly number[];
  readonly after: readonly number[];
  /** Whether an axis grows with the image: with one side of it, or with both. */
  growth(axis: number): 'none' | 'side' | 'pixels' | 'unknown';
  readonly parts: Parts;
  /** Another value that has two axes of these lengths next to each other, which are height and width of images. */
  planeLike(height: number, width: number): { value: string; axis: number } | undefined;
}

const axisOf = (value: string, axis: number): Length => ({ value, axis, times: 1, over: 1 });

/**
 * The sides of the target, worked out of the input: what joins axes is their product, what parts one counts how often the rest goes into
 * it, or has height and width of another image.
 */
export function targetOf(reshaped: Reshaped): Side[] {
  const { value, before, after } = reshaped;
  const sides: Side[] = after.map((side) => [side]);
  for (const { from, to } of groupsOf(before, after)) {
    const longFrom = from.filter((axis) => before[axis] !== 1);
    const longTo = to.filter((axis) => after[axis] !== 1);
    const part = longFrom.length > 0 ? partOf(reshaped, longFrom, longTo) : 'fixed';
    if (part === 'fixed') continue;
    const [first = 0, ...others] = longTo;
    const [only = 0, ...more] = longFrom;
    if (others.length === 0 && longTo.length === 1) {
      sides[first] = longFrom.map((axis) => axisOf(value, axis));
      continue;
    }
    const plane = part === 'plane' ? planeIn(reshaped, longTo) : undefined;
    const over = others.reduce((product, axis) => product * (after[axis] ?? 1), 1);
    const [last = 0] = longTo.slice(-1);
    if (plane) for (const [axis, side] of plane) sides[axis] = [side];
    else if (more.length === 0) sides[first] = [{ value, axis: only, times: 1, over }];
    // What is left when the others, groups of channels, are taken out.
    else sides[last] = [rest];
  }
  return sides;
}

/** What becomes of these axes, by what grows; where that is unknown, as Reshapes like this were seen to do, or most do. */
function partOf({ before, after, growth, parts }: Reshaped, from: readonly number[], to: readonly number[]) {
  const like = [before.length, from.join(), after.length, to.join()].join(' ');
  const seen = from.map(growth);
  if (seen.includes('unknown')) return parts.get(like) ?? 'plane';
  const sides = seen.filter((one) => one === 'side').length;
  const isPlane = seen.includes('pixels') || sides > 1;
  const part = isPlane ? 'plane' : sides > 0 ? 'count' : 'fixed';
  parts.set(like, part);
  return part;
}

/** What is left of all elements: one side of a target may say so. */
export const rest = -1;

/** Height and width among the axes that one is parted into. */
function planeIn({ after, planeLike }: Reshaped, to: readonly number[]): [number, Length][] | undefined {
  for (let i = to.length - 2; i >= 0; i--) {
    const [rows = 0, columns = 0] = to.slice(i, i + 2);
    const like = planeLike(after[rows] ?? 0, after[columns] ?? 0);
    if (like)
      return [
        [rows, axisOf(like.value, like.axis)],
        [columns, axisOf(like.value, like.axis + 1)],
      ];
  }
  return undefined;
}
