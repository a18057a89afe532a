/** A mean, and where it lies with 95 % confidence if photos like these were drawn again; undefined of a single one. */
export interface Estimate {
  readonly mean: number;
  readonly interval: readonly [low: number, high: number] | undefined;
}

const draws = 10_000;
const confidence = 0.95;

/** Numbers in [0, 1) that are the same each time: mulberry32, by Tommy Ettinger, in the public domain. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** By the percentiles of means of draws with replacement (Efron 1979). */
export function estimate(values: readonly number[]): Estimate {
  const mean = meanOf(values);
  if (values.length < 2) return { mean, interval: undefined };
  const random = generator(values.length);
  const means = Float64Array.from({ length: draws }, () => {
    let sum = 0;
    for (let i = 0; i < values.length; i++) sum += values[Math.floor(random() * values.length)] as number;
    return sum / values.length;
  }).sort();
  const at = (share: number) => means[Math.round(share * (draws - 1))] as number;
  return { mean, interval: [at((1 - confidence) / 2), at((1 + confidence) / 2)] };
}
