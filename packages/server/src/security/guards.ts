import { isIP } from 'node:net';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { RequestError } from '../errors.js';
import type { Tokens } from './tokens.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether the route answers anybody, token or not. */
    readonly isPublic?: boolean;
  }
}

/** 'localhost', or an address: what a name on the internet cannot be made to stand for. */
function isHere(host: string): boolean {
  const name = host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return name === 'localhost' || isIP(name) !== 0;
}

function isLoopback(address = ''): boolean {
  return /^(::ffff:)?127\.|^::1$/.test(address);
}

function hostIn(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined; // 'null', as of a sandboxed page
}

/**
 * Other pages than ours may post to a server that their reader can reach; browsers say who asks. On this machine a name of theirs may stand for it as
 * well, so that names are not believed.
 */
function checkOrigin({ headers, raw: { socket } }: FastifyRequest, origins: readonly string[]): void {
  const { origin, host = '' } = headers;
  if (origin === undefined || origins.includes(origin)) return;
  const isNamed = isLoopback(socket.localAddress) && !isHere(host);
  if (hostIn(origin) === host && !isNamed) return;
  throw new RequestError(
    403,
    'ERR_FORBIDDEN',
    `pages of ${origin} are not answered; the option origin lets them in`,
  );
}

/** Nothing is unpacked: how large it would become, nobody knows. */
function checkEncoding({ headers }: FastifyRequest): void {
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity')
    throw new RequestError(415, 'ERR_CONTENT_ENCODING', `bodies are taken as they are, not as ${encoding}`);
}

export interface Guarding {
  readonly tokens: Tokens | undefined;
  readonly origins: readonly string[];
}

/** What holds of every request, before anything of it is looked at. */
export function guard(app: FastifyInstance, { tokens, origins }: Guarding): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-content-type-options', 'nosniff');
    checkOrigin(request, origins);
    checkEncoding(request);
    if (!tokens || request.routeOptions.config.isPublic) return;
    if (tokens.admits(request.headers.authorization)) return;
    reply.header('www-authenticate', 'Bearer');
    throw new RequestError(401, 'ERR_UNAUTHORIZED', 'a bearer token is needed, in the header Authorization');
  });
}
