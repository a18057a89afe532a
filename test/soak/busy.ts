// Work that never ends by itself: in a worker until it is terminated, in a process until it exits in the middle of it.
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { InferenceSession } from '@tlsc/api';
import { feed } from './storms.js';

/** Whatever is under way when the process exits. */
const exitMs = 200;

async function work(bytes: Uint8Array, tellStarted: () => void): Promise<void> {
  const session = await InferenceSession.create(bytes, { logSeverityLevel: 4 });
  const feeds = feed();
  for (;;) {
    const runs = [session.run(feeds), session.run(feeds), InferenceSession.create(bytes)];
    tellStarted();
    await Promise.all(runs);
  }
}

if (isMainThread) {
  process.once('message', (bytes: Uint8Array) => {
    setTimeout(() => process.exit(0), exitMs + Math.random() * exitMs);
    void work(bytes, () => {});
  });
} else {
  void work(workerData as Uint8Array, () => parentPort?.postMessage('started'));
}
