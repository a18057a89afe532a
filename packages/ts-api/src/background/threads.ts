import { createRequire } from 'node:module';
import { SHARE_ENV, Worker } from 'node:worker_threads';

/** JavaScript's objects of a model, in MiB: weights are not among them. A thread that needs more ends, not the process. */
export const heapLimit = 2048;

/** How long a thread waits for another task, in milliseconds: one call seldom comes alone, and a thread takes a while to start. */
const patience = 10_000;

/** A thread that waits; `call` takes it, and it does not wait any longer. */
interface Idle {
  readonly worker: Worker;
  readonly call: () => void;
}

/** One at most: more would only hold memory. It keeps no process alive. */
let idle: Idle | undefined;

/** Threads that were told to end. What they have sent before still arrives. */
const ending = new WeakSet<Worker>();

/** Ends a thread wherever it is. */
export function endThread(worker: Worker): void {
  ending.add(worker);
  void worker.terminate();
}

/** A thread that has nothing to do. */
export function takeThread(): Worker {
  if (idle) {
    const { worker, call } = idle;
    call();
    return worker;
  }
  const entry = createRequire(import.meta.url).resolve('@tlsc/api/worker');
  return new Worker(entry, { env: SHARE_ENV, resourceLimits: { maxOldGenerationSizeMb: heapLimit } });
}

/** For a thread that is done with its task, without a listener of the task's; one that was told to end is not kept. */
export function returnThread(worker: Worker): void {
  if (ending.has(worker)) return;
  if (idle) {
    endThread(worker);
    return;
  }
  const end = setTimeout(() => {
    forget();
    endThread(worker);
  }, patience).unref();
  const forget = () => {
    clearTimeout(end);
    worker.off('exit', forget);
    worker.off('error', forget);
    idle = undefined;
  };
  worker.on('exit', forget);
  worker.on('error', forget);
  worker.unref();
  const call = () => {
    forget();
    worker.ref();
  };
  idle = { worker, call };
}
