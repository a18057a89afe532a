import { findRuntime, type NativeProvider, type NativeSessionOptions } from '@tlsc/core-native';
import { invalidArgument } from '../errors.js';
import {
  type Check,
  checkOptions,
  checkSignal,
  isBoolean,
  type OptionNames,
  oneOf,
  wholeNumber,
} from '../options.js';
import { type OutputLocations, toOutputLocations } from './locations.js';
import { type ExecutionProvider, toProviders } from './providers.js';

/** The words are those of onnxruntime's own session options; the last five are ours. */
export interface SessionOptions {
  /**
   * In order of preference. One that cannot be had is passed over, which `session.warnings` tells; ERR_PROVIDER_UNAVAILABLE
   * when none is left. So ['cuda'] is CUDA or an error, and ['cuda', 'cpu'] falls back. Default: ['cpu'].
   */
  readonly executionProviders?: readonly ExecutionProvider[];
  /**
   * Where outputs lie, all or by name: 'cpu'; 'cpu-pinned', ordinary memory that the card copies to fastest; 'gpu-buffer', with
   * the device, for feeds of later runs, until `getData()` fetches them. Outputs of types that onnxruntime has no device tensors
   * for stay in 'cpu'. Without a card they are ordinary memory behind the same words. Default: 'cpu'.
   */
  readonly preferredOutputLocation?: OutputLocations;
  /** Threads within an operator. Default: 0, ONNX Runtime takes one per core. */
  readonly intraOpNumThreads?: number;
  /**
   * 'parallel' runs operators side by side. It also loads graphs of ten thousands of nodes in a fraction of the time where shapes are
   * computed inside them, since ONNX Runtime plans no buffers ahead. Default: 'sequential'.
   */
  readonly executionMode?: 'sequential' | 'parallel';
  /** How many operators side by side in the mode 'parallel'. Default: 0, ONNX Runtime takes one thread per core. */
  readonly interOpNumThreads?: number;
  /** Default: 'all'. */
  readonly graphOptimizationLevel?: 'disabled' | 'basic' | 'extended' | 'all';
  /** Writes a profile, whose path `endProfiling()` tells. Default: false. */
  readonly enableProfiling?: boolean;
  /** What the profile's file name begins with. Default: 'tlsc_profile'. */
  readonly profileFilePrefix?: string;
  readonly logId?: string;
  /**
   * What ONNX Runtime writes to stderr: 0 verbose, 1 info, 2 warning, 3 error, 4 fatal. Default: 2 while the model is loaded, 4 in
   * runs, whose failures are errors anyway.
   */
  readonly logSeverityLevel?: 0 | 1 | 2 | 3 | 4;
  /**
   * Whether the local operators run as tlsc's kernels or as the function bodies inside the model, as they would in any
   * other ONNX Runtime. Default: 'native'; on CUDA, where there is no library of kernels for it, 'portable' with a warning.
   */
  readonly operators?: 'native' | 'portable';
  /** File or folder of tlsc's operator libraries. Default: TLSC_OPERATORS, else the one that came with the addon. */
  readonly operatorLibrary?: string;
  /**
   * File or folder of the ONNX Runtime library, or 'onnxruntime-node' for that of the installed package. Default: TLSC_ONNXRUNTIME, else
   * the one that came with the addon.
   */
  readonly onnxruntime?: string;
  /**
   * The folder in which the external data of a model given as bytes lies. A model given by its path has it in its own folder,
   * whatever this says.
   */
  readonly externalDataFolder?: string | undefined;
  /** Stops the loading; the promise rejects with ERR_ABORTED. ONNX Runtime hears it from 1.22 on. */
  readonly signal?: AbortSignal | undefined;
}

const optimizationLevels = { disabled: 0, basic: 1, extended: 2, all: 99 } as const;
const executionModes = { sequential: 0, parallel: 1 } as const;
const maxThreads = 1024;

function option<T, D extends T | undefined>(
  options: SessionOptions,
  name: keyof SessionOptions,
  otherwise: D,
  check: Check<T>,
  expected: string,
): T | D {
  const value: unknown = options[name];
  if (value === undefined) return otherwise;
  if (check(value)) return value;
  throw invalidArgument(name, expected, value);
}

const isString: Check<string> = (value) => typeof value === 'string';

const known: OptionNames<SessionOptions> = {
  executionProviders: true,
  preferredOutputLocation: true,
  intraOpNumThreads: true,
  executionMode: true,
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
  signal: true,
};

/** Options checked and complete, but for what is chosen when the session is opened. */
export interface SessionSettings {
  readonly native: Omit<NativeSessionOptions, 'model' | 'providers' | 'operatorsPath'>;
  /** At least one; none behind the CPU, which runs everything. */
  readonly providers: readonly NativeProvider[];
  /** Undefined: native where it can be. */
  readonly operators: 'native' | 'portable' | undefined;
  readonly operatorLibrary: string | undefined;
  readonly outputLocations: OutputLocations;
}

/** Throws ERR_INVALID_ARGUMENT, ERR_RUNTIME_NOT_FOUND. */
export function toSettings(options: SessionOptions): SessionSettings {
  checkOptions(options, known);
  checkSignal(options.signal);
  const { executionProviders = ['cpu'], preferredOutputLocation = 'cpu' } = options;
  const level = option(
    options,
    'graphOptimizationLevel',
    'all',
    ...oneOf('disabled', 'basic', 'extended', 'all'),
  );
  const mode = option(options, 'executionMode', 'sequential', ...oneOf('sequential', 'parallel'));
  const profiling = option(options, 'enableProfiling', false, isBoolean, 'true or false');
  const profilePrefix = option(options, 'profileFilePrefix', 'tlsc_profile', isString, 'a string');
  return {
    native: {
      intraOpNumThreads: option(options, 'intraOpNumThreads', 0, ...wholeNumber(0, maxThreads)),
      interOpNumThreads: option(options, 'interOpNumThreads', 0, ...wholeNumber(0, maxThreads)),
      executionMode: executionModes[mode],
      graphOptimizationLevel: optimizationLevels[level],
      profileFilePrefix: profiling ? profilePrefix : '',
      logId: option(options, 'logId', 'tlsc', isString, 'a string'),
      logSeverityLevel: option(options, 'logSeverityLevel', 2, ...wholeNumber(0, 4)),
      runLogSeverityLevel: option(options, 'logSeverityLevel', 4, ...wholeNumber(0, 4)),
      externalDataFolder: option(options, 'externalDataFolder', '', isString, 'a path'),
      runtimePath: findRuntime(option(options, 'onnxruntime', undefined, isString, 'a path')),
    },
    providers: toProviders(executionProviders),
    operators: option(options, 'operators', undefined, ...oneOf('native', 'portable')),
    operatorLibrary: option(options, 'operatorLibrary', undefined, isString, 'a path'),
    outputLocations: toOutputLocations(preferredOutputLocation),
  };
}
