// How far the distributions of a statistic lie apart.

/** Of one quantity. */
export type Sample = ArrayLike<number>;

interface Moments {
  readonly mean: number;
  readonly deviation: number;
}

export function momentsOf(sample: Sample): Moments {
  const values = Array.from(sample);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, deviation: Math.sqrt(variance) };
}

/** The 1-Wasserstein distance of two samples: the area between their distribution functions. */
export function wasserstein(one: Sample, other: Sample): number {
  const [a, b] = [Float64Array.from(one).sort(), Float64Array.from(other).sort()];
  let [i, j, area] = [0, 0, 0];
  let at = Math.min(a[0] as number, b[0] as number);
  while (i < a.length || j < b.length) {
    const next = Math.min(a[i] ?? Number.POSITIVE_INFINITY, b[j] ?? Number.POSITIVE_INFINITY);
    area += Math.abs(i / a.length - j / b.length) * (next - at);
    at = next;
    while (a[i] === at) i++;
    while (b[j] === at) j++;
  }
  return area;
}

/** How far a distribution is from that of training, in standard deviations of the latter. */
export interface Distance {
  /** 1-Wasserstein. */
  readonly wasserstein: number;
  /** Of the means, without their sign. */
  readonly shift: number;
}

/** Samples of several quantities, one row for each sample. */
export interface Samples {
  readonly rows: readonly Float32Array[];
  readonly groups: number;
}

/** What is no number, as where float16 overflows, has no place in a distribution. */
function columnOf({ rows }: Samples, group: number): Float64Array {
  return Float64Array.from(rows, (row) => row[group] as number).filter(Number.isFinite);
}

/** Deviations below so much of the mean are rounding. */
const nothing = 1e-6;

/** In deviations of the training sample; undefined where that does not vary. */
export function standardized(
  train: Samples,
  sample: Samples,
  group: number,
): [Float64Array, Float64Array] | undefined {
  const [trained, seen] = [columnOf(train, group), columnOf(sample, group)];
  if (trained.length === 0 || seen.length === 0) return undefined;
  const { mean, deviation } = momentsOf(trained);
  if (!(deviation > nothing * Math.abs(mean))) return undefined;
  const scale = (values: Float64Array) => values.map((value) => (value - mean) / deviation);
  return [scale(trained), scale(seen)];
}

/** The mean over all quantities that vary; undefined where none does. */
export function distanceOf(train: Samples, sample: Samples): Distance | undefined {
  const all = Array.from({ length: train.groups }, (_, group) => standardized(train, sample, group)).filter(
    (pair) => pair !== undefined,
  );
  if (all.length === 0) return undefined;
  const mean = (of: (pair: [Float64Array, Float64Array]) => number) =>
    all.reduce((sum, pair) => sum + of(pair), 0) / all.length;
  return {
    wasserstein: mean(([trained, seen]) => wasserstein(trained, seen)),
    shift: mean(([, seen]) => Math.abs(momentsOf(seen).mean)),
  };
}
