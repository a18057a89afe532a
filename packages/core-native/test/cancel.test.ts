import { availableParallelism } from 'node:os';
import type { NativeRun, NativeSession } from '@tlsc/core-native';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { chainModel, failure, load, longSize, only, startChain } from './support.js';

const short = 8;
const model = chainModel();
let session: NativeSession;

beforeEach(async () => {
  session = await load(model);
});

afterEach(() => session.release());

/** When the promise settled, in milliseconds. */
async function settled(run: NativeRun): Promise<number> {
  await run.outputs.catch(() => {});
  return performance.now();
}

function isRight(data: ArrayLike<number>, size: number): boolean {
  return Array.from(data).every((value, i) => value === (i % (size + 1) === 0 ? 1 : 0));
}

test('a long run ends soon after its cancellation, and the session goes on', async () => {
  const run = startChain(session, longSize);
  setTimeout(() => run.cancel(), 200);
  const begun = performance.now();
  await expect(run.outputs).rejects.toEqual(failure('ERR_ABORTED', /abort/));
  expect(performance.now() - begun).toBeLessThan(3000);
  const y = await only(startChain(session, short).outputs);
  expect(isRight(y.data as Float32Array, short)).toBe(true);
});

test('a run cancelled while it waits in the queue rejects before those ahead of it end', async () => {
  // Of 1 MiB, which is copied at once: the input of a run is not to be waited for.
  const ahead = Array.from({ length: availableParallelism() + 2 }, () => startChain(session, 512));
  const aheadEnded = Promise.all(ahead.map(settled));
  const waiting = startChain(session, short);
  waiting.cancel();
  await expect(waiting.outputs).rejects.toEqual(failure('ERR_ABORTED', /abort/));
  const rejectedAt = performance.now();
  for (const run of ahead) run.cancel();
  expect(Math.min(...(await aheadEnded))).toBeGreaterThan(rejectedAt);
});

test('a run cancelled in the same turn as it was started rejects', async () => {
  for (let i = 0; i < 50; ++i) {
    const run = startChain(session, 512);
    run.cancel();
    await expect(run.outputs).rejects.toEqual(failure('ERR_ABORTED'));
  }
});

test('cancelling a run that has ended does nothing', async () => {
  const run = startChain(session, short);
  const y = await only(run.outputs);
  run.cancel();
  run.cancel();
  expect(isRight(y.data as Float32Array, short)).toBe(true);
  await expect(only(run.outputs)).resolves.toBe(y);
  await expect(only(startChain(session, short).outputs)).resolves.toMatchObject({ dims: [short, short] });
});

test('cancelling a run leaves the others of the session alone', async () => {
  const cancelled = startChain(session, longSize);
  const others = [short, 96, 33].map((size) => ({ size, run: startChain(session, size) }));
  cancelled.cancel();
  await expect(cancelled.outputs).rejects.toEqual(failure('ERR_ABORTED'));
  for (const { size, run } of others) {
    const y = await only(run.outputs);
    expect(isRight(y.data as Float32Array, size)).toBe(true);
  }
});

test('cancel is idempotent and needs no receiver', async () => {
  const { cancel, outputs } = startChain(session, longSize);
  cancel();
  cancel();
  await expect(outputs).rejects.toEqual(failure('ERR_ABORTED'));
});

test('cancellation at any moment either rejects with ERR_ABORTED or leaves the right result', async () => {
  let aborted = 0;
  for (let i = 0; i < 100; ++i) {
    const size = i % 2 === 0 ? 24 : 320;
    const run = startChain(session, size);
    setTimeout(() => run.cancel(), i % 5);
    try {
      const y = await only(run.outputs);
      expect(isRight(y.data as Float32Array, size)).toBe(true);
    } catch (error) {
      expect(error).toEqual(failure('ERR_ABORTED'));
      ++aborted;
    }
  }
  expect(aborted).toBeGreaterThan(0);
});
