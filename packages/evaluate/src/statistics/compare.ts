import type { Size } from '@tlsc/api';
import type { Seen, SeenStatistics } from './collect.js';
import { type Distance, distanceOf, type Samples, standardized } from './distances.js';

/** How the distribution of a quantity lies to that of training crops: of whole planes, and of windows. */
export interface Shift {
  readonly whole: Distance;
  readonly local: Distance;
}

/** Counts of samples by their distance from the training mean in training deviations, all quantities of a site together. */
export interface Histogram {
  /** The lower end of the first bin, and the width of each. */
  readonly first: number;
  readonly width: number;
  readonly train: readonly number[];
  readonly whole: readonly number[];
  readonly local: readonly number[];
}

export interface SiteShift {
  readonly node: string;
  readonly operator: string;
  /** Channels, groups, or scores of attention. */
  readonly groups: number;
  /** Undefined where nothing varies. */
  readonly mean: Shift | undefined;
  readonly deviation: Shift | undefined;
  readonly histogram: Histogram;
}

/** Of all sites. */
export interface StatisticsReport {
  readonly baseSize: Size;
  /** The site that suffers most first. */
  readonly sites: readonly SiteShift[];
  /** The mean over sites, and over means and deviations. */
  readonly total: Shift | undefined;
  /** Sites that are not among them: they are taken in more than one step. */
  readonly unseen: readonly string[];
}

function shiftOf({ train, whole, local }: Seen): Shift | undefined {
  const [ofWhole, ofLocal] = [distanceOf(train, whole), distanceOf(train, local)];
  return ofWhole && ofLocal && { whole: ofWhole, local: ofLocal };
}

const [first, width, bins] = [-4, 0.25, 32];

function countsOf(train: Samples, sample: Samples): number[] {
  const counts = Array<number>(bins).fill(0);
  for (let group = 0; group < train.groups; group++) {
    const [, values = new Float64Array()] = standardized(train, sample, group) ?? [];
    for (const value of values) {
      const bin = Math.min(bins - 1, Math.max(0, Math.floor((value - first) / width)));
      counts[bin] = (counts[bin] as number) + 1;
    }
  }
  return counts;
}

function histogramOf({ train, whole, local }: Seen): Histogram {
  const [ofTrain, ofWhole, ofLocal] = [train, whole, local].map((sample) => countsOf(train, sample)) as [
    number[],
    number[],
    number[],
  ];
  return { first, width, train: ofTrain, whole: ofWhole, local: ofLocal };
}

/** How far a site's statistics are from those of training on whole planes: the larger of its two. */
export function suffering({ mean, deviation }: Pick<SiteShift, 'mean' | 'deviation'>): number {
  return Math.max(mean?.whole.wasserstein ?? 0, deviation?.whole.wasserstein ?? 0);
}

function meanShift(shifts: readonly Shift[]): Shift | undefined {
  if (shifts.length === 0) return undefined;
  const mean = (of: (shift: Shift) => number) =>
    shifts.reduce((sum, one) => sum + of(one), 0) / shifts.length;
  const distance = (side: keyof Shift): Distance => ({
    wasserstein: mean((one) => one[side].wasserstein),
    shift: mean((one) => one[side].shift),
  });
  return { whole: distance('whole'), local: distance('local') };
}

export function compareStatistics(seen: SeenStatistics, baseSize: Size): StatisticsReport {
  const sites = seen.sites.map(({ node, operator, mean, deviation }) => ({
    node,
    operator,
    groups: mean.train.groups,
    mean: shiftOf(mean),
    deviation: deviation && shiftOf(deviation),
    histogram: histogramOf(mean),
  }));
  const all = sites.flatMap(({ mean, deviation }) => [mean, deviation].filter((one) => one !== undefined));
  return {
    baseSize,
    sites: sites.toSorted((one, other) => suffering(other) - suffering(one)),
    total: meanShift(all),
    unseen: seen.unseen,
  };
}
