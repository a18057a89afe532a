import type { FastifyInstance, FastifyRequest } from 'fastify';
import { RequestError } from '../errors.js';
import type { Tokens } from './tokens.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether the route answers anybody, token or not. */
    readonly isPublic?: boolean;
  }
}

/** Other pages than ours may post to a server that their reader can reach; browsers say who asks. */
function checkOrigin({ headers }: FastifyRequest): void {
  const { origin, host } = headers;
  if (origin === undefined) return;
  let from: string | undefined;
  try {
    from = new URL(origin).host;
  } catch {
    // 'null', as of a sandboxed page
  }
  if (from !== host) throw new RequestError(403, 'ERR_FORBIDDEN', 'pages of other origins are not answered');
}

/** What holds of every request, before anything of it is looked at. */
export function guard(app: FastifyInstance, tokens: Tokens | undefined): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-content-type-options', 'nosniff');
    checkOrigin(request);
    if (!tokens || request.routeOptions.config.isPublic) return;
    if (tokens.admits(request.headers.authorization)) return;
    reply.header('www-authenticate', 'Bearer');
    throw new RequestError(401, 'ERR_UNAUTHORIZED', 'a bearer token is needed, in the header Authorization');
  });
}
