// Sessions made, run, aborted, released and abandoned for a while, in storms: workers are terminated and processes end with
// work under way. Memory must not grow once the first half has warmed everything up. --seconds N.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { convert } from '@tlsc/api';
import { feed, model, releaseSessions, runAndAbort } from './storms.js';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '60' } } });
const seconds = Number(values.seconds);
if (!(seconds >= 10)) throw new Error('--seconds must be a number from 10');

/** What the second half may add: the allocator's moods, far below one leaked session or image per round. */
const growthBytes = 64 * 2 ** 20;
/** A process or worker that takes longer to end is stuck. */
const endMs = 10_000;

async function inTime<T>(what: string, work: Promise<T>): Promise<T> {
  const late = new AbortController();
  const timeout = wait(endMs, undefined, { signal: late.signal }).then(
    () => Promise.reject(new Error(`${what} takes more than ${endMs} ms`)),
    () => new Promise<never>(() => {}),
  );
  try {
    return await Promise.race([work, timeout]);
  } finally {
    late.abort();
  }
}

const busyFile = fileURLToPath(new URL('./busy.js', import.meta.url));

async function terminateWorker(): Promise<void> {
  const worker = new Worker(busyFile, { workerData: converted });
  await inTime('a worker that starts', once(worker, 'message'));
  await wait(Math.random() * 30);
  await inTime('a worker that is terminated', worker.terminate());
}

/** By process.exit() in the middle of runs. */
async function endProcess(): Promise<void> {
  const child = fork(busyFile, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], serialization: 'advanced' });
  const ended = once(child, 'exit');
  child.send(converted);
  try {
    const [code, signal] = await inTime('a process that exits', ended);
    if (code !== 0) throw new Error(`a process with work under way ended with ${signal ?? code}`);
  } finally {
    child.kill('SIGKILL');
  }
}

const { model: converted } = await convert(model(), { trainSize: 16 });
const storms = { runAndAbort, releaseSessions, terminateWorker, endProcess };
const counts: Record<string, number> = {};
const begun = performance.now();
const elapsed = () => (performance.now() - begun) / 1000;
let middle = 0;
while (elapsed() < seconds) {
  for (const [name, storm] of Object.entries(storms)) {
    await storm(converted, feed());
    counts[name] = (counts[name] ?? 0) + 1;
  }
  globalThis.gc?.();
  if (middle === 0 && elapsed() > seconds / 2) middle = process.memoryUsage.rss();
}
globalThis.gc?.();
// What was collected is freed in a turn of its own.
await wait(100);
const growth = process.memoryUsage.rss() - middle;
const rounds = Object.entries(counts).map(([name, count]) => `${name} ${count}`);
console.log(`${Math.round(elapsed())} s: ${rounds.join(', ')}`);
console.log(
  `memory grew by ${(growth / 2 ** 20).toFixed(1)} MiB in the second half (${growthBytes / 2 ** 20} allowed)`,
);
if (growth > growthBytes) process.exitCode = 1;
