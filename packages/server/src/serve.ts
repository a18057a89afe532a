// A server of models in files, from start to end.
import { setTimeout } from 'node:timers/promises';
import { createPool, type PoolOptions, TlscError } from '@tlsc/api';
import type { FastifyInstance } from 'fastify';
import { type AppOptions, createApp } from './app.js';
import { type GrpcServer, startGrpc } from './grpc/service.js';
import { findModels, type ModelFile } from './models/folder.js';
import type { Readiness } from './observe/health.js';
import { Metrics } from './observe/metrics.js';
import { Tokens } from './security/tokens.js';

export interface ServeOptions {
  /** ONNX files, or folders of them. */
  readonly models: readonly string[];
  /** Default: 127.0.0.1, which nobody else can reach. */
  readonly host?: string;
  /** 0 is any that is free. Default: 8080. */
  readonly port?: number;
  /** For gRPC. Default: none. */
  readonly grpcPort?: number;
  /** A file of bearer tokens, one per line; read again when it changes. Default: everybody is answered. */
  readonly tokenFile?: string;
  readonly maxBody?: number;
  /** As of `createApp`. */
  readonly origins?: readonly string[];
  readonly idleTimeout?: number;
  readonly logger?: AppOptions['logger'];
  /** Milliseconds between not being ready and not listening any more, when it is closed: load balancers take a moment. Default: 1000. */
  readonly drain?: number;
  /** Milliseconds that whoever is at work then may take yet. Default: 30,000. */
  readonly grace?: number;
  readonly pool?: PoolOptions;
}

/** A server that listens. */
export interface Served {
  readonly app: FastifyInstance;
  /** Where: 'http://127.0.0.1:8080'. */
  readonly address: string;
  readonly grpcPort: number | undefined;
  readonly models: readonly string[];
  /** Looks for models again: loads new ones and such as have changed, and takes those away whose files are gone. Resolves to what it did. */
  reload(): Promise<Reloaded>;
  /** Is not ready any more, serves whoever is at work, and ends; never rejects. */
  close(): Promise<void>;
}

export interface Reloaded {
  readonly loaded: readonly string[];
  readonly unloaded: readonly string[];
  /** Why models are what they were, by their names. */
  readonly failed: ReadonlyMap<string, Error>;
}

const usual = { host: '127.0.0.1', port: 8080, drain: 1000, grace: 30_000, maxBody: 100e6 };

function cannotListen(host: string, port: number, cause: unknown): TlscError {
  const message = `cannot listen on ${host}:${port}: ${(cause as Error).message}`;
  return new TlscError('ERR_INVALID_ARGUMENT', message, { parameter: 'port', cause });
}

/**
 * Loads models and serves them. Rejects as `createPool` does, and with ERR_MODEL_NOT_FOUND where there is none, or ERR_INVALID_ARGUMENT
 * where it cannot listen or read the tokens.
 */
export async function serve(options: ServeOptions): Promise<Served> {
  const { host = usual.host, port = usual.port, grpcPort, maxBody = usual.maxBody } = options;
  const { idleTimeout, logger, origins } = options;
  const { drain = usual.drain, grace = usual.grace } = options;
  let files = await findModels(options.models);
  if (files.size === 0)
    throw new TlscError('ERR_MODEL_NOT_FOUND', `there are no ONNX files in ${options.models.join(', ')}`);
  let log: FastifyInstance['log'] | undefined;
  const tokens =
    options.tokenFile === undefined
      ? undefined
      : new Tokens(options.tokenFile, (error) => log?.error(error, 'the tokens that were there stay good'));
  const readiness: Readiness = { isReady: true };
  let grpc: GrpcServer | undefined;
  const pool = await createPool(pathsOf(files), options.pool).catch((error: unknown) => {
    tokens?.close();
    throw error;
  });
  const metrics = new Metrics(pool);
  const end = async () => {
    await pool.close();
    tokens?.close();
  };
  const app = await createApp({
    pool,
    metrics,
    readiness,
    maxBody,
    ...(tokens && { tokens }),
    ...(origins && { origins }),
    ...(idleTimeout !== undefined && { idleTimeout }),
    ...(logger !== undefined && { logger }),
  }).catch(async (error: unknown) => {
    await end();
    throw error;
  });
  log = app.log;
  try {
    if (grpcPort !== undefined)
      grpc = await startGrpc({ pool, metrics, readiness, tokens, maxBody, host, port: grpcPort });
    await app.listen({ host, port }).catch((cause: unknown) => {
      throw cannotListen(host, port, cause);
    });
  } catch (error) {
    grpc?.closeNow();
    await app.close();
    await end();
    throw error;
  }
  const { port: bound } = app.server.address() as { port: number };

  const reload = async (): Promise<Reloaded> => {
    const found = await findModels(options.models);
    const changed = [...found].filter(([name, { path, state }]) => {
      const before = files.get(name);
      return before?.path !== path || before.state !== state;
    });
    const failed = new Map<string, Error>();
    for (const [name, { path }] of changed)
      await pool.load(name, path).catch((error: Error) => failed.set(name, error));
    const unloaded = pool.models.filter((name) => !found.has(name));
    for (const name of unloaded) await pool.unload(name);
    // What has failed is tried again the next time.
    files = new Map([...found].filter(([name]) => !failed.has(name)));
    return { loaded: changed.map(([name]) => name).filter((name) => !failed.has(name)), unloaded, failed };
  };

  let closing: Promise<void> | undefined;
  const close = async () => {
    readiness.isReady = false;
    await setTimeout(drain);
    const timer = globalThis.setTimeout(() => {
      log?.warn('the time to end has passed: whoever is at work yet is cut off');
      void pool.close({ signal: AbortSignal.abort(new Error('the server ends')) });
      grpc?.closeNow();
      globalThis.setTimeout(() => app.server.closeAllConnections(), lastWords).unref();
    }, grace);
    await Promise.all([app.close(), grpc?.close()]).catch((error: Error) => log?.error(error));
    clearTimeout(timer);
    await end();
  };

  return {
    app,
    address: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    grpcPort: grpc?.port,
    get models() {
      return pool.models;
    },
    reload,
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

/** For the answers of those who are cut off, in milliseconds. */
const lastWords = 500;

function pathsOf(files: ReadonlyMap<string, ModelFile>): Readonly<Record<string, string>> {
  return Object.fromEntries([...files].map(([name, { path }]) => [name, path]));
}
