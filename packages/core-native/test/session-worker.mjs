// A worker that loads a session and runs it `runs` times on the identity matrix; posts 'started' before and 'done' after.
import { parentPort, workerData } from 'node:worker_threads';
import { createSession } from '../dist/index.js';

const { options, size, runs } = workerData;
const session = await createSession(options).session;
const data = new Float32Array(size * size);
for (let i = 0; i < size; ++i) data[i * (size + 1)] = 1;

parentPort.postMessage('started');
for (let i = 0; i < runs; ++i) {
  const [y] = await session.run(
    [{ name: 'x', type: 'float32', dims: [size, size], data }],
    [{ name: 'y', location: 'cpu' }],
  ).outputs;
  if (y.data.length !== data.length || y.data.some((value, at) => value !== data[at])) {
    throw new Error('wrong output');
  }
}
parentPort.postMessage('done');
