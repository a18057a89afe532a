// The Open Inference Protocol over gRPC, of the definition in proto/.
import { fileURLToPath } from 'node:url';
import {
  loadPackageDefinition,
  Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceClientConstructor,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { load } from '@grpc/proto-loader';
import { type RestorationPool, TlscError } from '@tlsc/api';
import { failureOf, notFound, RequestError } from '../errors.js';
import { bytesOf, datatypeOf } from '../inference/datatypes.js';
import { infer } from '../inference/infer.js';
import { modelMetadata, serverMetadata } from '../inference/metadata.js';
import type { Readiness } from '../observe/health.js';
import type { Metrics } from '../observe/metrics.js';
import type { Tokens } from '../security/tokens.js';
import { type GrpcInput, inputsOf } from './contents.js';

const definition = fileURLToPath(new URL('../../proto/open_inference_grpc.proto', import.meta.url));

/** How the fields are called, and that whole numbers of 64 bits come as text. */
const loading = { keepCase: true, longs: String, defaults: true } as const;

/** The service of the definition. */
export async function loadService(): Promise<ServiceClientConstructor> {
  const { inference } = loadPackageDefinition(await load(definition, loading)) as unknown as {
    inference: { GRPCInferenceService: ServiceClientConstructor };
  };
  return inference.GRPCInferenceService;
}

interface ModelRequest {
  readonly name: string;
}

interface InferRequest {
  readonly model_name: string;
  readonly id: string;
  readonly inputs: readonly GrpcInput[];
  readonly outputs: readonly { readonly name: string }[];
  readonly raw_input_contents: readonly Buffer[];
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

async function inferRaw(options: GrpcOptions, request: InferRequest, signal: AbortSignal) {
  const { model_name: model, id, inputs, outputs: wanted, raw_input_contents: raw } = request;
  const outputs = wanted.length > 0 ? wanted.map(({ name }) => ({ name, isBinary: true })) : undefined;
  const read = async () => ({ id, inputs: inputsOf(inputs, raw), outputs, isBinary: true });
  const made = (await infer(options, model, read, signal)).outputs;
  return {
    model_name: model,
    id,
    outputs: made.map(({ name, tensor }) => ({
      name,
      datatype: datatypeOf(tensor.type),
      shape: tensor.dims,
    })),
    raw_output_contents: made.map(({ tensor }) => bytesOf(tensor)),
  };
}

/** Throws ERR_INVALID_ARGUMENT where the port cannot be had. */
export async function startGrpc(options: GrpcOptions): Promise<GrpcServer> {
  const { pool, readiness, tokens, maxBody, host, port } = options;
  const { service } = await loadService();

  const unary =
    <Q, A>(work: Work<Q, A>, isPublic = false) =>
    (call: ServerUnaryCall<Q, A>, callback: sendUnaryData<A>) => {
      const controller = new AbortController();
      call.on('cancelled', () => controller.abort(new Error('the client has gone')));
      const answer = async () => {
        const [authorization] = call.metadata.get('authorization');
        if (tokens && !isPublic && !tokens.admits(authorization?.toString()))
          throw new RequestError(
            401,
            'ERR_UNAUTHORIZED',
            'a bearer token is needed, in the metadata authorization',
          );
        return work(call.request, controller.signal);
      };
      answer().then(
        (made) => callback(null, made),
        (error: unknown) => callback(toGrpc(error)),
      );
    };

  const server = new Server({
    'grpc.max_receive_message_length': maxBody,
    'grpc.max_send_message_length': -1,
  });
  server.addService(service, {
    ServerLive: unary(async () => ({ live: true }), true),
    ServerReady: unary(async () => ({ ready: readiness.isReady }), true),
    ModelReady: unary(async ({ name }: ModelRequest) => ({ ready: pool.models.includes(name) }), true),
    ServerMetadata: unary(async () => serverMetadata),
    ModelMetadata: unary(async ({ name }: ModelRequest) => {
      if (!pool.models.includes(name)) throw notFound(name);
      return modelMetadata(name, pool.describe(name));
    }),
    ModelInfer: unary((request: InferRequest, signal) => inferRaw(options, request, signal)),
  });
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(
      `${host.includes(':') ? `[${host}]` : host}:${port}`,
      ServerCredentials.createInsecure(),
      (cause, at) => {
        if (!cause) return resolve(at);
        const message = `cannot listen on ${host}:${port} for gRPC: ${cause.message}`;
        reject(new TlscError('ERR_INVALID_ARGUMENT', message, { parameter: 'grpcPort', cause }));
      },
    );
  });
  return {
    port: bound,
    close: () =>
      new Promise((resolve, reject) => server.tryShutdown((error) => (error ? reject(error) : resolve()))),
    closeNow: () => server.forceShutdown(),
  };
}
