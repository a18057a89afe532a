import { onAbort } from '../abort.js';
import { TlscError } from '../errors.js';

/** What ends a piece of work early: its caller, its deadline, or whoever does it. To be ended. */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #missed: TlscError | undefined;
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #stopListening: () => void;

  /** `milliseconds` from now on. */
  constructor(caller: AbortSignal | undefined, milliseconds: number | undefined) {
    this.#stopListening = onAbort(caller, () => this.abort(caller?.reason));
    if (milliseconds === undefined) return;
    const missed = new TlscError('ERR_DEADLINE', `not done within ${milliseconds} ms`, {
      parameter: 'deadline',
    });
    this.#missed = missed;
    this.#timer = setTimeout(() => this.abort(missed), milliseconds);
  }

  /** Aborted for whichever of these reasons came first. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  abort(reason: unknown): void {
    this.#controller.abort(reason);
  }

  /** An error as the caller is to see it. */
  explain(error: unknown): unknown {
    const isMissed =
      error instanceof TlscError && error.code === 'ERR_ABORTED' && error.cause === this.#missed;
    return isMissed && this.#missed ? this.#missed : error;
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#stopListening();
  }
}
