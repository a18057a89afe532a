import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { abortable, onAbort } from '../abort.js';
import { invalidArgument, TlscError, throwIfAborted } from '../errors.js';
import { buffersIn, type Reply, type Request, resultOf } from './messages.js';
import type { Tasks } from './tasks.js';
import { endThread, heapLimit, returnThread, takeThread } from './threads.js';

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
  const worker = takeThread();
  const stop = onAbort(signal, () => endThread(worker));
  try {
    return resultOf(await abortable(replyOf(worker, { task, args: own }), signal)) as Result<T>;
  } finally {
    stop();
  }
}

async function replyOf(worker: Worker, request: Request): Promise<Reply> {
  const listening = new AbortController();
  const { signal } = listening;
  try {
    send(worker, request);
    const ended = once(worker, 'exit', { signal }).then(() => {
      throw new Error(`the thread of ${request.task} ended before it was done`);
    });
    const [reply] = await Promise.race([once(worker, 'message', { signal }), ended]);
    listening.abort();
    returnThread(worker);
    return reply as Reply;
  } catch (error) {
    throw explain(error, request.task);
  } finally {
    listening.abort();
  }
}

/** Options that cannot be sent to another thread, functions for one, are none that any task has. */
function send(worker: Worker, request: Request): void {
  try {
    worker.postMessage(request, [...buffersIn(request.args)]);
  } catch (error) {
    returnThread(worker);
    if ((error as Error).name !== 'DataCloneError') throw error;
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
