import { randomUUID } from 'node:crypto';
import swagger from '@fastify/swagger';
import type { RestorationPool } from '@tlsc/api';
import fastify, { type FastifyInstance, type FastifyServerOptions, LogController } from 'fastify';
import { RequestError } from './errors.js';
import { answerFailure } from './failing.js';
import { inferenceRoutes } from './inference/routes.js';
import { healthRoutes, type Readiness } from './observe/health.js';
import { logRequests } from './observe/log.js';
import { Metrics, metricsRoute } from './observe/metrics.js';
import { pageRoutes } from './page/routes.js';
import { restoreRoutes } from './restore/routes.js';
import { guard } from './security/guards.js';
import type { Tokens } from './security/tokens.js';
import { Transit } from './transit.js';
import { version } from './version.js';

export interface RoutesOptions {
  readonly pool: RestorationPool;
  /** The most bytes that a body may have. Default: 100 MB. */
  readonly maxBody?: number;
  /** Milliseconds that may pass without a byte, of a body that comes or of an answer that goes. Default: 30 s. */
  readonly idleTimeout?: number;
  /** Who is answered. Default: anybody. */
  readonly tokens?: Tokens;
  /** Where browsers find the page, where that is not what they say in Host, as behind a proxy: 'https://photos.example'. Default: none. */
  readonly origins?: readonly string[];
  /** Default: one that is ready. */
  readonly readiness?: Readiness;
  readonly metrics?: Metrics;
}

const usual = { maxBody: 100e6, idleTimeout: 30_000 };

/**
 * All routes, as a plugin for an app of yours: `app.register(routes, { pool })`. The pool stays yours; the plugin does not close it.
 */
export async function routes(app: FastifyInstance, options: RoutesOptions): Promise<void> {
  const { pool, tokens, readiness = { isReady: true } } = options;
  const { maxBody = usual.maxBody, idleTimeout = usual.idleTimeout, origins = [] } = options;
  const metrics = options.metrics ?? new Metrics(pool);
  const limits = { maxBody, idle: idleTimeout };
  const transit = new Transit(pool, maxBody);
  logRequests(app);
  guard(app, { tokens, origins });
  app.addHook('onSend', async (request, reply) => {
    reply.header('x-request-id', request.id);
    // A connection that is kept alive would keep a server that ends from ending.
    if (!readiness.isReady) reply.header('connection', 'close');
    // A client that reads nothing holds no answer in memory for ever.
    reply.raw.socket?.setTimeout?.(idleTimeout);
  });
  app.addHook('preClose', async () => {
    readiness.isReady = false;
  });
  app.setErrorHandler((error, request, reply) =>
    answerFailure(error, request, reply, (code, message) => ({ error: { code, message } })),
  );
  app.setNotFoundHandler(({ method, url }) => {
    throw new RequestError(404, 'ERR_NOT_FOUND', `there is no ${method} ${url.split('?')[0]}`);
  });
  await app.register(swagger, {
    openapi: {
      info: { title: 'tlsc', version, description: 'Restores photos, and runs networks on tensors.' },
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
      ...(tokens && { security: [{ bearer: [] }] }),
    },
  });
  healthRoutes(app, readiness);
  metricsRoute(app, metrics);
  await app.register(restoreRoutes, { pool, metrics, limits, transit });
  await app.register(inferenceRoutes, { pool, metrics, limits, transit, readiness });
  await app.register(pageRoutes);
  const schema = { summary: 'This description', tags: ['operation'] };
  app.get('/openapi.json', { schema }, async () => app.swagger());
}

export interface AppOptions extends RoutesOptions {
  /** As fastify takes it. Default: none. */
  readonly logger?: FastifyServerOptions['logger'];
  /** Milliseconds in which a request must have come whole. Default: 5 minutes. */
  readonly requestTimeout?: number;
}

/** Headers are short, and those of honest clients come at once. */
const [maxHeaderSize, headersTimeout] = [16_384, 10_000];

const usualRequestTimeout = 300_000;

/** Ids of clients' requests stand in our log: they must be able to do no harm there. */
const isId = /^[\w.:-]{1,128}$/;

/** An app with all routes, which does not listen yet. */
export async function createApp({
  logger = false,
  requestTimeout = usualRequestTimeout,
  ...options
}: AppOptions): Promise<FastifyInstance> {
  const app = fastify({
    logger,
    logController: new LogController({ disableRequestLogging: true }),
    requestTimeout,
    bodyLimit: options.maxBody ?? usual.maxBody,
    http: { maxHeaderSize, headersTimeout },
    routerOptions: { maxParamLength: 256 },
    // Nothing is dropped silently.
    ajv: { customOptions: { removeAdditional: false } },
    genReqId: ({ headers: { 'x-request-id': id } }) =>
      typeof id === 'string' && isId.test(id) ? id : randomUUID(),
  } as FastifyServerOptions);
  await app.register(routes, options);
  return app;
}
