// What was measured, kept in files, so that an evaluation that was interrupted goes on where it was.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TlscError, writeFileAtomic } from '@tlsc/api';
import { makeFolder } from './folder.js';

export class Cache {
  readonly #hashes = new Map<string, Promise<string>>();

  constructor(readonly folder: string | undefined) {}

  /** By its content, which is not read where nothing is kept. */
  async hashOf(path: string): Promise<string> {
    if (this.folder === undefined) return '';
    const known = this.#hashes.get(path);
    if (known) return known;
    const hash = hashFile(path);
    this.#hashes.set(path, hash);
    return hash;
  }

  /** What is kept for a key, or what `make` makes of it, which is kept if it is worth it. */
  async get<T>(key: unknown, make: () => Promise<T>, isKept: (made: T) => boolean): Promise<T> {
    if (this.folder === undefined) return make();
    const name = createHash('sha256').update(JSON.stringify(key)).digest('hex');
    const path = join(this.folder, `${name}.json`);
    // A file that is damaged says nothing.
    const kept = await readFile(path, 'utf8')
      .then((text) => JSON.parse(text, revive) as T)
      .catch(() => undefined);
    if (kept !== undefined) return kept;
    const made = await make();
    if (!isKept(made)) return made;
    await makeFolder(this.folder);
    await writeFileAtomic(path, Buffer.from(JSON.stringify(made, replace)));
    return made;
  }
}

/** JSON has no numbers that are not finite. */
const strange = new Map<unknown, string>([
  [Number.POSITIVE_INFINITY, 'Infinity'],
  [Number.NEGATIVE_INFINITY, '-Infinity'],
]);

function replace(_: string, value: unknown): unknown {
  if (typeof value !== 'number' || Number.isFinite(value)) return value;
  return { number: strange.get(value) ?? 'NaN' };
}

function revive(_: string, value: unknown): unknown {
  const { number } = (value ?? {}) as { number?: unknown };
  return typeof number === 'string' ? Number(number) : value;
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  } catch (cause) {
    throw new TlscError('ERR_IMAGE_NOT_FOUND', `cannot read ${path}: ${(cause as Error).message}`, { cause });
  }
  return hash.digest('hex');
}
