import type { ErrorCode } from '../errors.js';
import type { Feeds } from '../session/feeds.js';
import type { Fetches } from '../session/inference-session.js';
import type { Parallelism } from './parallelism.js';

/** Something, or what gets it; that is called once it has been let in, and what it gets counts as waiting meanwhile. */
export type Supplied<T> = T | (() => Promise<T>);

/** What a model is to be run on. */
export interface RunRequest {
  readonly feeds: Feeds;
  /** The outputs to compute. Default: all. */
  readonly fetches?: Fetches | undefined;
}

/** How something went through a pool. */
export interface Passage {
  /** The name of the model. */
  readonly model: string;
  /** Seconds before its turn, and in it. */
  readonly waited: number;
  readonly worked: number;
}

/** What a pool is about, and has done since it was made. */
export interface PoolStats extends Parallelism {
  readonly models: readonly string[];
  /** Of those that were let in. */
  readonly pending: number;
  readonly running: number;
  /**
   * Bytes, as they are counted before a photo is decoded; `limit` is the option `memory`, `spare` what is kept for the next like the last,
   * and given back where it is wanted.
   */
  readonly memory: { readonly limit: number; readonly taken: number; readonly spare: number };
  readonly done: number;
  /** Of photos that are done. */
  readonly pixels: number;
  /** How many ended otherwise, by the code of their error; 'OTHER' of what was supplied and could not be. */
  readonly failed: Readonly<Partial<Record<ErrorCode | 'OTHER', number>>>;
}
