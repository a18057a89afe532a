import type { FastifyReply, FastifyRequest } from 'fastify';

/**
 * A request, from its first byte to the last of its answer. It is over when it has been answered, or its client has gone; where several are sent
 * on one connection without waiting for answers, those that are not yet being answered hear of its end by the connection alone.
 */
export class Exchange {
  readonly #controller = new AbortController();
  readonly #ends: (() => void)[] = [];

  constructor({ raw: { socket } }: FastifyRequest, { raw }: FastifyReply) {
    const over = () => {
      raw.off('close', over);
      socket.off('close', over);
      if (!raw.writableFinished) this.#controller.abort(new Error('the client has gone'));
      for (const end of this.#ends.splice(0)) end();
    };
    raw.once('close', over);
    // As many may be under way on it as its client likes.
    socket.setMaxListeners(0);
    socket.once('close', over);
  }

  /** Aborted when the client has gone before it had its answer. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Calls `end` when the request is over. */
  whenOver(end: () => void): void {
    this.#ends.push(end);
  }
}
