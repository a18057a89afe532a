// The thread that runs one task. A module of the package's exports, so that it is found by name from sources and from what is built.
import { parentPort, workerData } from 'node:worker_threads';
import { buffersIn, type Reply, type Request, toReply } from './messages.js';
import { tasks } from './tasks.js';

const { task, args } = workerData as Request;
const run = tasks[task] as (...args: readonly unknown[]) => Promise<unknown>;

function send(reply: Reply): void {
  parentPort?.postMessage(reply, 'result' in reply ? [...buffersIn(reply.result)] : []);
}

await run(...args).then(
  (result) => send({ result }),
  (error: unknown) => send(toReply(error)),
);
