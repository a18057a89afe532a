// How much of the photo around a piece its pixels depend on.
import type { Site } from '../conversion/record.js';

/**
 * In windows of the base size: where values differ by less than half a step of 8 bits. Measured on trained and on random networks
 * (docs/photos.md); what a statistic lets through of what is farther away is damped by the next one. A normalization lets more through than a
 * mean that scales, and windows are cut off whole.
 */
const windowsFor = { means: 1.25, normalizations: 1.75, windows: 3 };

const means = ['LocalAveragePool', 'ReplicateScale'];

function windowsOf(sites: readonly Site[]): number {
  if (sites.some(({ operator }) => operator === 'LocalWindowPartition')) return windowsFor.windows;
  return sites.every(({ operator }) => means.includes(operator))
    ? windowsFor.means
    : windowsFor.normalizations;
}

/** Halos for a converted network, along an axis of its base size: the one that its kinds of statistics call for, and larger ones. */
export function halosFor(sites: readonly Site[], base: number): number[] {
  const enough = windowsOf(sites);
  return Object.values(windowsFor)
    .filter((windows) => windows >= enough)
    .map((windows) => Math.ceil(base * windows));
}
