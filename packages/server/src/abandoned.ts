import type { FastifyReply } from 'fastify';

/** Aborted when the client has gone before it had its answer. */
export function abandonedBy(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) controller.abort(new Error('the client has gone'));
  });
  return controller.signal;
}
