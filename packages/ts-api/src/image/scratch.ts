// Files for what of a large photo is not kept in memory.
import { rmSync } from 'node:fs';
import { mkdtemp, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
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

/** A disk on which less is left is full. */
const fewBytes = 2 ** 24;

/** libvips keeps files of its own format open for whoever wants them next, and their disk space with them. */
function closeRaw(): void {
  const { memory, files, items } = sharp.cache();
  sharp.cache({ files: 0 });
  sharp.cache({ memory: memory.max, files: files.max, items: items.max });
}

async function bytesLeft(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/** A folder of files, made when the first is wanted. */
export class Scratch {
  readonly #parent: string;
  readonly #mapped = new Map<ImageMemory['data'], string>();
  #folder: string | undefined;
  #files = 0;
  readonly #removeAtExit = () => {
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
  };

  constructor(parent: string) {
    this.#parent = parent;
  }

  /** The path of a file that is not there yet, for so many bytes. Rejects with ERR_NOT_WRITABLE, also where the disk has no room for them. */
  async fresh(bytes: number, extension = rawExtension): Promise<string> {
    const folder = await this.#made();
    const left = await bytesLeft(folder);
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
    process.once('exit', this.#removeAtExit);
    return this.#folder;
  }

  #notWritable(why: string, cause?: unknown): TlscError {
    const message = `cannot write temporary files into ${this.#parent}: ${why}`;
    return new TlscError('ERR_NOT_WRITABLE', message, { cause });
  }

  /** Does what writes such a file. Rejects with ERR_NOT_WRITABLE where the disk is full, which libvips says in words of many kinds. */
  async writing<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      if (cause instanceof TlscError) throw cause;
      if ((cause as NodeJS.ErrnoException).code !== undefined)
        throw this.#notWritable(await whyNotWritten(join(this.#parent, '.tlsc-'), cause), cause);
      throw (await bytesLeft(this.#parent)) < fewBytes ? this.#notWritable('the disk is full', cause) : cause;
    }
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

  /** Removes all files. */
  async dispose(): Promise<void> {
    if (this.#folder === undefined) return;
    for (const data of this.#mapped.keys()) discard(data);
    closeRaw();
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 3 });
    process.off('exit', this.#removeAtExit);
  }
}

/** Does what may want such files in a folder; they are gone afterwards. */
export async function withScratch<T>(parent: string, work: (scratch: Scratch) => Promise<T>): Promise<T> {
  const scratch = new Scratch(parent);
  try {
    return await work(scratch);
  } finally {
    await scratch.dispose();
  }
}
