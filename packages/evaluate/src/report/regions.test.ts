import { describe, expect, it } from 'vitest';
import type { Planes } from '../metrics/planes.js';
import { errorMap, gainAndLoss, seamsOf } from './regions.js';

function planes(height: number, width: number, at: (y: number, x: number) => number): Planes {
  const data = Float32Array.from({ length: height * width }, (_, i) => at(Math.floor(i / width), i % width));
  return { data, channels: 1, height, width };
}

const within = (y: number, x: number, top: number, left: number) =>
  y >= top && y < top + 96 && x >= left && x < left + 96;

describe('regions', () => {
  it('are where the second image gains and loses most', () => {
    const target = planes(300, 400, () => 0.5);
    const before = planes(300, 400, (y, x) => (within(y, x, 16, 200) ? 0.9 : 0.5));
    const after = planes(300, 400, (y, x) => (within(y, x, 200, 40) ? 0.1 : 0.5));
    expect(gainAndLoss(before, after, target)).toEqual({
      gain: { top: 16, left: 200, height: 96, width: 96 },
      loss: { top: 200, left: 40, height: 96, width: 96 },
    });
  });

  it('are all of an image that is smaller', () => {
    const small = planes(20, 30, () => 0.5);
    const { gain } = gainAndLoss(small, small, small);
    expect(gain).toEqual({ top: 0, left: 0, height: 20, width: 30 });
  });
});

describe('seams', () => {
  const noise = (y: number, x: number) => ((y * 31 + x * 17) % 7) / 700;

  it('show where errors jump from tile to tile', () => {
    const target = planes(128, 256, () => 0.5);
    const tiled = planes(128, 256, (y, x) => 0.5 + noise(y, x) + (Math.floor(x / 64) % 2) / 10);
    const { ratio = 0, worst } = seamsOf(tiled, target, 64) ?? {};
    expect(ratio).toBeGreaterThan(5);
    expect([64, 128, 192].some((x) => x > (worst?.left ?? 0) && x < (worst?.left ?? 0) + 96)).toBe(true);
    const smooth = planes(128, 256, (y, x) => 0.5 + noise(y, x));
    expect(seamsOf(smooth, target, 64)?.ratio).toBeCloseTo(1, 0);
  });

  it('are none in an image of one tile', () => {
    const one = planes(64, 64, () => 0.5);
    expect(seamsOf(one, one, 64)).toBeUndefined();
  });
});

describe('error maps', () => {
  it('go from black, no error, to white', () => {
    const target = planes(1, 3, () => 0.5);
    const made = planes(1, 3, (_, x) => 0.5 + ([0, 0.05, 0.4][x] ?? 0));
    expect([...errorMap(made, target, 0.1)]).toEqual([0, 128, 255]);
  });
});
