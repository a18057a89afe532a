import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Tensor } from 'onnxruntime-common';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { buildBytes, floats, valueInfo } from '../../test/build-model.js';
import { makeNode } from '../graph/proto.js';
import { readPhoto } from '../image/files.js';
import { restore } from '../image/restore.js';
import { InferenceSession } from '../session/inference-session.js';
import { createPool } from './create-pool.js';
import type { RestorationPool } from './restoration-pool.js';

/** `times` convolutions, of which each takes a while. */
function convolutions(times: number): Uint8Array {
  const names = ['x', ...Array.from({ length: times - 1 }, (_, i) => `a${i}`), 'y'];
  const node = Array.from({ length: times }, (_, i) =>
    makeNode('Conv', [names[i] as string, 'w'], [names[i + 1] as string], {
      attributes: { pads: [1, 1, 1, 1] },
    }),
  );
  // One pixel, as it is: whatever is computed in between, the photo comes out.
  const same = Array.from({ length: 81 }, (_, i) => (Math.floor(i / 9) % 4 === 0 && i % 9 === 4 ? 1 : 0));
  return buildBytes({ node, initializer: [floats('w', [3, 3, 3, 3], same)] });
}

const inverted = buildBytes({
  node: [makeNode('Sub', ['one', 'x'], ['y'])],
  initializer: [floats('one', [1], [1])],
});
const same = convolutions(1);
const slow = convolutions(16);

/** How many runs at once, and one beside them. */
const places = (concurrency: number) => concurrency + 1;

let folder = '';
let small: Buffer;
let large: Buffer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tlsc-pool-'));
  const photo = (width: number, height: number) =>
    sharp({ create: { width, height, channels: 3, background: { r: 40, g: 90, b: 160 } } })
      .png()
      .toBuffer();
  small = await photo(60, 40);
  large = await photo(800, 600);
});
afterAll(() => rm(folder, { recursive: true }));

const pools: RestorationPool[] = [];
async function poolOf(...given: Parameters<typeof createPool>): Promise<RestorationPool> {
  const pool = await createPool(...given);
  pools.push(pool);
  return pool;
}
afterEach(() => Promise.all(pools.splice(0).map((pool) => pool.close())));

const one = { concurrency: 1, threads: 1 } as const;

async function colourOf(bytes: Uint8Array): Promise<number[]> {
  const { data } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true });
  return [...data.subarray(0, 3)];
}

/** Until so many have a place, or wait. */
async function until(pool: RestorationPool, which: 'running' | 'pending', count: number): Promise<void> {
  while (pool.stats()[which] !== count) await setTimeout(1);
}

describe('a pool', () => {
  it('restores as a session does, from bytes, files and photos', async () => {
    const pool = await poolOf(slow, { session: { operators: 'portable' } });
    const session = await InferenceSession.create(slow);
    const expected = await restore(session, small);
    const restored = await pool.restore(small);
    expect(restored.tensor.data).toEqual(expected.tensor.data);
    expect(restored.model).toBe('model');
    expect(restored.worked).toBeGreaterThan(0);
    expect(restored.waited).toBeGreaterThanOrEqual(0);
    expect((await pool.restore(await readPhoto(small))).tensor.data).toEqual(expected.tensor.data);
    const input = join(folder, 'input.png');
    await writeFile(input, small);
    const written = await pool.restoreFile(input, join(folder, 'output.webp'), { lossless: true });
    expect(written).toMatchObject({ height: 40, width: 60, frames: 1, model: 'model' });
    expect(await colourOf(await readFile(join(folder, 'output.webp')))).toEqual([40, 90, 160]);
    const { bytes } = await pool.restoreImage(async () => small, '.png');
    expect(await colourOf(bytes)).toEqual([40, 90, 160]);
    expect(pool.stats()).toMatchObject({ done: 4, pixels: 4 * 60 * 40, failed: {}, running: 0, pending: 0 });
    await session.release();
  });

  it('runs as many at once as was tried to be fastest, on no more threads than cores', async () => {
    const { concurrency, threads } = (await poolOf(slow)).stats();
    expect(concurrency * threads).toBe(availableParallelism());
    expect((await poolOf(same, { concurrency: 3 })).stats()).toMatchObject({ concurrency: 3 });
    expect((await poolOf(same, { threads: 2, concurrency: 5 })).stats()).toMatchObject({
      threads: 2,
      concurrency: 5,
    });
  });

  it('takes several models by name', async () => {
    const pool = await poolOf({ same, inverted }, one);
    expect(pool.models).toEqual(['inverted', 'same']);
    expect(await colourOf((await pool.restoreImage(small, '.png', { model: 'inverted' })).bytes)).toEqual([
      215, 165, 95,
    ]);
    expect(await colourOf((await pool.restoreImage(small, '.png', { model: 'same' })).bytes)).toEqual([
      40, 90, 160,
    ]);
    await expect(pool.restore(small)).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      parameter: 'model',
    });
    await expect(pool.restore(small, { model: 'toString' })).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
    });
    expect(pool.describe('same').inputNames).toEqual(['x']);
  });

  it('replaces a model without losing who waits for it', async () => {
    const pool = await poolOf({ it: slow }, one);
    const before = Array.from({ length: 6 }, () => pool.restoreImage(large, '.png'));
    await until(pool, 'running', places(1));
    const swapped = pool.load('it', inverted);
    await swapped;
    const after = await pool.restoreImage(small, '.png');
    expect(await colourOf(after.bytes)).toEqual([215, 165, 95]);
    for (const { bytes } of await Promise.all(before)) expect(await colourOf(bytes)).toEqual([40, 90, 160]);
    await expect(pool.load('it', new Uint8Array(9))).rejects.toMatchObject({ code: 'ERR_INVALID_MODEL' });
    expect(await colourOf((await pool.restoreImage(small, '.png')).bytes)).toEqual([215, 165, 95]);
    await pool.unload('it');
    expect(pool.models).toEqual([]);
    await expect(pool.restore(small)).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' });
  });

  it('refuses who is too many at once, before anything of theirs is read', async () => {
    const pool = await poolOf(slow, { ...one, maxPending: 1 });
    const accepted = Array.from({ length: places(1) + 1 }, () => pool.restore(large));
    let isRead = false;
    const late = pool.restore(async () => {
      isRead = true;
      return large;
    });
    await expect(late).rejects.toMatchObject({ code: 'ERR_BUSY', retryAfter: expect.any(Number) });
    expect(isRead).toBe(false);
    expect(pool.isBusy).toBe(true);
    await Promise.all(accepted);
    expect(pool.isBusy).toBe(false);
    expect(pool.stats()).toMatchObject({ done: 3, failed: { ERR_BUSY: 1 } });
  });

  it('ends what is not done by its deadline, or was aborted, and gives the place to the next', async () => {
    const pool = await poolOf(slow, { ...one, maxPending: 1 });
    const { signal } = new AbortController();
    const controller = new AbortController();
    const late = pool.restore(large, { deadline: 30, signal });
    const gone = pool.restore(large, { signal: controller.signal });
    const waits = pool.restore(small);
    controller.abort('left');
    await expect(gone).rejects.toMatchObject({ code: 'ERR_ABORTED', cause: 'left' });
    await expect(late).rejects.toMatchObject({ code: 'ERR_DEADLINE', parameter: 'deadline' });
    await waits;
    while (pool.stats().memory.taken > 0) await setTimeout(1);
    expect(pool.stats()).toMatchObject({
      running: 0,
      pending: 0,
      done: 1,
      failed: { ERR_ABORTED: 1, ERR_DEADLINE: 1 },
    });
    const strict = await poolOf(slow, { ...one, deadline: 30 });
    await expect(strict.restore(large, { deadline: 60_000 })).rejects.toMatchObject({ code: 'ERR_DEADLINE' });
  });

  it('counts an upload as waiting, and lets others go before', async () => {
    const pool = await poolOf(same, { ...one, maxPending: 0 });
    const controller = new AbortController();
    const uploads = Array.from({ length: places(1) }, () =>
      pool.restore(() => new Promise<Uint8Array>(() => {}), { signal: controller.signal }),
    );
    await expect(pool.restore(small)).rejects.toMatchObject({ code: 'ERR_BUSY' });
    controller.abort();
    for (const upload of uploads) await expect(upload).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    await pool.restore(small);
    await expect(pool.restore(() => Promise.reject(new Error('lost')))).rejects.toThrow('lost');
    await pool.restore(small);
    expect(pool.stats()).toMatchObject({ running: 0, pending: 0 });
  });

  it('has photos wait for memory that fit, and cuts those that never do', async () => {
    const probe = await poolOf(slow, one);
    const whole = probe.restore(large);
    await until(probe, 'running', 1);
    const need = probe.stats().memory.taken;
    expect(need).toBeGreaterThan(800 * 600 * 12);
    await whole;

    const pool = await poolOf(slow, { ...one, memory: Math.floor(need * 1.5) });
    const both = [pool.restore(large), pool.restore(large)];
    await until(pool, 'running', 1);
    await setTimeout(5);
    expect(pool.stats()).toMatchObject({ running: 1, pending: 1 });
    for (const photo of await Promise.all(both)) expect(photo.pieces).toBeUndefined();

    const narrow = await poolOf(slow, { ...one, memory: Math.floor(need * 0.7) });
    const cut = await narrow.restore(large);
    expect(cut.pieces).toMatchObject({ bound: 'exact' });
    expect(cut.tensor.data).toEqual((await probe.restore(large)).tensor.data);
  });

  it('gives all of the memory to a photo whose smallest pieces are larger than a part of it', async () => {
    const probe = await poolOf(slow, one);
    const { pieces } = await probe.restore(large);
    expect(pieces).toBeUndefined();
    const narrow = await poolOf(slow, { concurrency: 8, threads: 1, memory: 12_000_000 });
    expect((await narrow.restore(large)).pieces).toBeDefined();
    const [nothing] = await Promise.allSettled([
      (await poolOf(slow, { ...one, memory: 100_000 })).restore(large),
    ]);
    expect(nothing).toMatchObject({ reason: { code: 'ERR_OUT_OF_MEMORY', parameter: 'memory' } });
  });

  it('keeps memory for a photo like the last, until it is wanted or nothing happens', async () => {
    const pool = await poolOf({ slow, same }, one);
    await pool.restore(large, { model: 'slow' });
    await pool.restore(large, { model: 'slow' });
    const { spare } = pool.stats().memory;
    expect(spare).toBeGreaterThan(800 * 600 * 12);
    await pool.restore(small, { model: 'same' });
    expect(pool.stats().memory.spare).toBeGreaterThan(spare);
    await pool.unload('slow');
    expect(pool.stats().memory.spare).toBeLessThan(spare);
    const tight = await poolOf({ slow, same }, { ...one, memory: Math.floor(spare * 1.2) });
    await tight.restore(large, { model: 'slow' });
    await tight.restore(large, { model: 'same' });
    const { memory } = tight.stats();
    expect(memory.spare).toBeLessThanOrEqual(memory.limit);
  });

  it('takes the urgent first', async () => {
    const pool = await poolOf(slow, one);
    const first = Array.from({ length: places(1) }, () => pool.restore(large));
    await until(pool, 'running', places(1));
    const usual = pool.restore(large);
    const urgent = pool.restore(large, { priority: 1 });
    expect((await urgent).waited).toBeLessThan((await usual).waited);
    await Promise.all(first);
  });

  it('runs models on tensors, also such as take no photos', async () => {
    const sums = buildBytes({
      node: [makeNode('Add', ['a', 'b'], ['s'])],
      input: [valueInfo('a', ['n']), valueInfo('b', ['n'])],
      output: [valueInfo('s', ['n'])],
    });
    const pool = await poolOf({ sums, same }, one);
    const a = new Tensor('float32', Float32Array.of(1, 2), [2]);
    const { outputs, model } = await pool.run({ feeds: { a, b: a } }, { model: 'sums' });
    expect(model).toBe('sums');
    expect(outputs.s?.data).toEqual(Float32Array.of(2, 4));
    const x = new Tensor('float32', new Float32Array(3 * 8 * 8).fill(0.5), [1, 3, 8, 8]);
    const made = await pool.run(async () => ({ feeds: { x }, fetches: ['y'] }), { model: 'same' });
    expect(made.outputs.y?.dims).toEqual([1, 3, 8, 8]);
    await expect(pool.run({ feeds: { x } }, { model: 'sums' })).rejects.toMatchObject({
      code: 'ERR_INPUT_MISMATCH',
    });
    await expect(pool.restore(small, { model: 'sums' })).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
    });
    const tight = await poolOf(same, { ...one, memory: 1000 });
    await expect(tight.run({ feeds: { x } })).rejects.toMatchObject({
      code: 'ERR_OUT_OF_MEMORY',
      parameter: 'memory',
    });
  });

  it('serves all that it let in before it is closed, or ends them', async () => {
    const pool = await createPool(slow, one);
    const under = Array.from({ length: 4 }, () => pool.restore(large));
    const closed = pool.close();
    await expect(pool.restore(small)).rejects.toMatchObject({ code: 'ERR_SESSION_RELEASED' });
    await Promise.all(under);
    await closed;
    const hasty = await createPool(slow, one);
    const ended = Promise.allSettled(Array.from({ length: 4 }, () => hasty.restore(large)));
    await hasty.close({ signal: AbortSignal.timeout(20) });
    const codes = (await ended).map((result) => (result.status === 'rejected' ? result.reason.code : 'done'));
    expect(codes.at(-1)).toBe('ERR_ABORTED');
  });

  it('names what is wrong with what it is told', async () => {
    const pool = await poolOf(same, one);
    const wrong = { code: 'ERR_INVALID_ARGUMENT' };
    await expect(createPool(same, { maxPending: -1 })).rejects.toMatchObject({
      ...wrong,
      parameter: 'maxPending',
    });
    await expect(createPool(same, { threads: 0 })).rejects.toMatchObject({ ...wrong, parameter: 'threads' });
    await expect(createPool(9 as never)).rejects.toMatchObject({ ...wrong, parameter: 'models' });
    await expect(pool.restore(small, { deadline: 0 })).rejects.toMatchObject({
      ...wrong,
      parameter: 'deadline',
    });
    await expect(pool.restore(small, { memory: 9 } as never)).rejects.toMatchObject({
      ...wrong,
      received: "'memory'",
    });
    await expect(pool.restore({} as never)).rejects.toMatchObject(wrong);
    await expect(createPool(join(folder, 'none.onnx'))).rejects.toMatchObject({
      code: 'ERR_MODEL_NOT_FOUND',
    });
    expect(pool.stats().failed).toEqual({ ERR_INVALID_ARGUMENT: 1 });
  });
});
