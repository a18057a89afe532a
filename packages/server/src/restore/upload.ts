// The image in a request, read as it comes: a small one into memory, others into a file.
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { RequestError } from '../errors.js';

export interface UploadLimits {
  /** Bytes. */
  readonly maxBody: number;
  /** Milliseconds that may pass without a byte. */
  readonly idle: number;
}

function tooLarge(maxBody: number): RequestError {
  return new RequestError(413, 'ERR_IMAGE_TOO_LARGE', `the body has more than ${maxBody} bytes`);
}

/** Throws where a request says already that it is too large. */
export function checkLength(length: number | undefined, { maxBody }: UploadLimits): void {
  if (length !== undefined && length > maxBody) throw tooLarge(maxBody);
}

/** Settles as `work` does; rejects where that takes longer. */
async function within<T>(idle: number, work: Promise<T>): Promise<T> {
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

/** Hands chunks on until they are too many, or too long in coming; the body is left as it is then, so that its sender can be answered. */
export async function* limited(body: Readable, { maxBody, idle }: UploadLimits): AsyncGenerator<Uint8Array> {
  const chunks: AsyncIterator<Uint8Array> = body.iterator({ destroyOnReturn: false });
  for (let bytes = 0; ; ) {
    const { done, value } = await within(idle, chunks.next());
    if (done) return;
    bytes += value.byteLength;
    if (bytes > maxBody) throw tooLarge(maxBody);
    yield value;
  }
}

export async function readToMemory(body: Readable, limits: UploadLimits): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of limited(body, limits)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export async function readToFile(body: Readable, limits: UploadLimits, path: string): Promise<string> {
  await pipeline(Readable.from(limited(body, limits)), createWriteStream(path));
  return path;
}

/** A folder for what is too large for memory, gone with what was made in it. */
export class Folder {
  #made: Promise<string> | undefined;
  readonly #paths: string[] = [];

  async path(name: string): Promise<string> {
    this.#made ??= mkdtemp(join(tmpdir(), 'tlsc-serve-'));
    const path = join(await this.#made, name);
    this.#paths.push(path);
    return path;
  }

  /** An error that does not say where files lie for a while: that is nothing for a client. */
  hideIn(error: unknown): unknown {
    if (error instanceof Error)
      for (const path of this.#paths) error.message = error.message.replaceAll(path, 'the image');
    return error;
  }

  async remove(): Promise<void> {
    const made = await this.#made?.catch(() => undefined);
    if (made !== undefined) await rm(made, { recursive: true, force: true });
  }
}
