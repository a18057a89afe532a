// The thread that runs tasks, one after the other. A module of the package's exports, so that it is found by name from sources and from
// what is built.
import { parentPort } from 'node:worker_threads';
import { buffersIn, type Reply, type Request, toReply } from './messages.js';
import { tasks } from './tasks.js';

function send(reply: Reply): void {
  parentPort?.postMessage(reply, 'result' in reply ? [...buffersIn(reply.result)] : []);
}

parentPort?.on('message', ({ task, args }: Request) => {
  const run = tasks[task] as (...args: readonly unknown[]) => Promise<unknown>;
  run(...args).then(
    (result) => send({ result }),
    (error: unknown) => send(toReply(error)),
  );
});
