import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import type { Tasks } from './tasks.js';

export interface Request {
  readonly id: number;
  readonly task: keyof Tasks;
  readonly args: readonly unknown[];
}

export type Reply = { readonly id: number } & ({ readonly result: unknown } | { readonly error: Error });

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** A thread that does one task after the other. */
export class WorkerThread {
  readonly #worker = new Worker(createRequire(import.meta.url).resolve('@tlsc/evaluate/worker'));
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;
  #failure: Error | undefined;

  constructor() {
    this.#worker.unref();
    this.#worker.on('message', (reply: Reply) => {
      const waiting = this.#waiting.get(reply.id);
      if ('error' in reply) waiting?.reject(reply.error);
      else waiting?.resolve(reply.result);
      this.#done(reply.id);
    });
    this.#worker.on('error', (error) => {
      this.#failure = error as Error;
      for (const [id, { reject }] of this.#waiting) {
        reject(error as Error);
        this.#done(id);
      }
    });
  }

  #done(id: number): void {
    this.#waiting.delete(id);
    if (this.#waiting.size === 0) this.#worker.unref();
  }

  /** Arguments are copied. */
  run<T extends keyof Tasks>(task: T, ...args: Parameters<Tasks[T]>): Promise<ReturnType<Tasks[T]>> {
    const id = ++this.#last;
    const request: Request = { id, task, args };
    return new Promise((resolve, reject) => {
      if (this.#failure) throw this.#failure;
      this.#waiting.set(id, { resolve: resolve as Waiting['resolve'], reject });
      this.#worker.ref();
      this.#worker.postMessage(request);
    });
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}
