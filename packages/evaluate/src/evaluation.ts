// What an evaluation comes to, as results.json has it.
import type { Size } from '@tlsc/api';
import type { Method } from './methods/method.js';
import type { PhotoInfo } from './photos.js';
import type { StatisticsReport } from './statistics/compare.js';
import type { Verdict } from './summary/verdict.js';

/** By the names of measures: psnr, ssim, psnrY, ssimY, and those that were given. */
export type Scores = Readonly<Record<string, number>>;

/** A method on all photos. */
export interface MethodResult {
  readonly method: Method;
  readonly title: string;
  /** Pixels that the network sees for one of a photo. */
  readonly work: number;
  /** In the order of the photos; of one that failed what was wrong. */
  readonly photos: readonly (Scores | { readonly failure: string })[];
  /** The means over all photos; undefined where one failed. */
  readonly mean: Scores | undefined;
}

export interface ModelResult {
  readonly name: string;
  readonly file: string;
  /** Whether it was exported for images of one size, of which it was freed. */
  readonly isOfOneSize: boolean;
  /** The names of the statistics that can be made local. */
  readonly sites: readonly string[];
  readonly methods: readonly MethodResult[];
  /** Undefined where it has none, they were not asked for, or could not be compared. */
  readonly statistics: StatisticsReport | undefined;
  /** Why they could not. */
  readonly statisticsFailure: string | undefined;
  readonly verdict: Verdict;
}

export interface Evaluation {
  readonly trainSize: Size;
  readonly photos: readonly PhotoInfo[];
  /** Whether results were measured against targets; else against what the original makes of the whole photo. */
  readonly hasTargets: boolean;
  /** The names of what is measured. */
  readonly measures: readonly string[];
  /** The photos as they are; undefined where nothing can be compared with them. */
  readonly input: MethodResult | undefined;
  readonly models: readonly ModelResult[];
}

export function isScores(entry: MethodResult['photos'][number] | undefined): entry is Scores {
  return entry !== undefined && !('failure' in entry);
}
