// The image in a request, read as it comes: a small one into memory, others into a file.
import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { FastifyRequest } from 'fastify';
import { RequestError } from '../errors.js';
import type { Passenger } from '../transit.js';

export interface UploadLimits {
  /** Bytes. */
  readonly maxBody: number;
  /** Milliseconds that may pass without a byte. */
  readonly idle: number;
}

function tooLarge(maxBody: number): RequestError {
  return new RequestError(413, 'ERR_IMAGE_TOO_LARGE', `the body has more than ${maxBody} bytes`);
}

/** What a request says of its length, which Node.js has checked; undefined where it comes in chunks. */
export function lengthOf({ headers }: FastifyRequest): number | undefined {
  const length = headers['content-length'];
  return length === undefined ? undefined : Number(length);
}

/** Throws where a request says already that it is too large. */
export function checkLength(length: number | undefined, { maxBody }: UploadLimits): void {
  if (length !== undefined && length > maxBody) throw tooLarge(maxBody);
}

/** Settles as `work` does; rejects where that takes longer. */
export async function within<T>(idle: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new RequestError(408, 'ERR_UPLOAD_TIMEOUT', `nothing came for ${idle / 1000} s`));
    }, idle);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function cutOff(error: unknown): never {
  if (error instanceof RequestError) throw error;
  throw new RequestError(400, 'ERR_UPLOAD', `the body cannot be read: ${(error as Error).message}`);
}

/** Hands chunks on until they are too many, or too long in coming; the body is left as it is then, so that its sender can be answered. */
export async function* limited(body: Readable, { maxBody, idle }: UploadLimits): AsyncGenerator<Uint8Array> {
  const chunks: AsyncIterator<Uint8Array> = body.iterator({ destroyOnReturn: false });
  for (let bytes = 0; ; ) {
    const { done, value } = await within(idle, chunks.next()).catch(cutOff);
    if (done) return;
    bytes += value.byteLength;
    if (bytes > maxBody) throw tooLarge(maxBody);
    yield value;
  }
}

export async function readToMemory(
  body: Readable,
  limits: UploadLimits,
  { take }: Passenger,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of limited(body, limits)) {
    take(chunk.byteLength);
    length += chunk.byteLength;
    chunks.push(chunk);
  }
  // In memory of its own, which can go to another thread.
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}

export async function readToFile(body: Readable, limits: UploadLimits, path: string): Promise<string> {
  await pipeline(Readable.from(limited(body, limits)), createWriteStream(path));
  return path;
}

/** A folder for what is too large for memory, which is there when it has been made, and gone with all that is in it when it is removed. */
export class Folder {
  readonly #path = join(tmpdir(), `tlsc-serve-${randomUUID()}`);
  #made: Promise<unknown> | undefined;

  file(name: string): string {
    return join(this.#path, name);
  }

  async make(): Promise<void> {
    this.#made = mkdir(this.#path, { mode: 0o700 });
    await this.#made;
  }

  /** An error that does not say where files lie for a while: that is nothing for a client. */
  hideIn(error: unknown): unknown {
    const files = new RegExp(`${this.#path.replaceAll(/[\\.+*?^$()[\]{}|]/g, '\\$&')}(/[\\w.]+)?`, 'g');
    if (error instanceof Error) error.message = error.message.replaceAll(files, 'the image');
    return error;
  }

  async remove(): Promise<void> {
    if (!this.#made) return;
    await this.#made.catch(() => {});
    await rm(this.#path, { recursive: true, force: true, maxRetries: 3 });
  }
}
