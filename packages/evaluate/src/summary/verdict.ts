// What an evaluation says to the one who has to decide.
import type { Size } from '@tlsc/api';
import { isScores, type MethodResult } from '../evaluation.js';
import { showSize } from '../methods/method.js';
import { type Estimate, estimate } from './bootstrap.js';

/** Base sizes within so many dB of the best are as good. */
const asGood = 0.05;

export interface Verdict {
  /** One sentence. */
  readonly sentence: string;
  /** Whether to convert; undefined where nothing says so. */
  readonly convert: boolean | undefined;
  /** The best base size; undefined where nothing was converted. */
  readonly baseSize: Size | undefined;
  /** What it gains over the original on whole photos, in dB. */
  readonly gain: Estimate | undefined;
  /** The other base sizes that are as good, within 0.05 dB. */
  readonly asGood: readonly Size[];
}

function psnrs({ photos }: MethodResult): number[] | undefined {
  const values = photos.map((scores) => (isScores(scores) ? scores.psnr : undefined));
  return values.every((value): value is number => value !== undefined && Number.isFinite(value))
    ? values
    : undefined;
}

/** What one method gains over another, photo by photo, in dB; undefined where one of them failed. */
export function gainOver(one: MethodResult, other: MethodResult): Estimate | undefined {
  const [a, b] = [psnrs(one), psnrs(other)];
  return a && b && estimate(a.map((value, i) => value - (b[i] as number)));
}

const nothing = { convert: undefined, baseSize: undefined, gain: undefined, asGood: [] };

const dB = (value: number) => `${Math.abs(value).toFixed(2)} dB`;

/** ', between 0.10 and 0.30 dB with 95 % confidence' */
function confidence({ interval }: Estimate): string {
  if (!interval) return '';
  const [low, high] = interval.map((value) => (value < 0 ? '−' : '') + Math.abs(value).toFixed(2));
  return ` (95 % confidence: ${low} to ${high} dB)`;
}

function meanPsnr(result: MethodResult): number {
  return result.mean?.psnr ?? Number.NEGATIVE_INFINITY;
}

const exact = ({ method }: MethodResult) => method.kind === 'local' && !method.fast;

/** The best of some results by their mean PSNR. */
export function bestOf(results: readonly MethodResult[]): MethodResult | undefined {
  const known = results.filter(({ mean }) => mean !== undefined);
  return known.toSorted((one, other) => meanPsnr(other) - meanPsnr(one))[0];
}

function onPhotos(count: number): string {
  return count === 1 ? 'on one photo' : `on ${count} photos`;
}

/** What failed first; without a failure results are their targets, which no number measures. */
function whyNot(results: readonly MethodResult[]): string {
  for (const { title, photos } of results)
    for (const entry of photos) if (!isScores(entry)) return `${title} failed (${entry.failure})`;
  return 'some results are equal to their targets';
}

/** Of a model, from its results against targets. */
export function verdictOf(name: string, sites: number, results: readonly MethodResult[]): Verdict {
  const whole = results.find(({ method }) => method.kind === 'global');
  if (sites === 0)
    return { ...nothing, sentence: `${name} has no global statistics: there is nothing to convert.` };
  const locals = results.filter(exact);
  const best = bestOf(locals);
  const gain = best && whole && gainOver(best, whole);
  if (!best || !gain || best.method.kind !== 'local')
    return {
      ...nothing,
      sentence: `${name} could not be compared: ${whyNot([...locals, ...(whole ? [whole] : [])])}.`,
    };
  const { baseSize } = best.method;
  const photos = onPhotos(best.photos.length);
  const near = locals.flatMap((one) =>
    one !== best && one.method.kind === 'local' && meanPsnr(one) >= meanPsnr(best) - asGood
      ? [one.method.baseSize]
      : [],
  );
  const known = { baseSize, gain, asGood: near };
  const [low, high] = gain.interval ?? [gain.mean, gain.mean];
  const sizes =
    near.length > 0 ? `; as good ${near.length > 1 ? 'are' : 'is'} ${near.map(showSize).join(', ')}` : '';
  if (low > 0)
    return {
      ...known,
      convert: true,
      sentence: `Convert ${name}: with a base size of ${showSize(baseSize)} it gains ${dB(gain.mean)}${confidence(gain)} ${photos}${sizes}.`,
    };
  if (high < 0)
    return {
      ...known,
      convert: false,
      sentence: `Leave ${name} as it is: even with the best base size, ${showSize(baseSize)}, local statistics cost ${dB(gain.mean)}${confidence(gain)} ${photos}; see whether the training size is right.`,
    };
  return {
    ...known,
    convert: undefined,
    sentence: `Whether to convert ${name} is open: with the best base size, ${showSize(baseSize)}, it ${gain.mean < 0 ? 'loses' : 'gains'} ${dB(gain.mean)}${confidence(gain)} ${photos}; more photos would tell.`,
  };
}

/** Of a model, where no targets say what is better. */
export function verdictWithoutTargets(
  name: string,
  sites: number,
  results: readonly MethodResult[],
): Verdict {
  if (sites === 0)
    return { ...nothing, sentence: `${name} has no global statistics: there is nothing to convert.` };
  const nearest = bestOf(results.filter(exact));
  const psnr = nearest?.mean?.psnr;
  const apart =
    psnr === undefined
      ? ''
      : Number.isFinite(psnr)
        ? ` Local statistics give results that are ${psnr.toFixed(1)} dB (PSNR) from those of the original, or less.`
        : ' Local statistics give the results of the original.';
  return { ...nothing, sentence: `Without targets nothing says whether converting ${name} helps.${apart}` };
}
