import { type Photo, Tensor } from '@tlsc/api';
import { describe, expect, it } from 'vitest';
import { restoreTiles, workOf } from './tiles.js';

function photoOf(height: number, width: number): Photo {
  const data = Float32Array.from({ length: 3 * height * width }, (_, i) => ((i * 37) % 101) / 101);
  return { tensor: new Tensor('float32', data, [1, 3, height, width]), bitDepth: 8 };
}

const sizes: string[] = [];
const asItIs = async (tile: Photo) => {
  sizes.push(tile.tensor.dims.slice(2).join('x'));
  return tile;
};

/** Each pixel twice along both axes. */
async function doubled({ tensor, bitDepth }: Photo): Promise<Photo> {
  const [, channels = 0, height = 0, width = 0] = tensor.dims;
  const data = new Float32Array(channels * height * width * 4);
  for (let i = 0; i < data.length; i++) {
    const [row, x] = [Math.floor(i / (2 * width)), i % (2 * width)];
    const [channel, y] = [Math.floor(row / (2 * height)), row % (2 * height)];
    data[i] = tensor.data[(channel * height + (y >> 1)) * width + (x >> 1)] as number;
  }
  return { tensor: new Tensor('float32', data, [1, channels, 2 * height, 2 * width]), bitDepth };
}

function largestDifference(a: Photo, b: Photo): number {
  expect(a.tensor.dims).toEqual(b.tensor.dims);
  return Math.max(
    ...Array.from(a.tensor.data as Float32Array, (value, i) => Math.abs(value - Number(b.tensor.data[i]))),
  );
}

describe('tiles', () => {
  it.each([
    [16, false],
    [16, true],
    [17, true],
    [64, false],
    [64, true],
    [1, false],
  ])('of %i, blended: %s, are the photo where nothing is done to them', async (size, blended) => {
    const photo = photoOf(23, 41);
    sizes.length = 0;
    expect(largestDifference(await restoreTiles(photo, { size, blended }, asItIs), photo)).toBeLessThan(1e-6);
    expect(new Set(sizes)).toEqual(new Set([`${Math.min(size, 23)}x${Math.min(size, 41)}`]));
  });

  it('may become larger', async () => {
    const photo = photoOf(23, 41);
    for (const blended of [false, true]) {
      const restored = await restoreTiles(photo, { size: 16, blended }, doubled);
      expect(largestDifference(restored, await doubled(photo))).toBeLessThan(1e-6);
    }
  });

  it('are put together without blending by the last one that has a pixel', async () => {
    let count = 0;
    const numbered = async ({ tensor, bitDepth }: Photo): Promise<Photo> => {
      const data = new Float32Array(tensor.data.length).fill(count++ / 10);
      return { tensor: new Tensor('float32', data, tensor.dims), bitDepth };
    };
    const { tensor } = await restoreTiles(photoOf(2, 10), { size: 4, blended: false }, numbered);
    const row = Array.from(tensor.data as Float32Array).slice(0, 10);
    expect(row.map((value) => Math.round(value * 10))).toEqual([0, 0, 0, 0, 1, 1, 2, 2, 2, 2]);
  });

  it('are blended by shares that fall off towards their ends', async () => {
    let count = 0;
    const numbered = async ({ tensor, bitDepth }: Photo): Promise<Photo> => {
      const data = new Float32Array(tensor.data.length).fill(count++);
      return { tensor: new Tensor('float32', data, tensor.dims), bitDepth };
    };
    const { tensor } = await restoreTiles(photoOf(4, 6), { size: 4, blended: true }, numbered);
    expect([...(tensor.data as Float32Array).slice(0, 6)]).toEqual([0, 0, 0.25, 0.75, 1, 1]);
  });

  it('are so many times the work', () => {
    expect(workOf([64, 64], { size: 64, blended: false })).toBe(1);
    expect(workOf([64, 64], { size: 32, blended: true })).toBe(2.25);
  });
});
