// Starts runs that take seconds, then ends the process in the way that the scenario names. Prints what it reaches.
import { once } from 'node:events';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { createSession } from '../dist/index.js';

const [scenario, given, size] = isMainThread
  ? [process.argv[2], JSON.parse(process.argv[3]), Number(process.argv[4])]
  : ['exit in the worker', workerData.options, workerData.size];

async function startRuns(count) {
  const session = await createSession(given).session;
  const data = new Float32Array(size * size);
  for (let i = 0; i < count; ++i) {
    const { outputs } = session.run(
      [{ name: 'x', type: 'float32', dims: [size, size], data }],
      [{ name: 'y', location: 'cpu' }],
    );
    outputs.then(
      () => console.log('run ended'),
      () => console.log('run failed'),
    );
  }
}

function soon(action) {
  setTimeout(() => {
    console.log('ending');
    action();
  }, 100);
}

const scenarios = {
  async 'process.exit'() {
    await startRuns(1);
    soon(() => process.exit(3));
  },
  async 'process.exit with a full queue'() {
    await startRuns(20);
    soon(() => process.exit(3));
  },
  async 'process.exit while loading'() {
    for (let i = 0; i < 8; ++i) createSession(given).session.catch(() => {});
    console.log('ending');
    setImmediate(() => process.exit(3));
  },
  async 'natural end'() {
    await startRuns(3);
    console.log('ending');
  },
  async 'uncaught exception'() {
    await startRuns(2);
    soon(() => {
      throw new Error('uncaught on purpose');
    });
  },
  async 'unhandled rejection'() {
    await startRuns(2);
    soon(() => Promise.reject(new Error('unhandled on purpose')));
  },
  // The session's class and the outputs have finalizers that run while the process ends.
  async 'natural end after runs'() {
    await startRuns(1);
    globalThis.kept = await createSession(given).session;
    console.log('ending');
  },
  async 'exit in the worker'() {
    await startRuns(2);
    soon(() => process.exit(0));
  },
  async 'worker exits'() {
    const worker = new Worker(new URL(import.meta.url), { workerData: { options: given, size } });
    const [code] = await once(worker, 'exit');
    console.log(`worker ended with ${code}`);
  },
  async 'process.exit while a worker runs'() {
    new Worker(new URL('session-worker.mjs', import.meta.url), {
      workerData: { options: given, size, runs: 1 },
    }).once('message', () => soon(() => process.exit(3)));
  },
  async 'worker terminated'() {
    const worker = new Worker(new URL('session-worker.mjs', import.meta.url), {
      workerData: { options: given, size, runs: 1000 },
    });
    await once(worker, 'message');
    console.log('ending');
    await worker.terminate();
  },
  async 'worker terminated while it reads an output'() {
    const worker = new Worker(new URL('output-worker.mjs', import.meta.url), {
      workerData: { options: given, size },
    });
    await once(worker, 'message');
    console.log('ending');
    await worker.terminate();
  },
};

await scenarios[scenario]();
