import { dirname, resolve } from 'node:path';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { type ModelProto, ModelProtoSchema } from 'onnx-buf';
import { TlscError } from '../errors.js';
import { readSource } from '../files.js';
import { findCircle } from './circles.js';
import { checkFolder, findExternalData, inlineShapes } from './external-data.js';
import { type GraphProto, isOnnxDomain, labelOf, type NodeProto, subgraphsOf } from './proto.js';

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

/** Reads an ONNX file. Throws ERR_INVALID_MODEL when the bytes are not one. */
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
  const graphs = [model.graph, ...model.functions].flatMap(graphsIn);
  const refuse = (why: string) => {
    throw new TlscError('ERR_INVALID_MODEL', `${name} is not an ONNX model: ${why}`);
  };
  const circle = graphs.map(findCircle).find(Boolean);
  if (circle) refuse(`it goes in a circle at ${labelOf(circle)}`);
  // ONNX Runtime (1.30 still) crashes when it runs one.
  const gap = graphs.flat().find(({ opType, output }) => opType === 'Split' && output.includes(''));
  if (gap) refuse(`${labelOf(gap)} (Split) leaves out one of its parts`);
  return model;
}

/** The nodes of each graph there, by itself. */
function graphsIn({ node }: { readonly node: NodeProto[] }): NodeProto[][] {
  return [node, ...node.flatMap(subgraphsOf).flatMap(graphsIn)];
}

export interface LoadedModel {
  /** The file as it is, unless shapes had to be put into it. */
  readonly bytes: Uint8Array;
  readonly model: Model;
  /** How messages speak of it. */
  readonly name: string;
}

/**
 * Reads and decodes. External data lies in the folder of a path, and in `externalDataFolder` for bytes; it stays there, but for what
 * ONNX Runtime must have in the model. Throws what `findExternalData` does, too.
 */
export async function loadModel(source: ModelSource, externalDataFolder?: string): Promise<LoadedModel> {
  checkFolder(externalDataFolder);
  const bytes = await readSource(source, 'model');
  const name = nameOf(source);
  const model = decodeModel(bytes, name);
  const place = typeof source === 'string' ? dirname(source) : externalDataFolder;
  const folder = place === undefined ? undefined : resolve(place);
  const { tensors } = await findExternalData(model, folder, name);
  if (folder === undefined || tensors.length === 0) return { bytes, model, name };
  const external = inlineShapes(tensors, folder);
  if (external.length > 0) model.externalDataFolder = folder;
  return { bytes: external.length < tensors.length ? encodeModel(model) : bytes, model, name };
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
