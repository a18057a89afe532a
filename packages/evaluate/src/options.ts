import { inspect } from 'node:util';
import {
  type ConvertOptions,
  largestSide,
  type Size,
  type SizeOption,
  TlscError,
  type ValueOptions,
} from '@tlsc/api';
import { measures } from './metrics/quality.js';

/** How far an evaluation has come. */
export interface Progress {
  /** What is being done, for people. */
  readonly what: string;
  /** From 0 to 1. */
  readonly done: number;
  /** An estimate, in seconds; undefined at first. */
  readonly secondsLeft: number | undefined;
}

export interface EvaluateOptions extends ValueOptions {
  /** Size of the crops that the networks were trained on: a side, or [height, width], in pixels. */
  readonly trainSize: SizeOption;
  /** The base sizes to compare, in pixels. Default: 1, 1.25, 1.5, 2, 2.5 and 3 times `trainSize`. */
  readonly baseSizes?: readonly SizeOption[] | undefined;
  /** Sides of the tiles to compare, in pixels. Default: 1, 1.5, 2, 3, 4 and 6 times the longer side of `trainSize`. */
  readonly patchSizes?: readonly number[] | undefined;
  /** Sides of the tiles that overlap by half and are blended. Default: the longer side of `trainSize`. */
  readonly blendedSizes?: readonly number[] | undefined;
  /** Whether to add the published approximation of local statistics, at 1.5 times `trainSize`. Default: false. */
  readonly fast?: boolean | undefined;
  /** Whether results are rounded to the bit depth of their targets before they are measured, as files are. Default: true. */
  readonly round?: boolean | undefined;
  /** Pixels along each border that are not measured. Default: 0, or as many times as results are larger than photos. */
  readonly shave?: number | undefined;
  /** Other measures: files of models that make one number of two images, the result and the target, by name. */
  readonly metrics?: Readonly<Record<string, string>> | undefined;
  /** Whether to compare the statistics themselves. Default: true. */
  readonly statistics?: boolean | undefined;
  /** The output that is the restored image; needed where a model has several. */
  readonly output?: string | undefined;
  /** What models take beside the photo, by the names of their inputs: numbers. Default: nothing. */
  readonly inputs?: Readonly<Record<string, number>> | undefined;
  /** Statistics to make local, and to leave global, as for `convert`. Default: all, and none. */
  readonly include?: readonly (string | RegExp)[] | undefined;
  readonly exclude?: readonly (string | RegExp)[] | undefined;
  /** A folder that keeps what was measured: what is in it for the same files and options is not measured again. Default: none. */
  readonly cache?: string | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Of the options, all that is not the caller's to leave open. */
export interface Plan {
  readonly trainSize: Size;
  readonly baseSizes: readonly Size[];
  readonly patchSizes: readonly number[];
  readonly blendedSizes: readonly number[];
  readonly fast: boolean;
  readonly round: boolean;
  readonly shave: number | undefined;
  readonly metrics: Readonly<Record<string, string>>;
  readonly statistics: boolean;
  readonly output: string | undefined;
  readonly inputs: Readonly<Record<string, number>>;
  readonly choice: Pick<ConvertOptions, 'include' | 'exclude'>;
  readonly values: ValueOptions;
  readonly cache: string | undefined;
  readonly onProgress: (progress: Progress) => void;
  readonly signal: AbortSignal | undefined;
}

export function invalidArgument(parameter: string, expected: string, received: unknown): TlscError {
  const shown = inspect(received, { depth: 1, breakLength: Number.POSITIVE_INFINITY });
  const message = `${parameter} must be ${expected}, not ${shown}`;
  return new TlscError('ERR_INVALID_ARGUMENT', message, { parameter, expected, received: shown });
}

function isSide(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= largestSide;
}

function toSize(value: unknown, parameter: string): Size {
  if (isSide(value)) return [value, value];
  const [height, width, ...more] = Array.isArray(value) ? (value as readonly unknown[]) : [];
  if (isSide(height) && isSide(width) && more.length === 0) return [height, width];
  throw invalidArgument(parameter, `a size in pixels from 1 to ${largestSide}, or [height, width]`, value);
}

function toList<T>(value: unknown, parameter: string, of: (one: unknown) => T): T[] {
  if (!Array.isArray(value)) throw invalidArgument(parameter, 'an array', value);
  return value.map(of);
}

function toSide(value: unknown, parameter: string): number {
  if (isSide(value)) return value;
  throw invalidArgument(parameter, `sides in pixels from 1 to ${largestSide}`, value);
}

function toBoolean(value: unknown, parameter: string): boolean {
  if (typeof value === 'boolean') return value;
  throw invalidArgument(parameter, 'true or false', value);
}

function distinct<T>(values: readonly T[]): T[] {
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()];
}

const [baseFactors, patchFactors, usualFactor] = [[1, 1.25, 1.5, 2, 2.5, 3], [1, 1.5, 2, 3, 4, 6], 1.5];

/** The size that `convert` takes where no other is given. */
export function usualBaseSize([height, width]: Size): Size {
  return [Math.floor(height * usualFactor), Math.floor(width * usualFactor)];
}

/** Names that scores have, or must not have. */
const taken: readonly string[] = [...measures, 'failure', '__proto__'];

function checkText(value: unknown, parameter: string): void {
  if (value !== undefined && typeof value !== 'string') throw invalidArgument(parameter, 'a text', value);
}

function checkMetrics(metrics: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  const isFile = ([name, file]: [string, unknown]) =>
    /^[\w-]+$/.test(name) && !taken.includes(name) && typeof file === 'string';
  if (typeof metrics === 'object' && metrics !== null && Object.entries(metrics).every(isFile))
    return metrics as Record<string, string>;
  throw invalidArgument(
    'metrics',
    `files of models by names of letters and digits, but ${taken.join(', ')}`,
    metrics,
  );
}

function checkNumbers(inputs: Readonly<Record<string, unknown>>): Readonly<Record<string, number>> {
  const isNumber = (one: unknown) => typeof one === 'number';
  if (typeof inputs === 'object' && inputs !== null && Object.values(inputs).every(isNumber))
    return inputs as Record<string, number>;
  throw invalidArgument('inputs', 'numbers by the names of inputs', inputs);
}

const valueNames: Readonly<Record<keyof ValueOptions, true>> = {
  range: true,
  mean: true,
  std: true,
  outputRange: true,
  channels: true,
  gray: true,
};

/** Throws ERR_INVALID_ARGUMENT where an option makes no sense. */
export function toPlan(options: EvaluateOptions): Plan {
  if (typeof options !== 'object' || options === null) throw invalidArgument('options', 'an object', options);
  const {
    trainSize: given,
    baseSizes,
    patchSizes,
    blendedSizes,
    fast = false,
    round = true,
    ...others
  } = options;
  const {
    shave,
    metrics = {},
    statistics = true,
    output,
    inputs = {},
    include,
    exclude,
    cache,
    onProgress,
    signal,
    ...values
  } = others;
  for (const name of Object.keys(values))
    if (!Object.hasOwn(valueNames, name)) throw invalidArgument('options', 'without unknown names', name);
  const trainSize = toSize(given, 'trainSize');
  const side = Math.max(...trainSize);
  const bases: readonly SizeOption[] =
    baseSizes ??
    baseFactors.map((factor): Size => [Math.floor(trainSize[0] * factor), Math.floor(trainSize[1] * factor)]);
  if (shave !== undefined && shave !== 0 && !isSide(shave))
    throw invalidArgument('shave', 'a number of pixels', shave);
  checkText(output, 'output');
  checkText(cache, 'cache');
  if (onProgress !== undefined && typeof onProgress !== 'function')
    throw invalidArgument('onProgress', 'a function', onProgress);
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw invalidArgument('signal', 'an AbortSignal', signal);
  const sides = (list: unknown, parameter: string) =>
    distinct(toList(list, parameter, (one) => toSide(one, parameter)));
  return {
    trainSize,
    baseSizes: distinct(toList(bases, 'baseSizes', (one) => toSize(one, 'baseSizes'))),
    patchSizes: sides(patchSizes ?? patchFactors.map((factor) => Math.floor(side * factor)), 'patchSizes'),
    blendedSizes: sides(blendedSizes ?? [side], 'blendedSizes'),
    fast: toBoolean(fast, 'fast'),
    round: toBoolean(round, 'round'),
    shave,
    metrics: checkMetrics(metrics),
    statistics: toBoolean(statistics, 'statistics'),
    output,
    inputs: checkNumbers(inputs),
    choice: { ...(include && { include }), ...(exclude && { exclude }) },
    values,
    cache,
    onProgress: onProgress ?? (() => {}),
    signal,
  };
}
