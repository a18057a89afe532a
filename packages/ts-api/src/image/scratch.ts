// Files for what of a large photo is not kept in memory.
import { rmSync } from 'node:fs';
import { mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { abortable } from '../abort.js';
import { TlscError } from '../errors.js';
import { whyNotWritten } from '../files.js';
import { discard, type ImageMemory, mapFile } from '../session/copy-image.js';
import { showBytes } from '../session/out-of-memory.js';
import { mapRaw, type RawLayout, rawExtension } from './raw-file.js';

/** The share of memory that pixels may take which could as well lie in a file. */
const largestShare = 1 / 4;

/** Whether so many bytes of pixels are better kept in a file. */
export function isBetterOnDisk(bytes: number, memory: number): boolean {
  return bytes > memory * largestShare;
}

/** libvips keeps files of its own format open for whoever wants them next, and their disk space with them. */
function closeRaw(): void {
  const { memory, files, items } = sharp.cache();
  sharp.cache({ files: 0 });
  sharp.cache({ memory: memory.max, files: files.max, items: items.max });
}

/** Folders that are there; none outlives the process, unless it is killed. */
const folders = new Set<string>();

function removeFolders(): void {
  for (const folder of folders) {
    try {
      rmSync(folder, { recursive: true, force: true });
    } catch {
      // Somebody writes there yet; the others are removed all the same.
    }
  }
}

/** A folder of files, made when the first is wanted. */
export class Scratch {
  readonly #parent: string;
  readonly #memory: number;
  readonly #mapped = new Map<ImageMemory['data'], string>();
  #folder: string | undefined;
  #files = 0;

  /** `memory` is what a photo may take. */
  constructor(parent: string, memory: number) {
    this.#parent = parent;
    this.#memory = memory;
  }

  /** Whether so many bytes are better kept here. */
  isFor(bytes: number): boolean {
    return isBetterOnDisk(bytes, this.#memory);
  }

  /** The path of a file that is not there yet, for so many bytes. Rejects with ERR_NOT_WRITABLE, also where the disk has no room for them. */
  async fresh(bytes: number, extension = rawExtension): Promise<string> {
    const folder = await this.#made();
    const { bavail, bsize } = await statfs(folder);
    const left = bavail * bsize;
    if (bytes > left)
      throw this.#notWritable(
        `${showBytes(bytes)} are needed for a while, and the disk has ${showBytes(left)}`,
      );
    return join(folder, `${this.#files++}${extension}`);
  }

  async #made(): Promise<string> {
    if (this.#folder !== undefined) return this.#folder;
    const path = join(this.#parent, '.tlsc-');
    this.#folder = await mkdtemp(path).catch(async (cause: unknown) => {
      throw this.#notWritable(await whyNotWritten(path, cause), cause);
    });
    if (folders.size === 0) process.once('exit', removeFolders);
    folders.add(this.#folder);
    return this.#folder;
  }

  #notWritable(why: string, cause?: unknown): TlscError {
    const message = `cannot write temporary files into ${this.#parent}: ${why}`;
    return new TlscError('ERR_NOT_WRITABLE', message, { cause });
  }

  /** Does what writes such a file. Rejects with ERR_NOT_WRITABLE where nothing can be written. */
  async writing<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      if (cause instanceof TlscError) throw cause;
      // What libvips says may be of another image: whether it was the disk, another file shows.
      const error = 'code' in (cause as Error) ? cause : await this.#probe();
      if (error === undefined) throw cause;
      throw this.#notWritable(await whyNotWritten(join(this.#parent, '.tlsc-'), error), cause);
    }
  }

  /** What happens to a file that is written now. */
  async #probe(): Promise<unknown> {
    if (this.#folder === undefined) return undefined;
    const path = join(this.#folder, `${this.#files++}`);
    const error = await writeFile(path, new Uint8Array(2 ** 16)).catch((cause: unknown) => cause);
    await rm(path, { force: true }).catch(() => {});
    return error;
  }

  /** The bytes of such a file, as memory that is read from there when it is looked at. */
  map(path: string): Uint8Array {
    const bytes = mapFile(path);
    this.#mapped.set(bytes, path);
    return bytes;
  }

  /** The pixels in one, likewise. */
  mapPixels(path: string, layout: RawLayout): ImageMemory {
    const image = mapRaw(path, layout);
    this.#mapped.set(image.data, path);
    return image;
  }

  /** The file that pixels lie in; undefined where they are in memory. */
  fileOf(data: ImageMemory['data']): string | undefined {
    return this.#mapped.get(data);
  }

  /** Gives pixels back that nobody wants any more, and the file that they lie in, if they do. */
  async release(data: ImageMemory['data']): Promise<void> {
    const path = this.#mapped.get(data);
    this.#mapped.delete(data);
    discard(data);
    if (path !== undefined) await this.remove(path);
  }

  /** Removes a file that is not mapped, so that the disk has room for the next. */
  async remove(path: string): Promise<void> {
    closeRaw();
    await rm(path, { force: true }).catch(() => {}); // it goes with the folder
  }

  /** Removes all files, as far as that can be done. */
  async dispose(): Promise<void> {
    if (this.#folder === undefined) return;
    for (const data of this.#mapped.keys()) discard(data);
    closeRaw();
    const isGone = await rm(this.#folder, { recursive: true, force: true, maxRetries: 3 }).then(
      () => true,
      () => false,
    );
    if (isGone) folders.delete(this.#folder);
    if (folders.size === 0) process.off('exit', removeFolders);
  }
}

/**
 * Does `work`, which may want files in `scratch`, and delivers what it has made; an abort is heeded until then, and reaches no delivery. The files are
 * gone when that is done, and of work that was aborted when it has ended.
 */
export async function withScratch<T, R>(
  scratch: Scratch,
  work: (scratch: Scratch) => Promise<T>,
  deliver: (made: T) => Promise<R>,
  signal?: AbortSignal,
): Promise<R> {
  const working = work(scratch);
  const dispose = () => scratch.dispose();
  try {
    return await deliver(await abortable(working, signal));
  } finally {
    const gone = working.then(dispose, dispose);
    if (!signal?.aborted) await gone;
  }
}
