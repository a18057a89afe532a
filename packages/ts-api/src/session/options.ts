import {
  findOperators,
  findRuntime,
  type NativeProvider,
  type NativeSessionOptions,
} from '@tlsc/core-native';
import { invalidArgument } from '../errors.js';
import { checkOptions, type OptionNames } from '../options.js';

/** An execution provider by its name in ONNX Runtime ('cpu', 'cuda', 'CoreML', …), with its own options. */
export type ExecutionProvider =
  | string
  | { readonly name: string; readonly [option: string]: string | number | boolean };

/** The words are those of onnxruntime's own session options; the last four are ours. */
export interface SessionOptions {
  /** In order of preference; a named provider that cannot be had is an error. Default: ['cpu']. */
  readonly executionProviders?: readonly ExecutionProvider[];
  /** Threads within an operator. Default: 0, ONNX Runtime takes one per core. */
  readonly intraOpNumThreads?: number;
  /** Operators side by side; above 1 the graph runs in parallel. Default: 0, in sequence. */
  readonly interOpNumThreads?: number;
  /** Default: 'all'. */
  readonly graphOptimizationLevel?: 'disabled' | 'basic' | 'extended' | 'all';
  /** Writes a profile, whose path `endProfiling()` tells. Default: false. */
  readonly enableProfiling?: boolean;
  /** What the profile's file name begins with. Default: 'tlsc_profile'. */
  readonly profileFilePrefix?: string;
  readonly logId?: string;
  /** 0 verbose, 1 info, 2 warning, 3 error, 4 fatal. Default: 2. */
  readonly logSeverityLevel?: 0 | 1 | 2 | 3 | 4;
  /**
   * Whether the local operators run as tlsc's kernels or as the function bodies inside the model, as they would in any
   * other ONNX Runtime. Default: 'native'.
   */
  readonly operators?: 'native' | 'portable';
  /** File or folder of tlsc's operator library. Default: TLSC_OPERATORS, else the one built with the addon. */
  readonly operatorLibrary?: string;
  /** File or folder of the ONNX Runtime library. Default: TLSC_ONNXRUNTIME, else onnxruntime-node's. */
  readonly onnxruntime?: string;
  /**
   * The folder in which the external data of a model given as bytes lies. A model given by its path has it in its own folder,
   * whatever this says.
   */
  readonly externalDataFolder?: string | undefined;
}

const optimizationLevels = { disabled: 0, basic: 1, extended: 2, all: 99 } as const;
const maxThreads = 1024;

type Check<T> = (value: unknown) => value is T;

function option<K extends keyof SessionOptions, T>(
  options: SessionOptions,
  name: K,
  otherwise: T,
  check: Check<T>,
  expected: string,
): T {
  const value = options[name];
  if (value === undefined) return otherwise;
  if (check(value)) return value;
  throw invalidArgument(name, expected, value);
}

const isString: Check<string> = (value) => typeof value === 'string';
const isBoolean: Check<boolean> = (value) => typeof value === 'boolean';

function wholeNumber(low: number, high: number): [Check<number>, string] {
  const check: Check<number> = (value): value is number =>
    Number.isInteger(value) && (value as number) >= low && (value as number) <= high;
  return [check, `a whole number from ${low} to ${high}`];
}

function oneOf<T extends string>(...names: readonly T[]): [Check<T>, string] {
  const check: Check<T> = (value): value is T => names.includes(value as T);
  return [check, `one of ${names.map((name) => `'${name}'`).join(', ')}`];
}

function toProvider(provider: unknown): NativeProvider {
  if (typeof provider === 'string') return { name: provider, options: {} };
  if (
    typeof provider === 'object' &&
    provider !== null &&
    'name' in provider &&
    typeof provider.name === 'string'
  ) {
    const { name, ...options } = provider;
    return {
      name,
      options: Object.fromEntries(Object.entries(options).map(([key, value]) => [key, String(value)])),
    };
  }
  throw invalidArgument(
    'executionProviders',
    'a list of provider names, or of objects with a name',
    provider,
  );
}

const known: OptionNames<SessionOptions> = {
  executionProviders: true,
  intraOpNumThreads: true,
  interOpNumThreads: true,
  graphOptimizationLevel: true,
  enableProfiling: true,
  profileFilePrefix: true,
  logId: true,
  logSeverityLevel: true,
  operators: true,
  operatorLibrary: true,
  onnxruntime: true,
  externalDataFolder: true,
};

/** The complete options of the native side. Throws ERR_INVALID_ARGUMENT, ERR_RUNTIME_NOT_FOUND, ERR_OPERATORS_NOT_FOUND. */
export function toNativeOptions(options: SessionOptions): Omit<NativeSessionOptions, 'model'> {
  checkOptions(options, known);
  const providers = option(
    options,
    'executionProviders',
    ['cpu'],
    Array.isArray as Check<unknown[]>,
    'a list',
  );
  const level = option(
    options,
    'graphOptimizationLevel',
    'all',
    ...oneOf('disabled', 'basic', 'extended', 'all'),
  );
  const operators = option(options, 'operators', 'native', ...oneOf('native', 'portable'));
  const profiling = option(options, 'enableProfiling', false, isBoolean, 'true or false');
  const profilePrefix = option(options, 'profileFilePrefix', 'tlsc_profile', isString, 'a string');
  return {
    intraOpNumThreads: option(options, 'intraOpNumThreads', 0, ...wholeNumber(0, maxThreads)),
    interOpNumThreads: option(options, 'interOpNumThreads', 0, ...wholeNumber(0, maxThreads)),
    graphOptimizationLevel: optimizationLevels[level],
    providers: providers.map(toProvider),
    profileFilePrefix: profiling ? profilePrefix : '',
    logId: option(options, 'logId', 'tlsc', isString, 'a string'),
    logSeverityLevel: option(options, 'logSeverityLevel', 2, ...wholeNumber(0, 4)),
    externalDataFolder: option(options, 'externalDataFolder', '', isString, 'a path'),
    runtimePath: findRuntime(
      option(options, 'onnxruntime', undefined, isString as Check<string | undefined>, 'a path'),
    ),
    operatorsPath:
      operators === 'portable'
        ? ''
        : findOperators(
            option(options, 'operatorLibrary', undefined, isString as Check<string | undefined>, 'a path'),
          ),
  };
}
