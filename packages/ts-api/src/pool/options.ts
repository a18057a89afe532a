import { invalidArgument } from '../errors.js';
import { checkMaxPixels, defaultMaxPixels } from '../image/decode.js';
import { encodeOptionNames } from '../image/encoders.js';
import type { RestoreFileOptions } from '../image/restore-file.js';
import { type RestoreOptions, restoreOptionNames } from '../image/restorer.js';
import { checkOptions, checkSignal, type OptionNames, wholeNumber } from '../options.js';
import type { InferenceSession } from '../session/inference-session.js';
import type { SessionOptions } from '../session/options.js';

export interface PoolOptions {
  /**
   * How many runs of networks at once, on as many threads each as `threads` says. Default, on the CPU: what is fastest when the first model
   * is tried, or what the other leaves of the cores; on a card 2, so that one photo is read and written while another is restored.
   */
  readonly concurrency?: number | undefined;
  readonly threads?: number | undefined;
  /**
   * The most bytes that all that is under way may take together, models left out. A photo that takes more by itself is cut into pieces.
   * Default: 0.7 of the memory that the machine, or its container, has left.
   */
  readonly memory?: number | undefined;
  /** How many may wait beside those that are under way; the next is refused with ERR_BUSY. Default: 64. */
  readonly maxPending?: number | undefined;
  /** As of `readPhoto`. */
  readonly maxPixels?: number | undefined;
  /** Milliseconds within which everything must be done, whatever longer deadline it comes with. Default: none. */
  readonly deadline?: number | undefined;
  /** Of the sessions, but for threads. */
  readonly session?:
    | Omit<SessionOptions, 'intraOpNumThreads' | 'signal' | 'preferredOutputLocation'>
    | undefined;
  /** Stops what `createPool` does. */
  readonly signal?: AbortSignal | undefined;
}

/** What holds of whatever a pool is asked to do. */
export interface TurnOptions {
  /** The name of the model; needed where there are several. */
  readonly model?: string | undefined;
  /** From now on, in milliseconds; what is not done then ends with ERR_DEADLINE. Default, and at most: that of the pool. */
  readonly deadline?: number | undefined;
  /** Those with a higher one go first. Default: 0. */
  readonly priority?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export type PoolRestoreOptions = TurnOptions & Omit<RestoreOptions, 'memory' | 'maxPixels' | 'signal'>;
export type PoolRestoreFileOptions = TurnOptions &
  Omit<RestoreFileOptions, 'memory' | 'maxPixels' | 'signal'>;

/** What is said of a turn, apart from the rest. */
export interface Turn extends Omit<TurnOptions, 'priority'> {
  readonly priority: number;
}

export interface CheckedPoolOptions {
  readonly concurrency: number | undefined;
  readonly threads: number | undefined;
  readonly memory: number | undefined;
  readonly maxPending: number;
  readonly maxPixels: number;
  readonly deadline: number | undefined;
  readonly session: NonNullable<PoolOptions['session']>;
  readonly signal: AbortSignal | undefined;
}

const counts = wholeNumber(1, 1024);
const bytes = wholeNumber(1, Number.MAX_SAFE_INTEGER);
/** As long as timers last. */
const milliseconds = wholeNumber(1, 2 ** 31 - 1);
const pendings = wholeNumber(0, 1_000_000);
const priorities = wholeNumber(-1_000_000, 1_000_000);

const usualPending = 64;

const poolOptionNames: OptionNames<PoolOptions> = {
  concurrency: true,
  threads: true,
  memory: true,
  maxPending: true,
  maxPixels: true,
  deadline: true,
  session: true,
  signal: true,
};

const turnOptionNames: OptionNames<TurnOptions> = {
  model: true,
  deadline: true,
  priority: true,
  signal: true,
};

const { memory: _, maxPixels: __, ...restoringNames } = restoreOptionNames;
const { fetches: ___, ...fileNames } = restoringNames;

/** The names of what may be said for each of the ways to use a pool. */
export const poolNames = {
  restore: { ...restoringNames, ...turnOptionNames } satisfies OptionNames<PoolRestoreOptions>,
  restoreFile: {
    ...fileNames,
    ...encodeOptionNames,
    ...turnOptionNames,
  } satisfies OptionNames<PoolRestoreFileOptions>,
  run: turnOptionNames,
};

function check(name: string, value: unknown, [isFine, expected]: ReturnType<typeof wholeNumber>): void {
  if (value !== undefined && !isFine(value)) throw invalidArgument(name, expected, value);
}

/** Throws ERR_INVALID_ARGUMENT. */
export function toPoolOptions(options: PoolOptions): CheckedPoolOptions {
  checkOptions(options, poolOptionNames);
  const { concurrency, threads, memory, maxPending = usualPending, deadline, session = {}, signal } = options;
  check('concurrency', concurrency, counts);
  check('threads', threads, counts);
  check('memory', memory, bytes);
  check('maxPending', maxPending, pendings);
  check('deadline', deadline, milliseconds);
  checkSignal(signal);
  const maxPixels = checkMaxPixels(options.maxPixels ?? defaultMaxPixels);
  return { concurrency, threads, memory, maxPending, maxPixels, deadline, session, signal };
}

/** Takes what is said of the turn out of the options of anything else. Throws ERR_INVALID_ARGUMENT. */
export function splitTurn<T extends TurnOptions>(
  options: T,
  known: Readonly<Record<string, unknown>>,
): { turn: Turn; rest: Omit<T, keyof TurnOptions> } {
  checkOptions<object>(options, known as OptionNames<object>);
  const { model, deadline, priority = 0, signal, ...rest } = options;
  check('deadline', deadline, milliseconds);
  check('priority', priority, priorities);
  checkSignal(signal);
  return { turn: { model, deadline, priority, signal }, rest };
}

/** What a pool tells of a model. */
export type ModelDescription = Pick<
  InferenceSession,
  | 'inputNames'
  | 'optionalInputNames'
  | 'outputNames'
  | 'inputMetadata'
  | 'outputMetadata'
  | 'modelMetadata'
  | 'runtimeVersion'
  | 'executionProviders'
  | 'operators'
  | 'warnings'
>;
