import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { type Failure, RequestError } from '../errors.js';
import type { ParsedRequest } from './parse.js';

/** What the thread is asked: a request over HTTP, of which so many bytes are JSON, or one over gRPC. The body's memory goes with it. */
export interface Question {
  readonly body: Uint8Array;
  readonly from: { readonly jsonLength: number | undefined } | 'grpc';
}

export type Answer = { readonly request: ParsedRequest } | { readonly failure: Failure };

/** JavaScript's objects of what is parsed, in MiB. */
const heapLimit = 512;

/** Milliseconds that parsing may take: honest requests of any size take less than one second. */
const patience = 5000;

function tooMuch(): RequestError {
  return new RequestError(
    413,
    'ERR_OUT_OF_MEMORY',
    'the request takes too much to parse; send tensors as bytes',
  );
}

/**
 * Parses inference requests in a thread, one after the other; it begins with the first of them and keeps no process alive. One that takes it too
 * long, or more memory than it has, ends it, and the next begins another.
 */
export class Parser {
  #worker: Worker | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /** `body` is not to be used any more. Rejects with a RequestError; one that is aborted before its turn is not parsed. */
  parse(body: Uint8Array<ArrayBuffer>, from: Question['from'], signal: AbortSignal): Promise<ParsedRequest> {
    const parsed = this.#last.then(() => {
      signal.throwIfAborted();
      return this.#ask({ body, from }, body.buffer);
    });
    this.#last = parsed.catch(() => {});
    return parsed;
  }

  async close(): Promise<void> {
    await this.#end();
  }

  #ask(question: Question, memory: ArrayBuffer): Promise<ParsedRequest> {
    const worker = this.#started();
    return new Promise<ParsedRequest>((resolve, reject) => {
      const broken = () => {
        void this.#end();
        reject(tooMuch());
      };
      const timer = setTimeout(broken, patience);
      worker.removeAllListeners();
      worker.once('message', (answer: Answer) => {
        clearTimeout(timer);
        worker.removeAllListeners();
        if ('request' in answer) return resolve(answer.request);
        const { status, code, message } = answer.failure;
        reject(new RequestError(status, code, message));
      });
      worker.once('error', () => {
        clearTimeout(timer);
        broken();
      });
      worker.postMessage(question, [memory]);
    });
  }

  #started(): Worker {
    if (this.#worker) return this.#worker;
    const entry = createRequire(import.meta.url).resolve('@tlsc/server/worker');
    this.#worker = new Worker(entry, { resourceLimits: { maxOldGenerationSizeMb: heapLimit } });
    this.#worker.unref();
    return this.#worker;
  }

  async #end(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }
}
