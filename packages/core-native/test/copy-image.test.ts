import { describe, expect, it } from 'vitest';
import { copyImage, type NativeImage, type NativeImageMap } from '../lib/index.js';

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
});
