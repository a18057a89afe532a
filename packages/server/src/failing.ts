import type { FastifyReply, FastifyRequest } from 'fastify';
import { failureOf } from './errors.js';

/** Answers with an error; `bodyOf` is how the protocol writes it. */
export function answerFailure(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  bodyOf: (code: string, message: string) => object,
): FastifyReply {
  request.error = error;
  const { status, code, message, retryAfter } = failureOf(error);
  if (retryAfter !== undefined) reply.header('retry-after', retryAfter);
  // What is too large, or too slow, is not read to its end for the sake of a connection.
  if (status === 413 || status === 408 || status === 411) reply.header('connection', 'close');
  return reply.code(status).send(bodyOf(code, message));
}
