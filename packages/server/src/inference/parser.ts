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
  /** Ends the wait for what is parsed now; undefined: there will be no answer. */
  #settle: ((answer: Answer | undefined) => void) | undefined;

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
      const timer = setTimeout(() => this.#settle?.(undefined), patience);
      this.#settle = (answer) => {
        clearTimeout(timer);
        this.#settle = undefined;
        if (!answer) {
          void this.#end();
          reject(tooMuch());
        } else if ('request' in answer) resolve(answer.request);
        else {
          const { status, code, message } = answer.failure;
          reject(new RequestError(status, code, message));
        }
      };
      worker.postMessage(question, [memory]);
    });
  }

  #started(): Worker {
    if (this.#worker) return this.#worker;
    const entry = createRequire(import.meta.url).resolve('@tlsc/server/worker');
    const worker = new Worker(entry, { resourceLimits: { maxOldGenerationSizeMb: heapLimit } });
    worker.unref();
    // What one says that was told to end is of no consequence.
    const settle = (answer: Answer | undefined) => worker === this.#worker && this.#settle?.(answer);
    worker.on('message', settle);
    // Of memory, which is the one reason that it has.
    worker.on('error', () => settle(undefined));
    this.#worker = worker;
    return worker;
  }

  async #end(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }
}
