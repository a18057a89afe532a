import type { InferenceSession } from '../session/inference-session.js';
import { trim } from '../session/trim.js';

/** How long nothing has to happen until nothing is kept for a next run, in milliseconds. */
const patience = 10_000;

/**
 * The memory that sessions keep of a run for a next one like it, which is a tenth faster so: of one run each, until the next begins. It is
 * given back where somebody else wants it, and when nothing happens for a while.
 */
export class SpareMemory {
  readonly #kept = new Map<InferenceSession, number>();
  #timer: NodeJS.Timeout | undefined;

  /** In all, no less than it is. */
  get bytes(): number {
    return [...this.#kept.values()].reduce((sum, bytes) => sum + bytes, 0);
  }

  /** A run begins: whatever its session kept is that run's. */
  take(session: InferenceSession): void {
    this.#kept.delete(session);
  }

  /** A run has ended that could take so many bytes. */
  keep(session: InferenceSession, bytes: number): void {
    this.#kept.set(session, bytes);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.giveBack(), patience).unref();
  }

  giveBack(): void {
    for (const session of this.#kept.keys()) trim(session);
    this.#kept.clear();
  }

  /** A session is released, and what it kept with it. */
  forget(session: InferenceSession): void {
    this.#kept.delete(session);
  }
}
