// The published definition of the service.
import { fileURLToPath } from 'node:url';
import { loadPackageDefinition, type ServiceClientConstructor } from '@grpc/grpc-js';
import { load } from '@grpc/proto-loader';

const definition = fileURLToPath(new URL('../../proto/open_inference_grpc.proto', import.meta.url));

/** How the fields are called, and that whole numbers of 64 bits come as text. */
const loading = { keepCase: true, longs: String, defaults: true } as const;

export async function loadService(): Promise<ServiceClientConstructor> {
  const { inference } = loadPackageDefinition(await load(definition, loading)) as unknown as {
    inference: { GRPCInferenceService: ServiceClientConstructor };
  };
  return inference.GRPCInferenceService;
}
