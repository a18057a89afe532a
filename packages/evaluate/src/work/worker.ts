import { parentPort } from 'node:worker_threads';
import { tasks } from './tasks.js';
import type { Reply, Request } from './worker-thread.js';

parentPort?.on('message', ({ id, task, args }: Request) => {
  const run = tasks[task] as (...all: readonly unknown[]) => unknown;
  const reply: Reply = { id, result: run(...args) };
  parentPort?.postMessage(reply);
});
