import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { symlinkSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { findRuntime } from '@tlsc/core-native';
import { expect, test } from 'vitest';
import {
  chainModel,
  chainModelFile,
  float32,
  load,
  longSize,
  only,
  options,
  start,
  startChain,
  temporaryFolder,
} from './support.js';

const file = chainModelFile();

function startWorker(size: number, runs: number): Worker {
  return new Worker(new URL('session-worker.mjs', import.meta.url), {
    workerData: { options: options(file), size, runs },
  });
}

test('several worker threads load and run at once', async () => {
  const workers = Array.from({ length: 6 }, () => startWorker(32, 20));
  const ends = workers.map(async (worker) => {
    const messages: unknown[] = [];
    worker.on('message', (message) => messages.push(message));
    const [code] = await once(worker, 'exit');
    return { code: code as number, messages };
  });
  const session = await load(file);
  for (let i = 0; i < 20; ++i) await startChain(session, 32).outputs;
  for (const end of ends) expect(await end).toEqual({ code: 0, messages: ['started', 'done'] });
});

test('the first sessions of a process may load at once', async () => {
  // ONNX Runtime registers the domain of custom operators once per process, so each try needs a process of its own.
  const script = fileURLToPath(new URL('load-child.mjs', import.meta.url));
  for (let i = 0; i < 15; ++i) {
    const { stdout } = await promisify(execFile)(process.execPath, [script, JSON.stringify(options(file))]);
    expect(stdout).toBe('loaded\n');
  }
});

test('a worker terminated during a run ends soon and leaves the other threads alone', async () => {
  const session = await load(file);
  for (const delay of [0, 20, 150]) {
    const worker = startWorker(longSize, 1);
    const messages: unknown[] = [];
    worker.on('message', (message) => messages.push(message));
    await once(worker, 'message');
    await new Promise((resolve) => setTimeout(resolve, delay));
    const begun = performance.now();
    await worker.terminate();
    expect(performance.now() - begun).toBeLessThan(3000);
    expect(messages).toEqual(['started']);
    await expect(only(startChain(session, 8).outputs)).resolves.toMatchObject({ dims: [8, 8] });
  }
});

test('workers terminated at any moment of loading and running do no harm', async () => {
  for (let i = 0; i < 30; ++i) {
    const worker = startWorker(48, 1000);
    await new Promise((resolve) => setTimeout(resolve, (i % 15) * 10));
    await worker.terminate();
  }
  const session = await load(file);
  await expect(only(startChain(session, 8).outputs)).resolves.toMatchObject({ dims: [8, 8] });
});

test('the event loop goes on while a long run is under way', async () => {
  const session = await load(chainModel(60));
  let ticks = 0;
  const timer = setInterval(() => ++ticks, 5);
  const begun = performance.now();
  await startChain(session, longSize).outputs;
  const tookMs = performance.now() - begun;
  clearInterval(timer);
  // A loop that was blocked has no tick; a busy machine still gives far more than this.
  expect(ticks).toBeGreaterThan(Math.max(3, tookMs / 100));
});

test('one runtime under several spellings of its path serves sessions side by side', async () => {
  const runtimePath = findRuntime();
  const link = join(temporaryFolder(), basename(runtimePath));
  symlinkSync(runtimePath, link);
  const folder = dirname(runtimePath);
  const spellings = [
    runtimePath,
    join(relative(process.cwd(), folder), basename(runtimePath)),
    `${folder}/../${basename(folder)}/${basename(runtimePath)}`,
    link,
  ];
  const sessions = await Promise.all(spellings.map((spelling) => load(file, { runtimePath: spelling })));
  const outputs = await Promise.all(
    sessions.map((session, i) => only(start(session, [float32('x', [1, 1], i)], ['y']).outputs)),
  );
  expect(outputs.map(({ data }) => data[0])).toEqual([
    0,
    1,
    Number.POSITIVE_INFINITY,
    Number.POSITIVE_INFINITY,
  ]);
  for (const session of sessions) session.release();
});
