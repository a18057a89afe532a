import type { FastifyInstance } from 'fastify';
import { failureOf } from '../errors.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** What the request ended with, if it did not end well. */
    error?: unknown;
  }
}

/** One line for each request, when it is over: two would be most of what a refusal costs. An error of ours is there with its stack. */
export function logRequests(app: FastifyInstance): void {
  app.addHook('onResponse', async (request, reply) => {
    const { error, log } = request;
    const line = { req: request, res: reply, responseTime: reply.elapsedTime };
    if (error === undefined) return log.info(line, 'request completed');
    const { status, code } = failureOf(error);
    if (status === 500) log.error({ ...line, err: error }, 'request failed');
    else log.info({ ...line, code }, 'request completed');
  });
}
