// The Open Inference Protocol over gRPC, of the definition in proto/.
import {
  Metadata,
  type MethodDefinition,
  Server,
  ServerCredentials,
  ServerInterceptingCall,
  type ServerInterceptor,
  ServerListenerBuilder,
  type ServerUnaryCall,
  type ServiceDefinition,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { type RestorationPool, TlscError } from '@tlsc/api';
import { failureOf, notFound, RequestError } from '../errors.js';
import { bytesOf, datatypeOf } from '../inference/datatypes.js';
import { infer } from '../inference/infer.js';
import { modelMetadata, serverMetadata } from '../inference/metadata.js';
import { Parser } from '../inference/parser.js';
import type { Readiness } from '../observe/health.js';
import type { Metrics } from '../observe/metrics.js';
import type { Tokens } from '../security/tokens.js';
import { Transit } from '../transit.js';
import { loadService } from './definition.js';

interface ModelRequest {
  readonly name: string;
}

/** What gRPC has for the numbers of HTTP. */
const codes: Readonly<Record<number, status>> = {
  400: status.INVALID_ARGUMENT,
  401: status.UNAUTHENTICATED,
  404: status.NOT_FOUND,
  413: status.RESOURCE_EXHAUSTED,
  422: status.INVALID_ARGUMENT,
  499: status.CANCELLED,
  503: status.UNAVAILABLE,
  504: status.DEADLINE_EXCEEDED,
};

function toGrpc(error: unknown) {
  const { status: number, message, retryAfter } = failureOf(error);
  const metadata = new Metadata();
  if (retryAfter !== undefined) metadata.set('retry-after', String(retryAfter));
  return { code: codes[number] ?? status.INTERNAL, details: message, metadata };
}

export interface GrpcOptions {
  readonly pool: RestorationPool;
  readonly metrics: Metrics;
  readonly readiness: Readiness;
  readonly tokens?: Tokens | undefined;
  /** The most bytes that a request may have. */
  readonly maxBody: number;
  readonly host: string;
  readonly port: number;
}

/** Bound and serving. Whoever is at work is served to the end when it is closed. */
export interface GrpcServer {
  readonly port: number;
  close(): Promise<void>;
  /** Ends whoever is left. */
  closeNow(): void;
}

type Work<Q, A> = (request: Q, signal: AbortSignal) => Promise<A>;

/** Calls that are answered without a token. */
const open = ['ServerLive', 'ServerReady', 'ModelReady'];

/** How many calls may be under way on one connection. */
const mostStreams = 100;

/** Refuses a call before its message is read. */
function doorkeeper({ tokens, pool }: GrpcOptions): ServerInterceptor {
  return ({ path }, call) => {
    const name = path.slice(path.lastIndexOf('/') + 1);
    const refusalOf = (metadata: Metadata): unknown => {
      const [authorization] = metadata.get('authorization');
      if (tokens && !open.includes(name) && !tokens.admits(authorization?.toString()))
        return new RequestError(
          401,
          'ERR_UNAUTHORIZED',
          'a bearer token is needed, in the metadata authorization',
        );
      if (name === 'ModelInfer' && pool.isBusy) return new TlscError('ERR_BUSY', 'as many wait as may');
      return undefined;
    };
    const listener = new ServerListenerBuilder().withOnReceiveMetadata((metadata, next) => {
      const refusal = refusalOf(metadata);
      if (refusal === undefined) next(metadata);
      else call.sendStatus(toGrpc(refusal));
    });
    return new ServerInterceptingCall(call, { start: (next) => next(listener.build()) });
  };
}

type InferMethod = MethodDefinition<Buffer, object>;

/** Calls of ModelInfer as they come, decoded in the thread for requests; the others are small. */
function inferAsBytes(service: ServiceDefinition): ServiceDefinition {
  const method: InferMethod = {
    ...(service.ModelInfer as InferMethod),
    requestDeserialize: (bytes) => bytes,
  };
  return { ...service, ModelInfer: method };
}

/** Throws ERR_INVALID_ARGUMENT where the port cannot be had. */
export async function startGrpc(options: GrpcOptions): Promise<GrpcServer> {
  const { pool, readiness, maxBody, host, port } = options;
  const { service } = await loadService();
  const parser = new Parser();
  const transit = new Transit(pool, maxBody);

  const unary =
    <Q, A>(work: Work<Q, A>) =>
    (call: ServerUnaryCall<Q, A>, callback: sendUnaryData<A>) => {
      const controller = new AbortController();
      call.on('cancelled', () => controller.abort(new Error('the client has gone')));
      work(call.request, controller.signal).then(
        (made) => callback(null, made),
        (error: unknown) => callback(toGrpc(error)),
      );
    };

  const inferRaw = async (message: Buffer, signal: AbortSignal) => {
    const passenger = transit.begin();
    try {
      passenger.take(message.byteLength);
      const parsed = await parser.parse(new Uint8Array(message), 'grpc', signal);
      const model = parsed.model ?? '';
      const { outputs } = await infer(options, model, async () => parsed, signal);
      return {
        model_name: model,
        id: parsed.id,
        outputs: outputs.map(({ name, tensor: { type, dims } }) => ({
          name,
          datatype: datatypeOf(type),
          shape: dims,
        })),
        raw_output_contents: outputs.map(({ tensor }) => bytesOf(tensor)),
      };
    } finally {
      passenger.end();
    }
  };

  const limits = {
    'grpc.max_receive_message_length': maxBody,
    'grpc.max_send_message_length': -1,
    'grpc.max_concurrent_streams': mostStreams,
  };
  const server = new Server({ ...limits, interceptors: [doorkeeper(options)] });
  server.addService(inferAsBytes(service), {
    ServerLive: unary(async () => ({ live: true })),
    ServerReady: unary(async () => ({ ready: readiness.isReady })),
    ModelReady: unary(async ({ name }: ModelRequest) => ({ ready: pool.models.includes(name) })),
    ServerMetadata: unary(async () => serverMetadata),
    ModelMetadata: unary(async ({ name }: ModelRequest) => {
      if (!pool.models.includes(name)) throw notFound(name);
      return modelMetadata(name, pool.describe(name));
    }),
    ModelInfer: unary(inferRaw),
  });
  const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (cause, at) => {
      if (!cause) return resolve(at);
      const message = `cannot listen on ${address} for gRPC: ${cause.message}`;
      reject(new TlscError('ERR_INVALID_ARGUMENT', message, { parameter: 'grpcPort', cause }));
    });
  });
  return {
    port: bound,
    close: () =>
      new Promise<void>((resolve, reject) =>
        server.tryShutdown((error) => (error ? reject(error) : resolve())),
      ).finally(() => parser.close()),
    closeNow: () => {
      server.forceShutdown();
      void parser.close();
    },
  };
}
