// How much of the photo around a piece its pixels depend on.
import type { Site } from '../conversion/record.js';

/** What a network has of statistics: means that scale, normalizations, windows that are images of their own. */
type Kind = 'means' | 'normalizations' | 'windows';

/**
 * In windows of the base size: no halo is smaller than the first, since photos may hold what no trial does; at the second pieces must agree with
 * the whole, since each statistic damps what comes from afar. A normalization lets more through than a mean that scales, and windows are cut
 * off whole.
 */
const windowsFor: Readonly<Record<Kind, readonly [least: number, agreed: number]>> = {
  means: [1, 2],
  normalizations: [1.5, 2.5],
  windows: [2.5, 4],
};

const means = ['LocalAveragePool', 'ReplicateScale'];

function kindOf(sites: readonly Site[]): Kind {
  if (sites.some(({ operator }) => operator === 'LocalWindowPartition')) return 'windows';
  return sites.every(({ operator }) => means.includes(operator)) ? 'means' : 'normalizations';
}

/** For a converted network, along an axis of its base size: the least halo, and where pieces must agree with the whole. */
export function halosFor(sites: readonly Site[], base: number): readonly [least: number, agreed: number] {
  const [least, agreed] = windowsFor[kindOf(sites)];
  return [Math.ceil(base * least), Math.ceil(base * agreed)];
}

/** What a reach may be longer elsewhere than where it was measured: windows begin at places of their own. */
export function spareFor(sites: readonly Site[], base: number): number {
  return kindOf(sites) === 'windows' ? base : 0;
}
