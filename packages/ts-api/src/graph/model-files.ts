// The files that a model with external data goes to.
import { realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { StringStringEntryProtoSchema } from 'onnx-buf';
import { TlscError } from '../errors.js';
import { checkModel } from '../session/check-model.js';
import { type ExternalTensor, externalTensorsOf, type Slice } from './external-data.js';
import { decodeModel, encodeModel } from './model.js';

/** What goes from a file beside the original into one beside the copy. */
export interface Move {
  readonly from: Slice;
  /** Where it begins in the new file. */
  readonly offset: number;
}

export interface ModelFiles {
  /** The bytes of the model's own file. */
  readonly model: Uint8Array;
  /** The file for the data; undefined where that stays with the original. */
  readonly data: { readonly path: string; readonly moves: readonly Move[] } | undefined;
}

/**
 * What to write where for a copy at `path` of a model whose external data lies in `folder`. Throws ERR_NOT_WRITABLE where that would
 * overwrite the original's weights, and what `checkModel` does.
 */
export async function planModelFiles(bytes: Uint8Array, folder: string, path: string): Promise<ModelFiles> {
  await checkModel(bytes, folder);
  const model = decodeModel(bytes, 'the converted model');
  const tensors = externalTensorsOf(model);
  const data = `${path}.data`;
  const stays = (await identityOf(dirname(path))) === (await identityOf(folder));
  const sources = new Set<string>();
  for (const { slice } of tensors) sources.add(await identityOf(join(folder, slice.location)));
  for (const target of stays ? [path] : [path, data]) {
    if (sources.has(await identityOf(target)))
      throw new TlscError('ERR_NOT_WRITABLE', `${target} would overwrite weights of the original model`);
  }
  if (stays) return { model: bytes, data: undefined };
  const moves = moveTo(basename(data), tensors);
  return { model: encodeModel(model), data: { path: data, moves } };
}

/** The one path of a file that has several, through links and dots; for a file that is not there, its plain path. */
async function identityOf(path: string): Promise<string> {
  return realpath(path).catch(() => resolve(path));
}

/** Where a tensor may begin in a data file. A large one such that it can be mapped into memory, on Windows too. */
function alignmentOf({ length }: Slice): number {
  return length >= 2 ** 20 ? 2 ** 16 : 64;
}

function alignUp(offset: number, alignment: number): number {
  return Math.ceil(offset / alignment) * alignment;
}

/** Says in each tensor that it lies in the file `location`, and where. Tensors that share their values go on doing so. */
function moveTo(location: string, tensors: readonly ExternalTensor[]): Move[] {
  const moves = new Map<string, Move>();
  let end = 0;
  for (const { tensor, slice } of tensors) {
    const key = JSON.stringify(slice);
    const move = moves.get(key) ?? { from: slice, offset: alignUp(end, alignmentOf(slice)) };
    if (!moves.has(key)) end = move.offset + slice.length;
    moves.set(key, move);
    const entries = { location, offset: String(move.offset), length: String(slice.length) };
    tensor.externalData = Object.entries(entries).map(([key, value]) =>
      create(StringStringEntryProtoSchema, { key, value }),
    );
  }
  return [...moves.values()];
}
