// The Open Inference Protocol over HTTP, with the extension for tensors as bytes; docs/serving.md has it point by point.
import type { Readable } from 'node:stream';
import type { RestorationPool } from '@tlsc/api';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { notFound, RequestError } from '../errors.js';
import { Exchange } from '../exchange.js';
import { answerFailure } from '../failing.js';
import type { Readiness } from '../observe/health.js';
import type { Metrics } from '../observe/metrics.js';
import { checkLength, lengthOf, readToMemory, type UploadLimits } from '../restore/upload.js';
import type { Passenger, Transit } from '../transit.js';
import { answerOf } from './answer.js';
import { bytesOf } from './datatypes.js';
import { infer } from './infer.js';
import { modelMetadata, serverMetadata } from './metadata.js';
import { Parser } from './parser.js';

interface Route {
  Params: { readonly model: string };
}

const tags = ['Open Inference Protocol'];
const jsonLengthHeader = 'inference-header-content-length';

/** How many bytes of a body are JSON; undefined where all are. */
function jsonLengthOf({ headers }: FastifyRequest): number | undefined {
  const text = headers[jsonLengthHeader];
  if (text === undefined) return undefined;
  if (typeof text === 'string' && /^\d{1,15}$/.test(text)) return Number(text);
  throw new RequestError(
    400,
    'ERR_INVALID_ARGUMENT',
    `the header ${jsonLengthHeader} must be a number of bytes`,
  );
}

/** The most bytes of JSON: parsing it takes several times as many, and large tensors have a better way. */
const mostJson = 16e6;

async function bodyOf(request: FastifyRequest, limits: UploadLimits, passenger: Passenger) {
  if (!request.body) throw new RequestError(400, 'ERR_INVALID_ARGUMENT', 'the request is empty');
  return readToMemory(request.body as Readable, limits, passenger);
}

function checkJson(length: number): void {
  if (length > mostJson)
    throw new RequestError(
      413,
      'ERR_JSON_TOO_LARGE',
      `JSON may have ${mostJson} bytes; send tensors as bytes`,
    );
}

export interface Inferring {
  readonly pool: RestorationPool;
  readonly metrics: Metrics;
  readonly limits: UploadLimits;
  readonly transit: Transit;
  readonly readiness: Readiness;
}

export async function inferenceRoutes(app: FastifyInstance, options: Inferring): Promise<void> {
  const { pool, limits, transit, readiness } = options;
  const parser = new Parser();
  app.addHook('onClose', () => parser.close());
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_, body, done) => done(null, body));
  app.setErrorHandler((error, request, reply) =>
    answerFailure(error, request, reply, (_, message) => ({ error: message })),
  );

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
    checkLength(lengthOf(request), limits);
    const jsonLength = jsonLengthOf(request);
    const passenger = transit.begin();
    const exchange = new Exchange(request, reply);
    exchange.whenOver(() => passenger.end());
    const { signal } = exchange;
    const read = async () => {
      const body = await bodyOf(request, limits, passenger);
      checkJson(jsonLength ?? body.byteLength);
      return parser.parse(body, { jsonLength }, signal);
    };
    const { id, outputs } = await infer(options, model, read, signal);
    for (const { tensor } of outputs) passenger.add(bytesOf(tensor).byteLength);
    const opening = { model_name: model, ...(id !== undefined && { id }) };
    const { type, lengths, body } = await answerOf(opening, outputs);
    reply.type(type);
    if (lengths) {
      reply.header(jsonLengthHeader, lengths.json);
      reply.header('content-length', lengths.all);
    }
    return reply.send(body);
  });
}
