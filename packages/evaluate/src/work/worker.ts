import { parentPort } from 'node:worker_threads';
import { tasks } from './tasks.js';
import type { Reply, Request } from './worker-thread.js';

function replyTo(id: number, run: () => unknown): Reply {
  try {
    return { id, result: run() };
  } catch (error) {
    return { id, error: error as Error };
  }
}

parentPort?.on('message', ({ id, task, args }: Request) => {
  const run = tasks[task] as (...all: readonly unknown[]) => unknown;
  parentPort?.postMessage(replyTo(id, () => run(...args)));
});
