// What a signal reaches, and how many photos are in memory at once.
import { getEventListeners } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { Tensor } from 'onnxruntime-common';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { buildBytes } from '../../test/build-model.js';
import { makeNode } from '../graph/proto.js';
import { asItIs, copyImage } from '../session/copy-image.js';
import { InferenceSession } from '../session/inference-session.js';
import { encodePhoto, readPhoto, writePhoto } from './files.js';
import { memoryOf } from './photo.js';
import { restore } from './restore.js';

/** Every decoding that was begun, and what it waits for in front. */
const decoding = vi.hoisted(() => ({ begun: 0, gate: Promise.resolve() }));
vi.mock('./decode.js', async (original) => {
  const module = await original<typeof import('./decode.js')>();
  const readImageHeader: typeof module.readImageHeader = async (...given) => {
    decoding.begun++;
    await decoding.gate;
    return module.readImageHeader(...given);
  };
  return { ...module, readImageHeader };
});

const turns = Math.max(2, availableParallelism());

let folder = '';
let session: InferenceSession;
let large: Buffer;
let small: Buffer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tlsc-abort-'));
  session = await InferenceSession.create(buildBytes({ node: [makeNode('Neg', ['x'], ['y'])] }));
  const background = { r: 40, g: 90, b: 160 };
  large = await sharp({ create: { width: 3000, height: 2000, channels: 3, background } })
    .png()
    .toBuffer();
  small = await sharp({ create: { width: 20, height: 10, channels: 3, background } })
    .png()
    .toBuffer();
});
afterAll(() => rm(folder, { recursive: true }));
afterEach(() => {
  Object.assign(decoding, { begun: 0, gate: Promise.resolve() });
});

/** Until sharp has work under way, or none any more. */
async function untilSharp(works: boolean): Promise<void> {
  while (sharp.counters().process > 0 !== works) await setTimeout(1);
}

/** Aborts `work` while sharp is at it, and sees it rejected before sharp has ended. */
async function abortInSharp(work: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
  const controller = new AbortController();
  const result = work(controller.signal).catch((error: unknown) => error);
  await untilSharp(true);
  controller.abort('enough');
  expect(await result).toMatchObject({ code: 'ERR_ABORTED', cause: 'enough' });
  expect(sharp.counters().process).toBe(1);
  expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  await untilSharp(false);
}

/** A promise, and what resolves it. */
function gate(): { opened: Promise<void>; open: () => void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

describe('an abort', () => {
  it('ends readPhoto and restore while the decoder works', async () => {
    await abortInSharp((signal) => readPhoto(large, { signal }));
    await abortInSharp((signal) => restore(session, large, { signal }));
  });

  it('ends encodePhoto and writePhoto while the encoder works, and leaves no file', async () => {
    const photo = await readPhoto(large);
    await abortInSharp((signal) => encodePhoto(photo, '.png', { signal }));
    await abortInSharp((signal) => writePhoto(photo, join(folder, 'photo.png'), { signal }));
    expect(await readdir(folder)).toEqual([]);
  });

  it('ends the conversion between pixels and tensors', async () => {
    const photo = await readPhoto(large);
    const controller = new AbortController();
    const writing = encodePhoto(photo, '.png', { signal: controller.signal });
    await setImmediate();
    controller.abort();
    await expect(writing).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    expect(sharp.counters().process).toBe(0);
  });

  it('before the call leaves nothing to do', async () => {
    const signal = AbortSignal.abort();
    const photo = await readPhoto(small);
    const path = join(folder, 'photo.png');
    for (const call of [
      () => readPhoto(small, { signal }),
      () => encodePhoto(photo, '.png', { signal }),
      () => writePhoto(photo, path, { signal }),
      () => restore(session, small, { signal }),
    ])
      await expect(call()).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    expect(decoding.begun).toBe(1);
    expect(await readdir(folder)).toEqual([]);
  });

  it('is checked, as other options are', async () => {
    const photo = await readPhoto(small);
    for (const call of [
      () => readPhoto(small, { signal: 1 as never }),
      () => encodePhoto(photo, '.png', { signal: 1 as never }),
    ])
      await expect(call()).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT', parameter: 'signal' });
    await expect(readPhoto(small, { maxPixel: 1 } as never)).rejects.toThrow(/maxPixel/);
    await expect(writePhoto(photo, 'a.png', { sginal: 1 } as never)).rejects.toThrow(/sginal/);
  });

  it('leaves their bytes to their owner', async () => {
    const { signal } = new AbortController();
    const [expected, bytes] = [await readPhoto(small), Uint8Array.from(small)];
    const reading = readPhoto(bytes, { signal });
    bytes.fill(0);
    expect(await reading).toEqual(expected);
  });

  it('may end any number of calls: one signal has one listener', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error) => warnings.push(warning);
    process.on('warning', note);
    const controller = new AbortController();
    const { signal } = controller;
    const photo = await readPhoto(small);
    const x = new Tensor('float32', new Float32Array(12), [1, 3, 2, 2]);
    const calls = Array.from({ length: 24 }, () => [
      restore(session, small, { signal }),
      readPhoto(small, { signal }),
      encodePhoto(photo, '.png', { signal }),
      session.run({ x }, { signal }),
    ]).flat();
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    await Promise.all(calls);
    await setTimeout(10);
    process.off('warning', note);
    expect(warnings).toEqual([]);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});

describe('restorations that wait', () => {
  it('hold no pixels: they are not even read', async () => {
    const { opened, open } = gate();
    decoding.gate = opened;
    const all = Array.from({ length: 24 }, () => restore(session, small));
    await setTimeout(50);
    expect(decoding.begun).toBe(turns);
    open();
    await Promise.all(all);
    expect(decoding.begun).toBe(24);
  });

  it('take turns with photos that are in memory already', async () => {
    const { opened, open } = gate();
    let [running, most] = [0, 0];
    const run = session.run.bind(session);
    const spy = vi.spyOn(session, 'run').mockImplementation(async (...given) => {
      most = Math.max(most, ++running);
      await opened;
      running--;
      return run(...(given as Parameters<typeof run>));
    });
    const photo = await readPhoto(small);
    const all = Array.from({ length: 24 }, (_, i) => restore(session, i % 2 === 0 ? photo : small));
    await setTimeout(50);
    expect(running).toBe(turns);
    open();
    await Promise.all(all);
    expect(most).toBe(turns);
    spy.mockRestore();
  });

  it('are aborted at once, and never read', async () => {
    const { opened, open } = gate();
    decoding.gate = opened;
    const busy = Array.from({ length: turns }, () => restore(session, small));
    const controller = new AbortController();
    const aborted = restore(session, small, { signal: controller.signal });
    const waiting = Array.from({ length: 3 }, () => restore(session, small));
    await setImmediate();
    controller.abort();
    await expect(aborted).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    expect(decoding.begun).toBe(turns);
    open();
    await Promise.all([...busy, ...waiting]);
    expect(decoding.begun).toBe(turns + 3);
  });

  it('wait until a decoder whose outcome nobody wants has ended', async () => {
    const { opened, open } = gate();
    decoding.gate = opened;
    const controller = new AbortController();
    const abandoned = Array.from({ length: turns }, () =>
      restore(session, small, { signal: controller.signal }),
    );
    await setImmediate();
    controller.abort();
    for (const one of abandoned) await expect(one).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    const next = restore(session, small);
    await setTimeout(20);
    expect(decoding.begun).toBe(turns);
    open();
    await next;
    expect(decoding.begun).toBe(turns + 1);
  });
});

describe('memory that runs out', () => {
  const said = 'vips_image_write_to_memory: out of memory -- size == 183MB';

  it.each([said, 'Array buffer allocation failed'])(
    'is called so when a photo is read: %s',
    async (message) => {
      vi.spyOn(sharp.prototype, 'toBuffer').mockRejectedValueOnce(new Error(message));
      await expect(readPhoto(small)).rejects.toMatchObject({
        code: 'ERR_OUT_OF_MEMORY',
        message:
          'there is no memory for the 20x10 pixels of the image; take a smaller photo, or fewer at once',
        cause: { message },
      });
    },
  );

  it('is called so when one is encoded', async () => {
    const photo = await readPhoto(small);
    vi.spyOn(sharp.prototype, 'toBuffer').mockRejectedValueOnce(new Error(said));
    await expect(encodePhoto(photo, '.png')).rejects.toMatchObject({ code: 'ERR_OUT_OF_MEMORY' });
  });

  it('is called so when it is ours', async () => {
    const expected = {
      code: 'ERR_OUT_OF_MEMORY',
      message: expect.stringContaining('there is no memory for 8000000x4000000 pixels; take a smaller photo'),
    };
    const photo = await readPhoto(small);
    const huge = { type: 'float32', channelsLast: false, height: 4_000_000, width: 8_000_000 } as const;
    await expect(copyImage(memoryOf(photo), [asItIs(0)], huge)).rejects.toMatchObject(expected);
  });
});
