import { dirname, resolve } from 'node:path';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { GraphProtoSchema, type ModelProto, ModelProtoSchema } from 'onnx-buf';
import { TlscError } from '../errors.js';
import { readSource } from '../files.js';
import { checkModel } from '../session/check-model.js';
import { checkFolder, externalTensorsOf, inlineShapes } from './external-data.js';
import { type GraphProto, isOnnxDomain, type NodeProto, shallowCopy } from './proto.js';

/** A path, or the bytes of the file. */
export type ModelSource = string | Uint8Array;

/** How messages speak of the model. */
function nameOf(source: ModelSource): string {
  return typeof source === 'string' ? source : 'the model';
}

/** A model whose graph is there. */
export interface Model extends ModelProto {
  graph: GraphProto;
  /** The folder that its external data lies in; undefined when it has none. */
  externalDataFolder?: string | undefined;
}

/** Reads an ONNX file that `checkModel` has let through. Throws ERR_INVALID_MODEL when the bytes are not one. */
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
  return model;
}

export interface LoadedModel {
  /** The file as it is, unless shapes had to be put into it. */
  readonly bytes: Uint8Array;
  readonly model: Model;
  /** How messages speak of it. */
  readonly name: string;
}

/**
 * Reads, checks and decodes. External data lies in the folder of a path, and in `externalDataFolder` for bytes; it stays there, but for
 * what ONNX Runtime must have in the model. Throws what `checkModel` does, too.
 */
export async function loadModel(source: ModelSource, externalDataFolder?: string): Promise<LoadedModel> {
  checkFolder(externalDataFolder);
  const bytes = await readSource(source, 'model');
  const isPath = typeof source === 'string';
  const place = isPath ? dirname(source) : externalDataFolder;
  const folder = place === undefined ? undefined : resolve(place);
  await checkModel(bytes, folder, isPath ? source : undefined);
  const name = nameOf(source);
  const model = decodeModel(bytes, name);
  const tensors = externalTensorsOf(model);
  if (folder === undefined || tensors.length === 0) return { bytes, model, name };
  const external = inlineShapes(tensors, folder);
  if (external.length > 0) model.externalDataFolder = folder;
  return { bytes: external.length < tensors.length ? encodeModel(model) : bytes, model, name };
}

/** What of a model ONNX Runtime must have in its own file is put there. Throws what `loadModel` does. */
export async function embedShapes(
  source: ModelSource,
  externalDataFolder: string | undefined,
): Promise<{ bytes: Uint8Array; externalDataFolder: string | undefined }> {
  const { bytes, model } = await loadModel(source, externalDataFolder);
  return { bytes, externalDataFolder: model.externalDataFolder };
}

/** A copy with other nodes, which shares everything else. */
export function withNodes(model: Model, nodes: readonly NodeProto[]): Model {
  const copy = shallowCopy(ModelProtoSchema, model) as Model;
  copy.graph = shallowCopy(GraphProtoSchema, model.graph);
  copy.graph.node = [...nodes];
  copy.externalDataFolder = model.externalDataFolder;
  return copy;
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
