// How much of the photo around a piece its pixels depend on.
import type { Site } from '../conversion/record.js';

/** What a network has of statistics: means that scale, normalizations, windows that are images of their own. */
type Kind = 'means' | 'normalizations' | 'windows';

/**
 * In windows of the base size: no less than that, since photos may hold what no trial does, and no more, since nothing was seen to get there
 * through a statistic, by which all that comes from afar is damped. A normalization lets more through than a mean that scales, and windows
 * are cut off whole.
 */
const windowsFor: Readonly<Record<Kind, readonly [least: number, most: number]>> = {
  means: [1, 2],
  normalizations: [1.5, 2.5],
  windows: [2.5, 4],
};

const means = ['LocalAveragePool', 'ReplicateScale'];

function kindOf(sites: readonly Site[]): Kind {
  if (sites.some(({ operator }) => operator === 'LocalWindowPartition')) return 'windows';
  return sites.every(({ operator }) => means.includes(operator)) ? 'means' : 'normalizations';
}

/** The least and the largest halo for a converted network, along an axis of its base size. */
export function halosFor(sites: readonly Site[], base: number): readonly [least: number, most: number] {
  const [least, most] = windowsFor[kindOf(sites)];
  return [Math.ceil(base * least), Math.ceil(base * most)];
}

/** What a reach may be longer elsewhere than where it was measured: windows begin at places of their own. */
export function spareFor(sites: readonly Site[], base: number): number {
  return kindOf(sites) === 'windows' ? base : 0;
}
