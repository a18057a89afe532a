import type { FileHandle } from 'node:fs/promises';
import { open, realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { StringStringEntryProtoSchema } from 'onnx-buf';
import type { Conversion } from './convert.js';
import { invalidArgument, TlscError, throwIfAborted } from './errors.js';
import { type FilePart, writeFilesAtomic } from './files.js';
import { type ExternalTensor, externalTensorsOf, type Slice } from './graph/external-data.js';
import { decodeModel, encodeModel } from './graph/model.js';
import { checkOptions, checkSignal } from './options.js';
import { checkModel } from './session/check-model.js';

export interface WriteModelOptions {
  readonly signal?: AbortSignal;
}

/** As much as is in memory of external data at a time, in bytes. */
const chunkSize = 8 * 2 ** 20;

/** Where a tensor may begin in a data file. A large one such that it can be mapped into memory, on Windows too. */
function alignmentOf({ length }: Slice): number {
  return length >= 2 ** 20 ? 2 ** 16 : 64;
}

/**
 * Writes a converted model to a file that appears whole or not at all; resolves to the paths of what was written. External data
 * stays where it is if the file goes into the original's folder. Into any other folder goes a copy of the tensors that the model
 * still has, in one file beside it, `<file>.data`.
 *
 * Rejects with ERR_NOT_WRITABLE, ERR_ABORTED, ERR_INVALID_ARGUMENT, or, where the original's data has gone or changed,
 * ERR_MODEL_NOT_FOUND or ERR_INVALID_MODEL.
 */
export async function writeModel(
  conversion: Pick<Conversion, 'model' | 'externalDataFolder'>,
  path: string,
  options: WriteModelOptions = {},
): Promise<readonly string[]> {
  checkOptions(options, { signal: true });
  const { signal } = options;
  checkSignal(signal);
  throwIfAborted(signal);
  if (typeof path !== 'string') throw invalidArgument('path', 'a path', path);
  const { model: bytes, externalDataFolder: folder } = conversion;
  const asItIs = { path, write: (file: FileHandle) => file.writeFile(bytes) };
  const parts = folder === undefined ? [asItIs] : await withData({ bytes, folder, path, signal }, asItIs);
  await writeFilesAtomic(parts);
  return parts.map((part) => part.path);
}

interface Request {
  readonly bytes: Uint8Array;
  readonly folder: string;
  readonly path: string;
  readonly signal: AbortSignal | undefined;
}

async function withData({ bytes, folder, path, signal }: Request, asItIs: FilePart): Promise<FilePart[]> {
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
  if (stays) return [asItIs];
  const slices = moveTo(basename(data), tensors);
  return [
    { path: data, write: (file) => copySlices(slices, folder, file, signal) },
    { path, write: (file) => file.writeFile(encodeModel(model)) },
  ];
}

/** The one path of a file that has several, through links and dots; for a file that is not there, its plain path. */
async function identityOf(path: string): Promise<string> {
  return realpath(path).catch(() => resolve(path));
}

function alignUp(offset: number, alignment: number): number {
  return Math.ceil(offset / alignment) * alignment;
}

interface Move {
  readonly from: Slice;
  /** Where it begins in the new file. */
  readonly offset: number;
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

async function copySlices(
  moves: readonly Move[],
  folder: string,
  to: FileHandle,
  signal: AbortSignal | undefined,
): Promise<void> {
  const chunk = new Uint8Array(chunkSize);
  for (const { from, offset } of moves) {
    const source = await open(join(folder, from.location));
    try {
      for (let done = 0; done < from.length; ) {
        throwIfAborted(signal);
        const wanted = Math.min(chunk.length, from.length - done);
        const { bytesRead } = await source.read(chunk, 0, wanted, from.offset + done);
        if (bytesRead === 0)
          throw new TlscError('ERR_INVALID_MODEL', `${from.location} has become shorter meanwhile`);
        await writeAt(to, chunk.subarray(0, bytesRead), offset + done);
        done += bytesRead;
      }
    } finally {
      await source.close();
    }
  }
}

async function writeAt(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; )
    done += (await file.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
}
