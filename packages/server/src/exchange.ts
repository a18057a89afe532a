// A request from its first byte to the last of its answer.
import type { FastifyReply, FastifyRequest } from 'fastify';

/**
 * Calls `end` once, when a request is over: it has been answered, or its client has gone. Where several are sent on one connection without
 * waiting for answers, those that are not yet being answered hear of its end by the connection alone.
 */
export function whenOver({ raw: { socket } }: FastifyRequest, { raw }: FastifyReply, end: () => void): void {
  const over = () => {
    raw.off('close', over);
    socket.off('close', over);
    end();
  };
  raw.once('close', over);
  socket.once('close', over);
}

/** Aborted when the client has gone before it had its answer. */
export function abandonedBy(request: FastifyRequest, reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  whenOver(request, reply, () => {
    if (!reply.raw.writableFinished) controller.abort(new Error('the client has gone'));
  });
  return controller.signal;
}
