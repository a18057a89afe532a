// A worker that starts a long run on memory of an earlier session's; posts 'started' once it is under way.
import { parentPort, workerData } from 'node:worker_threads';
import { createSession } from '../dist/index.js';

const { options, size } = workerData;
const earlier = await createSession(options).session;
const tensor = await earlier.allocate('float32', [size, size]);
earlier.release();
const session = await createSession(options).session;
session.run([{ name: 'x', ...tensor }], [{ name: 'y', location: 'cpu' }]).outputs.catch(() => {});
setTimeout(() => parentPort.postMessage('started'), 100);
