import { randomUUID } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { appendFile, type FileHandle, link, open, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type ErrorCode, invalidArgument, isOutOfMemory, TlscError, throwIfAborted } from './errors.js';

/** What is read as a whole: its errors, and the largest file of it, in bytes. */
interface Kind {
  readonly notFound: ErrorCode;
  readonly tooLarge: ErrorCode;
  readonly largest: number;
}

const kinds = {
  // No file of protobuf is larger.
  model: { notFound: 'ERR_MODEL_NOT_FOUND', tooLarge: 'ERR_INVALID_MODEL', largest: 2 ** 31 - 1 },
  // No TIFF is larger.
  image: { notFound: 'ERR_IMAGE_NOT_FOUND', tooLarge: 'ERR_IMAGE_TOO_LARGE', largest: 2 ** 32 - 1 },
} as const satisfies Record<string, Kind>;

const readErrors: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'permission denied',
};

function whyUnreadable(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return readErrors[code] ?? message;
}

function checkRegular(info: Stats): void {
  if (info.isFile()) return;
  if (info.isDirectory()) throw new Error('it is a folder');
  throw new Error(info.isFIFO() ? 'it is a pipe, not a file' : 'it is a device or a socket, not a file');
}

/** Opens a regular file for reading. Pipes and devices are refused and never waited for. */
async function openRegular(path: string): Promise<{ file: FileHandle; size: number }> {
  // Opening a device may already do something.
  checkRegular(await stat(path));
  // What has taken the name since then is not waited for, either: Windows has no such flag, and no pipes in folders.
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const info = await file.stat();
    checkRegular(info);
    return { file, size: info.size };
  } catch (error) {
    await file.close();
    throw error;
  }
}

function unreadable(path: string, kind: keyof typeof kinds, cause: unknown): TlscError {
  const message = `cannot read the ${kind} ${path}: ${whyUnreadable(cause)}`;
  return new TlscError(kinds[kind].notFound, message, { cause });
}

/** As much as is read or written without a look at the signal, in bytes. */
const pieceLength = 2 ** 24;

/** The file's first `size` bytes; fewer where it has become shorter. What is written to it meanwhile does not make it longer. */
async function readBytes(
  file: FileHandle,
  size: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  let done = 0;
  while (done < size) {
    throwIfAborted(signal);
    const { bytesRead } = await file.read(bytes, done, Math.min(pieceLength, size - done), done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}

/** The same, piece by piece. */
async function* readPieces(file: FileHandle, size: number): AsyncGenerator<Uint8Array> {
  const bytes = new Uint8Array(Math.min(size, pieceLength));
  for (let done = 0; done < size; ) {
    const { bytesRead } = await file.read(bytes, 0, Math.min(bytes.length, size - done), done);
    if (bytesRead === 0) return;
    yield bytes.subarray(0, bytesRead);
    done += bytesRead;
  }
}

/** A regular file that is open, and its size in bytes. */
interface OpenFile {
  readonly file: FileHandle;
  readonly size: number;
}

/**
 * Does `work` with a file of a kind. Rejects with ERR_MODEL_NOT_FOUND or ERR_IMAGE_NOT_FOUND where it cannot be read or is none, where it is
 * too large with ERR_INVALID_MODEL or ERR_IMAGE_TOO_LARGE; also with ERR_OUT_OF_MEMORY.
 */
async function withFile<T>(
  path: string,
  kind: keyof typeof kinds,
  work: (file: OpenFile) => Promise<T>,
): Promise<T> {
  try {
    const { file, size } = await openRegular(path);
    try {
      const { tooLarge, largest } = kinds[kind];
      if (size > largest) {
        const message = `${path} has ${size} bytes; at most ${largest} are read`;
        throw new TlscError(tooLarge, message, { parameter: kind });
      }
      return await work({ file, size });
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (cause instanceof TlscError) throw cause;
    if (!isOutOfMemory(cause)) throw unreadable(path, kind, cause);
    throw new TlscError('ERR_OUT_OF_MEMORY', `there is no memory to read the ${kind} ${path}`, { cause });
  }
}

/**
 * The bytes behind a path, which must be a regular file, or the bytes themselves. Rejects with ERR_MODEL_NOT_FOUND or
 * ERR_IMAGE_NOT_FOUND, a file too large to be read with ERR_INVALID_MODEL or ERR_IMAGE_TOO_LARGE; also with ERR_OUT_OF_MEMORY or
 * ERR_ABORTED.
 */
export async function readSource(
  source: unknown,
  kind: keyof typeof kinds,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source;
  if (typeof source !== 'string') throw invalidArgument(kind, 'a path or a Uint8Array', source);
  return withFile(source, kind, ({ file, size }) => readBytes(file, size, signal));
}

/**
 * The same, or the path of a copy that nobody else changes where `placeFor` has one for a file of so many bytes; `writing` does what writes to it.
 */
export async function readOrCopy(
  path: string,
  kind: keyof typeof kinds,
  placeFor: (size: number) => Promise<string | undefined>,
  writing: (write: () => Promise<void>) => Promise<void>,
  signal?: AbortSignal,
): Promise<Uint8Array | string> {
  return withFile(path, kind, async ({ file, size }) => {
    const place = await placeFor(size);
    if (place === undefined) return readBytes(file, size, signal);
    await writing(() => writeFile(place, ''));
    for await (const piece of readPieces(file, size)) {
      throwIfAborted(signal);
      await writing(() => appendFile(place, piece));
    }
    return place;
  });
}

/** A file, and what writes it. */
export interface FilePart {
  readonly path: string;
  readonly write: (file: FileHandle) => Promise<void>;
}

/** Gives a file that is written the name `path`, on the same disk. Rejects with ERR_NOT_WRITABLE. */
export async function moveFile(from: string, path: string): Promise<void> {
  try {
    if (await isFolder(path)) throw new Error('it is a folder');
    await rename(from, path);
  } catch (cause) {
    const message = `cannot write ${path}: ${await whyNotWritten(path, cause)}`;
    throw new TlscError('ERR_NOT_WRITABLE', message, { cause });
  }
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
    const message = `cannot write ${current}: ${await whyNotWritten(current, cause)}${kept}`;
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

/** Writes all bytes to a place in a file. */
export async function writeAt(file: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < bytes.length; )
    done += (await file.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
}

/** Writes all bytes to a file. Rejects with ERR_ABORTED soon after the signal is aborted, even when all are written. */
export async function writeBytes(file: FileHandle, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    throwIfAborted(signal);
    done += (await file.write(bytes, done, Math.min(pieceLength, bytes.length - done))).bytesWritten;
  }
  throwIfAborted(signal);
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

/** In words. */
export async function whyNotWritten(path: string, cause: unknown): Promise<string> {
  const folder = dirname(path);
  const { code = '', message } = cause as NodeJS.ErrnoException;
  return (await isFolder(folder)) ? (writeErrors[code] ?? message) : `there is no folder ${folder}`;
}
