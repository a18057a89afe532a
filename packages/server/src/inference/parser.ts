import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { type Failure, RequestError } from '../errors.js';
import type { ParsedRequest } from './parse.js';

/** What the thread is asked; the body's memory goes with it. */
export interface Question {
  readonly id: number;
  readonly body: Uint8Array;
  readonly jsonLength: number | undefined;
}

export type Answer = { readonly id: number } & (
  | { readonly request: ParsedRequest }
  | { readonly failure: Failure }
);

/** JavaScript's objects of what is parsed, in MiB. */
const heapLimit = 1024;

interface Waiting {
  readonly resolve: (request: ParsedRequest) => void;
  readonly reject: (error: Error) => void;
}

/** Parses inference requests in a thread, which begins with the first of them and keeps no process alive. */
export class Parser {
  #worker: Worker | undefined;
  readonly #waiting = new Map<number, Waiting>();
  #count = 0;

  /** `body` is not to be used any more. Rejects with a RequestError. */
  parse(body: Uint8Array<ArrayBuffer>, jsonLength: number | undefined): Promise<ParsedRequest> {
    const worker = this.#started();
    const id = this.#count++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      worker.postMessage({ id, body, jsonLength } satisfies Question, [body.buffer]);
    });
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  #started(): Worker {
    if (this.#worker) return this.#worker;
    const entry = createRequire(import.meta.url).resolve('@tlsc/server/worker');
    const worker = new Worker(entry, { resourceLimits: { maxOldGenerationSizeMb: heapLimit } });
    worker.unref();
    worker.on('message', (answer: Answer) => this.#settle(answer));
    // Of memory, which is the one reason that it has; whose request it was cannot be told.
    worker.on('error', () => this.#failAll());
    worker.on('exit', () => {
      this.#worker = undefined;
      this.#failAll();
    });
    this.#worker = worker;
    return worker;
  }

  #settle(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if ('request' in answer) waiting?.resolve(answer.request);
    else
      waiting?.reject(new RequestError(answer.failure.status, answer.failure.code, answer.failure.message));
  }

  #failAll(): void {
    const error = new RequestError(
      413,
      'ERR_OUT_OF_MEMORY',
      'the JSON takes too much memory; send tensors as bytes',
    );
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
