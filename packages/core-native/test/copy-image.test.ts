import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  copyImage,
  discard,
  fillHidden,
  mapFile,
  type NativeImage,
  type NativeImageMap,
  summarizeImage,
} from '../lib/index.js';

const plain: NativeImageMap = {
  mix: [
    [1, 0, 0, 0],
    [0, 1, 0, 0],
    [0, 0, 1, 0],
    [0, 0, 0, 1],
  ],
  multiply: [1, 1, 1, 1],
  divide: [1, 1, 1, 1],
  add: [0, 0, 0, 0],
};

function pixels(height: number, width: number, isHandedOver = false): NativeImage {
  const data = Uint8Array.from({ length: 3 * height * width }, (_, i) => (i * 37) % 256);
  return { type: 'uint8', channelsLast: true, channels: 3, height, width, data, isHandedOver };
}

const planes = { type: 'float32', channelsLast: false, channels: 3 } as const;

describe('copyImage', () => {
  it.each([true, false])(
    'takes pixels apart and puts them together again (handed over: %s)',
    async (over) => {
      const source = pixels(50, 70, over);
      const made = await copyImage(source, plain, { ...planes, height: 50, width: 70 });
      expect(made.summary).toBeUndefined();
      const values = made.data as Float32Array;
      expect(values[3500 + 1]).toBe(Math.fround((source.data[4] as number) / 255));
      const back = await copyImage(
        { ...planes, height: 50, width: 70, data: values, isHandedOver: over },
        plain,
        { type: 'uint8', channelsLast: true, channels: 3, height: 50, width: 70 },
      );
      expect(back.data).toEqual(source.data);
    },
  );

  it('copies what JavaScript may change, in as many turns as it takes', async () => {
    const source = pixels(1000, 1200);
    const first = (source.data as Uint8Array).slice(0, 3);
    const made = copyImage(source, plain, { ...planes, height: 1000, width: 1200 });
    (source.data as Uint8Array).fill(0, 0, 3); // Within the MiB that is copied at once.
    const values = (await made).data as Float32Array;
    expect(values[0]).toBe(Math.fround((first[0] as number) / 255));
    const gone = pixels(1000, 1200);
    const rejected = copyImage(gone, plain, { ...planes, height: 1000, width: 1200 });
    structuredClone(gone.data, { transfer: [gone.data.buffer as ArrayBuffer] });
    await expect(rejected).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      message: expect.stringContaining('the source: its memory was transferred'),
    });
  });

  it('fills up by reflection, and by the last row where there are too few', async () => {
    const data = Uint8Array.from([1, 2, 3, 4, 5, 6]);
    const gray = { channelsLast: true, channels: 1, height: 2, width: 3 } as const;
    const source: NativeImage = { ...gray, type: 'uint8', data, isHandedOver: true };
    const made = await copyImage(source, plain, { ...gray, type: 'uint8', height: 4, width: 5 });
    const rows = [
      [1, 2, 3, 2, 1],
      [4, 5, 6, 5, 4],
    ];
    expect([...(made.data as Uint8Array)]).toEqual([rows[0], rows[1], rows[1], rows[1]].flat());
  });

  it('sums up what it writes', async () => {
    const source = pixels(16, 16, true);
    const made = await copyImage(source, plain, { ...planes, height: 16, width: 16 }, true);
    const values = [...(made.data as Float32Array)];
    expect(made.summary).toMatchObject({
      finite: true,
      least: Math.min(...values),
      greatest: Math.max(...values),
      outside: 0,
    });
    expect(made.summary?.mean).toBeCloseTo(values.reduce((sum, value) => sum + value) / values.length, 6);
  });

  it('refuses what does not fit', async () => {
    const source = pixels(4, 4);
    const target = { ...planes, height: 4, width: 4 };
    await expect(copyImage({ ...source, height: 5 }, plain, target)).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      message: expect.stringContaining('48 bytes'),
    });
    for (const wrong of [{ channels: 5 }, { height: 0 }, { width: -1 }, { type: 'float64' as 'float32' }])
      await expect(copyImage(source, plain, { ...target, ...wrong })).rejects.toMatchObject({
        code: 'ERR_INVALID_ARGUMENT',
      });
    await expect(
      copyImage(source, plain, { ...target, height: 2 ** 23, width: 2 ** 23 }),
    ).rejects.toMatchObject({ code: 'ERR_OUT_OF_MEMORY' });
  });

  it('writes into memory of its own that is given, and into no other', async () => {
    const source = pixels(4, 5, true);
    const four = { ...planes, height: 4, width: 5, channels: 4 };
    const { data } = await copyImage(source, plain, four);
    const layout = { ...planes, height: 4, width: 5, channels: 1 };
    const into = { ...layout, data: (data as Float32Array).subarray(60) };
    expect((await copyImage(source, plain, into)).data).toBeUndefined();
    expect((data as Float32Array).slice(60)).toEqual((data as Float32Array).slice(0, 20));
    for (const wrong of [new Float32Array(20), (data as Float32Array).subarray(61)])
      await expect(copyImage(source, plain, { ...layout, data: wrong })).rejects.toMatchObject({
        code: 'ERR_INVALID_ARGUMENT',
      });
  });

  it('takes memory back at once, while others read it or not', async () => {
    const source = pixels(500, 600, true);
    const made = await copyImage(source, plain, { ...planes, height: 500, width: 600 });
    const data = made.data as Float32Array;
    const image = { ...planes, height: 500, width: 600, data, isHandedOver: false };
    const summary = summarizeImage(image, plain, { ...planes, height: 500, width: 600 });
    discard(data);
    expect(data.length).toBe(0);
    expect(await summary).toMatchObject({ finite: true, outside: 0 });
    discard(data);
    const own = new Float32Array(3);
    discard(own);
    expect(own.length).toBe(3);
  });
});

describe('fillHidden', () => {
  it('wants memory of the addon’s, and planes and alpha of one size', async () => {
    const { data } = await copyImage(pixels(4, 5, true), plain, { ...planes, height: 4, width: 5 });
    const image = { ...planes, height: 4, width: 5, data: data as Float32Array };
    const alpha = await copyImage({ ...pixels(4, 5), channels: 1, data: new Uint8Array(20) }, plain, {
      type: 'uint8',
      channelsLast: true,
      channels: 1,
      height: 4,
      width: 5,
    });
    await expect(fillHidden(image, alpha.data as Uint8Array)).resolves.toBeUndefined();
    const code = 'ERR_INVALID_ARGUMENT';
    await expect(fillHidden(image, new Uint8Array(20))).rejects.toMatchObject({ code });
    await expect(fillHidden({ ...image, height: 5 }, alpha.data as Uint8Array)).rejects.toMatchObject({
      code,
    });
    await expect(fillHidden(image, (alpha.data as Uint8Array).subarray(1))).rejects.toMatchObject({ code });
  });
});

describe('mapFile', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tlsc-mapped-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('is the file as memory, which can be copied again and again, and given back', async () => {
    const path = join(folder, 'ä.raw');
    const { data, ...layout } = pixels(300, 400);
    const header = new Uint8Array(64).fill(7);
    writeFileSync(path, Buffer.concat([header, data as Uint8Array]));
    const bytes = mapFile(path);
    expect(bytes.length).toBe(64 + data.length);
    const part = { ...layout, data: new Uint8Array(bytes.buffer, 64), isHandedOver: true };
    for (let turn = 0; turn < 2; turn++) {
      const copy = await copyImage(part, plain, { ...layout, height: 300, width: 400 });
      expect(Buffer.compare(copy.data as Uint8Array, data as Uint8Array)).toBe(0);
    }
    const summary = await summarizeImage(part, plain, { ...planes, height: 300, width: 400 });
    expect(summary).toEqual(
      await summarizeImage({ ...part, data }, plain, { ...planes, height: 300, width: 400 }),
    );
    expect([...bytes.subarray(0, 64)]).toEqual([...header]);
    discard(bytes);
    expect(bytes.length).toBe(0);
  });

  it('is not of what is none', () => {
    writeFileSync(join(folder, 'empty'), '');
    for (const name of ['empty', 'none', '.'])
      expect(() => mapFile(join(folder, name))).toThrow(
        expect.objectContaining({
          code: 'ERR_INVALID_ARGUMENT',
          message: expect.stringContaining(`cannot map ${join(folder, name)}`),
        }),
      );
  });
});
