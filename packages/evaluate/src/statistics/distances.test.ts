import { describe, expect, it } from 'vitest';
import { distanceOf, wasserstein } from './distances.js';

const samplesOf = (rows: readonly (readonly number[])[]) => ({
  rows: rows.map((row) => Float32Array.from(row)),
  groups: rows[0]?.length ?? 0,
});

describe('distances', () => {
  // By scipy.stats.wasserstein_distance of SciPy 1.17.
  it.each([
    [[0, 1, 3], [5, 6, 8], 5],
    [[0, 1], [0, 1], 0],
    [[3.4, 3.9, 7.5, 7.8], [4.5, 1.4], 2.7],
    [[1, 1, 2], [1.5], 0.5],
  ])('of %j and %j is that of SciPy', (one, other, expected) => {
    expect(wasserstein(one, other)).toBeCloseTo(expected, 12);
    expect(wasserstein(other, one)).toBeCloseTo(expected, 12);
  });

  it('are in deviations of what was trained on, the mean of all that vary', () => {
    const train = samplesOf([
      [0, 10, 7],
      [2, 30, 7],
    ]);
    const seen = samplesOf([[2, 20, 9]]);
    // Means 1 and 20, deviations 1 and 10; the third does not vary.
    expect(distanceOf(train, seen)).toEqual({ wasserstein: 1, shift: 0.5 });
    expect(distanceOf(train, train)).toEqual({ wasserstein: 0, shift: 0 });
    expect(distanceOf(samplesOf([[7], [7]]), samplesOf([[8]]))).toBeUndefined();
  });
});
