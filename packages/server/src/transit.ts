import { type RestorationPool, TlscError } from '@tlsc/api';

/** In how many seconds a body, or an answer, may have gone. */
const usualRetry = 1;

/**
 * The bytes of bodies and answers that are in memory: what clients send or do not read would otherwise be as much as they like. A body that is one
 * too many is refused; an answer is there already, and keeps others out.
 */
export class Transit {
  readonly #most: number;
  #bytes = 0;

  /** A quarter of what photos may take, and no less than one body. */
  constructor(pool: RestorationPool, maxBody: number) {
    this.#most = Math.max(maxBody, pool.stats().memory.limit / 4);
  }

  /** What one request has in memory, from its body to the end of its answer. */
  begin(): Passenger {
    let own = 0;
    const add = (bytes: number) => {
      own += bytes;
      this.#bytes += bytes;
    };
    return {
      take: (bytes) => {
        if (this.#bytes + bytes > this.#most)
          throw new TlscError('ERR_BUSY', 'too many bodies are on their way', { retryAfter: usualRetry });
        add(bytes);
      },
      add,
      end: () => {
        this.#bytes -= own;
        own = 0;
      },
    };
  }
}

export interface Passenger {
  /** Bytes of a body. Throws ERR_BUSY. */
  take(bytes: number): void;
  /** Bytes of an answer. */
  add(bytes: number): void;
  end(): void;
}
