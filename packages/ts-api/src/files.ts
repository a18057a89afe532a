import { randomUUID } from 'node:crypto';
import { open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type ErrorCode, invalidArgument, TlscError } from './errors.js';

const notFound: Readonly<Record<'model' | 'image', ErrorCode>> = {
  model: 'ERR_MODEL_NOT_FOUND',
  image: 'ERR_IMAGE_NOT_FOUND',
};

const readErrors: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EISDIR: 'it is a folder',
  EACCES: 'permission denied',
};

function whyUnreadable(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return readErrors[code] ?? message;
}

/** Rejects with ERR_MODEL_NOT_FOUND, in plain words, where there is no file to read. */
export async function checkModelFile(path: string): Promise<void> {
  try {
    const file = await open(path);
    const isFolder = (await file.stat()).isDirectory();
    await file.close();
    if (isFolder) throw Object.assign(new Error('it is a folder'), { code: 'EISDIR' });
  } catch (cause) {
    throw new TlscError('ERR_MODEL_NOT_FOUND', `cannot read the model ${path}: ${whyUnreadable(cause)}`, {
      cause,
    });
  }
}

/** The bytes behind a path, or the bytes themselves. Rejects with ERR_MODEL_NOT_FOUND or ERR_IMAGE_NOT_FOUND. */
export async function readSource(source: unknown, kind: 'model' | 'image'): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source;
  if (typeof source !== 'string') throw invalidArgument(kind, 'a path or a Uint8Array', source);
  try {
    return await readFile(source);
  } catch (cause) {
    const why =
      (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : (cause as Error).message;
    throw new TlscError(notFound[kind], `cannot read the ${kind} ${source}: ${why}`, { cause });
  }
}

/**
 * Writes a file that appears whole or not at all: the bytes go to a neighbour, which then takes the name. Rejects with
 * ERR_NOT_WRITABLE.
 */
export async function writeFileAtomic(path: string, bytes: Uint8Array): Promise<void> {
  const unfinished = join(dirname(path), `.tlsc-${randomUUID()}.part`);
  try {
    await writeFile(unfinished, bytes, { flag: 'wx' });
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
