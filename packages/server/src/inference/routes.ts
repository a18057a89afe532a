// The Open Inference Protocol over HTTP, with the extension for tensors as bytes; docs/serving.md has it point by point.
import type { Readable } from 'node:stream';
import type { RestorationPool } from '@tlsc/api';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { abandonedBy } from '../abandoned.js';
import { failureOf, notFound, RequestError } from '../errors.js';
import type { Readiness } from '../observe/health.js';
import type { Metrics } from '../observe/metrics.js';
import { checkLength, limited, type UploadLimits } from '../restore/upload.js';
import { answerOf } from './answer.js';
import { infer } from './infer.js';
import { modelMetadata, serverMetadata } from './metadata.js';
import { Parser } from './parser.js';

interface Route {
  Params: { readonly model: string };
}

const tags = ['Open Inference Protocol'];
const jsonLengthHeader = 'inference-header-content-length';

function wholeNumberIn({ headers }: FastifyRequest, name: string): number | undefined {
  const text = headers[name];
  if (text === undefined) return undefined;
  if (typeof text === 'string' && /^\d{1,15}$/.test(text)) return Number(text);
  throw new RequestError(400, 'ERR_INVALID_ARGUMENT', `the header ${name} must be a number of bytes`);
}

/** In memory of its own, which can go to another thread. */
async function bodyOf(request: FastifyRequest, limits: UploadLimits): Promise<Uint8Array<ArrayBuffer>> {
  if (!request.body) throw new RequestError(400, 'ERR_INVALID_ARGUMENT', 'the request is empty');
  const chunks: Uint8Array[] = [];
  for await (const chunk of limited(request.body as Readable, limits)) chunks.push(chunk);
  const body = new Uint8Array(chunks.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.byteLength;
  }
  return body;
}

export interface Inferring {
  readonly pool: RestorationPool;
  readonly metrics: Metrics;
  readonly limits: UploadLimits;
  readonly readiness: Readiness;
}

export async function inferenceRoutes(app: FastifyInstance, options: Inferring): Promise<void> {
  const { pool, limits, readiness } = options;
  const parser = new Parser();
  app.addHook('onClose', () => parser.close());
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_, body, done) => done(null, body));
  app.setErrorHandler((error, request, reply) => {
    request.error = error;
    const { status, message, retryAfter } = failureOf(error);
    if (retryAfter !== undefined) reply.header('retry-after', retryAfter);
    return reply.code(status).send({ error: message });
  });

  const healthy = { config: { isPublic: true }, logLevel: 'warn' as const };
  const ready = async (_: FastifyRequest, reply: FastifyReply) => {
    if (!readiness.isReady) reply.code(503);
    return { live: true, ready: readiness.isReady };
  };
  app.get('/v2/health/live', { schema: { summary: 'Server live', tags }, ...healthy }, async () => ({
    live: true,
  }));
  app.get('/v2/health/ready', { schema: { summary: 'Server ready', tags }, ...healthy }, ready);
  for (const url of ['/v2', '/v2/'])
    app.get(
      url,
      { schema: { summary: 'Server metadata', tags, hide: url.endsWith('/') } },
      async () => serverMetadata,
    );

  const known = ({ params: { model } }: FastifyRequest<Route>) => {
    if (!pool.models.includes(model)) throw notFound(model);
    return model;
  };
  app.get<Route>('/v2/models/:model', { schema: { summary: 'Model metadata', tags } }, async (request) => {
    const name = known(request);
    return modelMetadata(name, pool.describe(name));
  });
  app.get<Route>(
    '/v2/models/:model/ready',
    { schema: { summary: 'Model ready', tags }, ...healthy },
    async (request) => ({
      name: known(request),
      ready: true,
    }),
  );

  const noVersions = async () => {
    throw new RequestError(404, 'ERR_NOT_FOUND', 'models have no versions; leave /versions out');
  };
  for (const method of ['GET', 'POST'] as const)
    app.route({ method, url: '/v2/models/:model/versions/*', schema: { hide: true }, handler: noVersions });

  const schema = {
    summary: 'Inference',
    description: `JSON, or JSON of as many bytes as ${jsonLengthHeader} says and tensors as bytes behind it.`,
    tags,
    consumes: ['application/json', 'application/octet-stream'],
    produces: ['application/json', 'application/octet-stream'],
  };
  app.post<Route>('/v2/models/:model/infer', { schema }, async (request, reply) => {
    const { model } = request.params;
    checkLength(wholeNumberIn(request, 'content-length'), limits);
    const jsonLength = wholeNumberIn(request, jsonLengthHeader);
    const read = async () => parser.parse(await bodyOf(request, limits), jsonLength);
    const { id, outputs } = await infer(options, model, read, abandonedBy(reply));
    const { type, lengths, body } = await answerOf(
      { model_name: model, ...(id !== undefined && { id }) },
      outputs,
    );
    reply.type(type);
    if (lengths) {
      reply.header(jsonLengthHeader, lengths.json);
      reply.header('content-length', lengths.all);
    }
    return reply.send(body);
  });
}
