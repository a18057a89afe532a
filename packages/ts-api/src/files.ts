import { randomUUID } from 'node:crypto';
import { type FileHandle, link, open, readFile, rename, rm, stat } from 'node:fs/promises';
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

/** A file, and what writes it. */
export interface FilePart {
  readonly path: string;
  readonly write: (file: FileHandle) => Promise<void>;
}

/**
 * Writes files that appear whole, and all of them, or not at all: each is written to a neighbour first, and when all are, these take
 * the names, in the order given. Rejects with ERR_NOT_WRITABLE, or with the TlscError that a part's `write` rejects with.
 */
export async function writeFilesAtomic(parts: readonly FilePart[]): Promise<void> {
  const staged = parts.map((part) => {
    const neighbour = join(dirname(part.path), `.tlsc-${randomUUID()}`);
    return { ...part, unfinished: `${neighbour}.part`, older: `${neighbour}.old` };
  });
  const written: string[] = [];
  let current = '';
  try {
    for (const { path, write, unfinished } of staged) {
      current = path;
      // Renaming onto a folder would fail, but only when other files have their names.
      if (await isFolder(path)) throw new Error('it is a folder');
      await writeNew(unfinished, write);
    }
    for (const { path, unfinished, older } of staged) {
      current = path;
      if (parts.length > 1) await keepOlder(path, older);
      await rename(unfinished, path);
      written.push(path);
    }
  } catch (cause) {
    for (const path of written) await rm(path, { force: true }).catch(() => {});
    const lost: string[] = [];
    for (const { path, older } of staged) {
      if (!(await exists(older))) continue;
      // A file that still has both names keeps them when the one is to become the other.
      await rename(older, path).then(
        () => rm(older, { force: true }),
        () => lost.push(older),
      );
    }
    for (const { unfinished } of staged) await rm(unfinished, { force: true }).catch(() => {});
    if (cause instanceof TlscError) throw cause;
    const kept = lost.length > 0 ? `; what was there before is now ${lost.join(', ')}` : '';
    const message = `cannot write ${current}: ${await explain(current, cause)}${kept}`;
    throw new TlscError('ERR_NOT_WRITABLE', message, { cause });
  }
  for (const { older } of staged) await rm(older, { force: true }).catch(() => {});
}

/** Gives the file, if there is one, a second name, under which it stays when the first is taken; a new one where it cannot have two. */
async function keepOlder(path: string, older: string): Promise<void> {
  if (await isFolder(path)) return;
  try {
    await link(path, older);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') await rename(path, older);
  }
}

async function writeNew(path: string, write: FilePart['write']): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await write(file);
  } finally {
    await file.close();
  }
}

/** The same for one file of these bytes. */
export async function writeFileAtomic(path: string, bytes: Uint8Array): Promise<void> {
  await writeFilesAtomic([{ path, write: (file) => file.writeFile(bytes) }]);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (info) => info.isDirectory(),
    () => false,
  );
}

const writeErrors: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EDQUOT: 'the quota is used up',
  ENOSPC: 'the disk is full',
  EPERM: 'permission denied',
  EROFS: 'the disk is read-only',
};

async function explain(path: string, cause: unknown): Promise<string> {
  const folder = dirname(path);
  const { code = '', message } = cause as NodeJS.ErrnoException;
  return (await isFolder(folder)) ? (writeErrors[code] ?? message) : `there is no folder ${folder}`;
}
