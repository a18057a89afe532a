import { createRequire } from 'node:module';
import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { abortable, onAbort } from '../abort.js';
import { invalidArgument, TlscError, throwIfAborted } from '../errors.js';
import { buffersIn, type Reply, type Request, resultOf } from './messages.js';
import type { Tasks } from './tasks.js';

/** JavaScript's objects of a model, in MiB: weights are not among them. A thread that needs more ends, not the process. */
const heapLimit = 2048;

/** Bytes that are copied before the event loop has its turn again. */
const sliceLength = 2 ** 23;

type Result<T extends keyof Tasks> = Awaited<ReturnType<Tasks[T]>>;

/**
 * Runs a task on a thread of its own, so that the event loop waits for no model, and an abort ends it at once wherever it is. Byte
 * arrays among the arguments are copied. Rejects with what the task does, ERR_ABORTED, or ERR_OUT_OF_MEMORY where the thread's memory
 * does not do.
 */
export async function runInBackground<T extends keyof Tasks>(
  task: T,
  args: Parameters<Tasks[T]>,
  signal: AbortSignal | undefined,
): Promise<Result<T>> {
  throwIfAborted(signal);
  const own = await Promise.all((args as readonly unknown[]).map(copyOfBytes));
  throwIfAborted(signal);
  const worker = start({ task, args: own });
  const stop = onAbort(signal, () => void worker.terminate());
  return abortable(replyOf(worker, task), signal)
    .then((reply) => resultOf(reply) as Result<T>)
    .finally(stop);
}

function replyOf(worker: Worker, task: string): Promise<Reply> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', (error) => reject(explain(error, task)));
    worker.once('exit', () => reject(new Error(`the thread of ${task} ended before it was done`)));
  });
}

function start(request: Request): Worker {
  const entry = createRequire(import.meta.url).resolve('@tlsc/api/worker');
  try {
    return new Worker(entry, {
      workerData: request,
      transferList: [...buffersIn(request.args)],
      resourceLimits: { maxOldGenerationSizeMb: heapLimit },
    });
  } catch (cause) {
    if ((cause as Error).name !== 'DataCloneError') throw cause;
    throw invalidArgument('options', 'made of plain values', request.args.at(-1));
  }
}

function explain(error: unknown, task: string): unknown {
  if ((error as NodeJS.ErrnoException).code !== 'ERR_WORKER_OUT_OF_MEMORY') return error;
  const message = `${task} needs more than the ${heapLimit} MiB that a model's graph may take`;
  return new TlscError('ERR_OUT_OF_MEMORY', message, { cause: error });
}

/** The event loop has its turn meanwhile. What is no byte array is handed back. */
async function copyOfBytes(value: unknown): Promise<unknown> {
  if (!(value instanceof Uint8Array)) return value;
  const copy = new Uint8Array(value.length);
  for (let begin = 0; begin < copy.length; begin += sliceLength) {
    if (begin > 0) await setImmediate();
    copy.set(value.subarray(begin, begin + sliceLength), begin);
  }
  return copy;
}
