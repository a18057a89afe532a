import { aborted } from './errors.js';

/** Those who wait for a signal, behind one listener that is there as long as anyone waits. */
class Waiting {
  readonly #signal: AbortSignal;
  readonly #callbacks = new Set<() => void>();
  readonly #listener = () => {
    for (const callback of this.#callbacks) callback();
  };

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  add(callback: () => void): () => void {
    // A function of its own: the same callback may be given twice.
    const entry = () => callback();
    if (this.#callbacks.size === 0) this.#signal.addEventListener('abort', this.#listener);
    this.#callbacks.add(entry);
    return () => {
      this.#callbacks.delete(entry);
      if (this.#callbacks.size === 0) this.#signal.removeEventListener('abort', this.#listener);
    };
  }
}

const waitingFor = new WeakMap<AbortSignal, Waiting>();

/**
 * Calls `callback`, which must not throw, once the signal is aborted; returns what ends the waiting. A signal gets one listener,
 * however many wait for it: Node.js warns of eleven, and the signal is the caller's.
 */
export function onAbort(signal: AbortSignal | undefined, callback: () => void): () => void {
  if (signal?.aborted) callback();
  if (!signal || signal.aborted) return () => {};
  const waiting = waitingFor.get(signal) ?? new Waiting(signal);
  waitingFor.set(signal, waiting);
  return waiting.add(callback);
}

/** Settles as `work` does, or with ERR_ABORTED at once when the signal is aborted; `work` then goes on, and what becomes of it is ignored. */
export async function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  let stop = () => {};
  const abort = new Promise<never>((_, reject) => {
    stop = onAbort(signal, () => reject(aborted(signal as AbortSignal)));
  });
  try {
    return await Promise.race([work, abort]);
  } finally {
    stop();
  }
}
