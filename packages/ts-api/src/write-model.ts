import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { runInBackground } from './background/run.js';
import type { Conversion } from './convert.js';
import { invalidArgument, TlscError, throwIfAborted } from './errors.js';
import { type FilePart, writeFilesAtomic } from './files.js';
import type { Move } from './graph/model-files.js';
import { checkOptions, checkSignal } from './options.js';

export interface WriteModelOptions {
  readonly signal?: AbortSignal;
}

/** As much as is in memory of external data at a time, in bytes. */
const chunkSize = 8 * 2 ** 20;

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
  const parts = await partsOf(conversion, path, signal);
  await writeFilesAtomic(parts);
  return parts.map((part) => part.path);
}

async function partsOf(
  { model, externalDataFolder: folder }: Pick<Conversion, 'model' | 'externalDataFolder'>,
  path: string,
  signal: AbortSignal | undefined,
): Promise<FilePart[]> {
  if (folder === undefined) return [{ path, write: (file) => file.writeFile(model) }];
  const plan = await runInBackground('planModelFiles', [model, folder, path], signal);
  const part = { path, write: (file: FileHandle) => file.writeFile(plan.model) };
  if (plan.data === undefined) return [part];
  const { path: data, moves } = plan.data;
  return [{ path: data, write: (file) => copySlices(moves, folder, file, signal) }, part];
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
