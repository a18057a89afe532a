import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { TensorProto_DataLocation as DataLocation, type ModelProto, ModelProtoSchema } from 'onnx-buf';
import { TlscError } from '../errors.js';
import { readSource } from '../files.js';
import { type GraphProto, isOnnxDomain, subgraphsOf } from './proto.js';

/** A path, or the bytes of the file. */
export type ModelSource = string | Uint8Array;

/** How messages speak of the model. */
function nameOf(source: ModelSource): string {
  return typeof source === 'string' ? source : 'the model';
}

/** A model whose graph is there. */
export interface Model extends ModelProto {
  graph: GraphProto;
}

/**
 * Reads an ONNX file. Throws ERR_INVALID_MODEL when the bytes are not one, ERR_UNSUPPORTED_MODEL when its weights lie in
 * other files.
 */
export function decodeModel(bytes: Uint8Array, name: string): Model {
  let model: ModelProto;
  try {
    model = fromBinary(ModelProtoSchema, bytes);
  } catch (cause) {
    throw new TlscError(
      'ERR_INVALID_MODEL',
      `${name} is not an ONNX model, or is cut short: ${(cause as Error).message}`,
      {
        cause,
      },
    );
  }
  if (!hasGraph(model) || model.irVersion <= 0n || model.opsetImport.length === 0) {
    throw new TlscError(
      'ERR_INVALID_MODEL',
      `${name} is not an ONNX model: it has no graph, IR version or opset`,
    );
  }
  const external = findExternal(model.graph);
  if (external !== undefined) {
    throw new TlscError(
      'ERR_UNSUPPORTED_MODEL',
      `${name} keeps its weights in other files (initializer ${external}); save it as a single file first`,
    );
  }
  return model;
}

/** Reads and decodes; the bytes come along for those who need them as they are. */
export async function loadModel(
  source: ModelSource,
): Promise<{ bytes: Uint8Array; model: Model; name: string }> {
  const bytes = await readSource(source, 'model');
  const name = nameOf(source);
  return { bytes, model: decodeModel(bytes, name), name };
}

export function encodeModel(model: ModelProto): Uint8Array {
  return toBinary(ModelProtoSchema, model);
}

/** The version of the default ONNX operator set that the model imports; 0 when it imports none. */
export function opsetOf(model: ModelProto): number {
  return Number(model.opsetImport.find(({ domain }) => isOnnxDomain(domain))?.version ?? 0);
}

function hasGraph(model: ModelProto): model is Model {
  return model.graph !== undefined;
}

function findExternal(graph: GraphProto): string | undefined {
  const found = graph.initializer.find(({ dataLocation }) => dataLocation === DataLocation.EXTERNAL);
  if (found) return found.name;
  for (const node of graph.node) {
    for (const inner of subgraphsOf(node)) {
      const name = findExternal(inner);
      if (name !== undefined) return name;
    }
  }
  return undefined;
}
