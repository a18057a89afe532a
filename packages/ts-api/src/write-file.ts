import { rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { TlscError } from './errors.js';

/**
 * Writes a file that appears whole or not at all: the bytes go to a neighbour, which then takes the name. Rejects with
 * ERR_NOT_WRITABLE.
 */
export async function writeFileAtomic(path: string, bytes: Uint8Array): Promise<void> {
  const unfinished = join(dirname(path), `.${basename(path)}.${process.pid}.part`);
  try {
    await writeFile(unfinished, bytes);
    await rename(unfinished, path);
  } catch (cause) {
    await rm(unfinished, { force: true }).catch(() => {});
    throw new TlscError('ERR_NOT_WRITABLE', `cannot write ${path}: ${await explain(path, cause)}`, { cause });
  }
}

async function explain(path: string, cause: unknown): Promise<string> {
  const folder = dirname(path);
  const isFolder = await stat(folder).then(
    (info) => info.isDirectory(),
    () => false,
  );
  return isFolder ? (cause as Error).message : `there is no folder ${folder}`;
}
