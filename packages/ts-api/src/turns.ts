import { availableParallelism } from 'node:os';
import { onAbort } from './abort.js';
import { aborted, throwIfAborted } from './errors.js';

/** Whoever has work wait until there is a place for it. */
export interface TurnTaker {
  /** Whether it looks after the memory that sessions keep for a next run; else that is given back after each. */
  readonly keepsMemory?: boolean;
  /**
   * Does `work` in a turn. The turn ends when `work` has settled, and so has everything that it gave to `hold`, which returns what it
   * is given: work of which the outcome is no longer waited for, and that cannot be stopped. Rejects with ERR_ABORTED at once while it waits.
   */
  take<T>(work: (hold: Hold) => Promise<T>, signal: AbortSignal | undefined): Promise<T>;
}

/** Lets so many work at a time; the others wait, and come first who came first. */
export class Turns implements TurnTaker {
  #free: number;
  /** Each begins the turn of one that waits, in their order. */
  readonly #waiting = new Set<() => void>();

  constructor(count: number) {
    this.#free = count;
  }

  async take<T>(work: (hold: Hold) => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    await this.#begin(signal);
    const held: Promise<unknown>[] = [];
    try {
      return await work((other) => {
        held.push(other);
        return other;
      });
    } finally {
      Promise.allSettled(held).then(() => this.#end());
    }
  }

  #begin(signal: AbortSignal | undefined): Promise<void> {
    throwIfAborted(signal);
    if (this.#free > 0) {
      this.#free--;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const begin = () => {
        stop();
        resolve();
      };
      this.#waiting.add(begin);
      const stop = onAbort(signal, () => {
        this.#waiting.delete(begin);
        reject(aborted(signal as AbortSignal));
      });
    });
  }

  #end(): void {
    const [next] = this.#waiting;
    if (!next) {
      this.#free++;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}

/** Prolongs a turn until a promise has settled. */
export type Hold = <T>(work: Promise<T>) => Promise<T>;

/**
 * Those of everything that holds photos, in whatever session: their memory is that of the process. As many as the addon has threads
 * for runs, so that none of these is ever without work for want of a turn.
 */
export const photoTurns = new Turns(Math.max(2, availableParallelism()));
