import { invalidArgument } from '../errors.js';
import { lowestOpset } from '../functions/body.js';
import { checkValues, givenValues, type ValueOptions, valueOptionNames } from '../image/values.js';
import { checkOptions, checkSignal } from '../options.js';
import { defaultBaseSize, type SizeOption, toSize } from '../size.js';
import { newestOpset } from './opset-changes.js';
import type { ConversionSizes } from './sizes.js';

/** What the values of the network mean is recorded in the converted model. */
export interface ConvertOptions extends ValueOptions {
  /** Size of the crops that the network was trained on: a side, or [height, width], in pixels. */
  readonly trainSize: SizeOption;
  /** The windows are those of an image of this size. Default: 1.5 × trainSize, rounded down. */
  readonly baseSize?: SizeOption;
  /**
   * Whether to take the published approximation (`fast_imp`): windows over every few rows and columns, one short. For those
   * who must match numbers published with it; it is not the faster way here. Default: false.
   */
  readonly fast?: boolean;
  /**
   * The statistics to make local, by the names of their nodes; in a name * stands for any characters. A node without a name goes
   * by its operator and output, as in the report. All others stay global. Default: all.
   */
  readonly include?: readonly (string | RegExp)[];
  /** The statistics that stay global, by the names of their nodes; it wins over `include`. Default: none. */
  readonly exclude?: readonly (string | RegExp)[];
  /**
   * Whether nodes that one operator does the work of in one pass are put together, in a model with statistics, which it makes faster: see
   * `optimize`. Default: true.
   */
  readonly fuse?: boolean;
  /**
   * The opset of ONNX that a model with statistics is raised to, for a runtime or a tool that wants one, and for statistics in both
   * float16 and float32, which take 15. From the model's own up to 22. Default: the model's own, or 12 where that is 11.
   */
  readonly opset?: number | undefined;
  /** Where the external data of a model given as bytes lies. */
  readonly externalDataFolder?: string | undefined;
  readonly signal?: AbortSignal;
}

/** What the caller has chosen. */
export interface Choice {
  readonly sizes: ConversionSizes;
  readonly fast: boolean;
  readonly fuse: boolean;
  readonly include: readonly NamePattern[] | undefined;
  readonly exclude: readonly NamePattern[];
  readonly opset: number | undefined;
  /** Undefined where nothing is said of them. */
  readonly values: ValueOptions | undefined;
}

/** A pattern for the names of nodes, and how messages show it. */
export interface NamePattern {
  readonly shown: string;
  readonly matches: (name: string) => boolean;
}

/**
 * Whether the name is what the pattern says, in which * stands for any characters. No regular expression: with several `.*` in it, a name that
 * a model makes up could take it hours.
 */
function matchesPattern(pattern: string, name: string): boolean {
  const [start = '', ...pieces] = pattern.split('*');
  const end = pieces.pop();
  if (end === undefined) return name === pattern;
  if (!name.startsWith(start) || !name.endsWith(end)) return false;
  let at = start.length;
  for (const piece of pieces) {
    const found = name.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return at <= name.length - end.length;
}

function toPattern(pattern: string | RegExp): NamePattern {
  const shown = String(pattern);
  if (pattern instanceof RegExp) return { shown, matches: (name) => name.search(pattern) >= 0 };
  return { shown, matches: (name) => matchesPattern(pattern, name) };
}

function toPatterns(patterns: unknown, parameter: string): NamePattern[] {
  const isPattern = (one: unknown) => typeof one === 'string' || one instanceof RegExp;
  if (Array.isArray(patterns) && patterns.length > 0 && patterns.every(isPattern))
    return patterns.map(toPattern);
  throw invalidArgument(parameter, 'a list of names of nodes or regular expressions, at least one', patterns);
}

function isOpset(opset: number): boolean {
  return Number.isInteger(opset) && opset >= lowestOpset && opset <= newestOpset;
}

/** Throws ERR_INVALID_ARGUMENT where an option is not what it must be. */
export function toChoice(options: ConvertOptions): Choice {
  checkOptions(options, {
    trainSize: true,
    baseSize: true,
    fast: true,
    fuse: true,
    include: true,
    exclude: true,
    opset: true,
    externalDataFolder: true,
    signal: true,
    ...valueOptionNames,
  });
  checkValues(options);
  const { fast = false, fuse = true, include, exclude, opset } = options;
  checkSignal(options.signal);
  if (typeof fast !== 'boolean') throw invalidArgument('fast', 'true or false', fast);
  if (typeof fuse !== 'boolean') throw invalidArgument('fuse', 'true or false', fuse);
  if (opset !== undefined && !isOpset(opset))
    throw invalidArgument('opset', `a whole number from ${lowestOpset} to ${newestOpset}`, opset);
  const trainSize = toSize(options.trainSize, 'trainSize');
  const baseSize = toSize(options.baseSize ?? defaultBaseSize(trainSize), 'baseSize');
  return {
    sizes: { trainSize, baseSize },
    fast,
    fuse,
    include: include && toPatterns(include, 'include'),
    exclude: exclude ? toPatterns(exclude, 'exclude') : [],
    opset,
    values: givenValues(options),
  };
}
