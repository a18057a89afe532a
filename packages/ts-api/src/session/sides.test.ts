import { describe, expect, it } from 'vitest';
import type { Size } from '../size.js';
import { findSides, fittingSide, isSides } from './sides.js';

/** A network that takes the sides that `takes` says, and makes images of `sizeOf`. */
function network(takes: (side: number) => boolean, sizeOf: (side: number) => number = (side) => side) {
  const tried: number[] = [];
  const trial = async (side: number) => {
    tried.push(side);
    const size: Size = [sizeOf(side), sizeOf(side)];
    return takes(side) ? new Map([['y', size]]) : undefined;
  };
  return { trial, tried };
}

const multiples =
  (of: number, from = of) =>
  (side: number) =>
    side % of === 0 && side >= from;

describe('findSides', () => {
  it.each([
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 20, 24, 28, 30, 32, 36, 40, 48, 56, 64, 72, 96, 128, 256, 512,
  ])('finds multiples of %d', async (multiple) => {
    const { trial, tried } = network(multiples(multiple));
    expect(await findSides(trial)).toEqual({ multiple, minimum: multiple });
    expect(tried.length).toBeLessThan(26);
  });

  it.each([
    [1, 2],
    [1, 100],
    [4, 24],
    [8, 64],
    [16, 48],
    [7, 35],
  ])('finds multiples of %d from %d on', async (multiple, minimum) => {
    const { trial } = network(multiples(multiple, minimum));
    expect(await findSides(trial)).toEqual({ multiple, minimum });
  });

  it('asks a network that takes anything for two runs and one of the smallest image', async () => {
    const { trial, tried } = network(() => true);
    expect(await findSides(trial)).toEqual({ multiple: 1, minimum: 1 });
    expect(tried).toEqual([64, 65, 1]);
  });

  it('does not take a size that is rounded for one that is taken', async () => {
    const floors = network(
      () => true,
      (side) => Math.floor(side / 4) * 4,
    );
    expect(await findSides(floors.trial)).toEqual({ multiple: 4, minimum: 4 });
    const ceils = network(
      () => true,
      (side) => 2 * Math.ceil(side / 8) * 8,
    );
    expect(await findSides(ceils.trial)).toEqual({ multiple: 8, minimum: 8 });
    const halves = network(multiples(2), (side) => side / 2);
    expect(await findSides(halves.trial)).toEqual({ multiple: 2, minimum: 2 });
  });

  it('finds nothing where nothing runs, and does not swallow what else goes wrong', async () => {
    expect(await findSides(network(() => false).trial)).toBeUndefined();
    expect(await findSides(network(multiples(7)).trial, 100)).toBeUndefined();
    expect(await findSides(network(() => true).trial, 63)).toBeUndefined();
    const broken = async () => Promise.reject(new Error('gone'));
    await expect(findSides(broken)).rejects.toThrow('gone');
  });
});

it('a side is filled up to the next that is taken', () => {
  const sides = { multiple: 8, minimum: 24 };
  expect([1, 24, 25, 32, 317].map((side) => fittingSide(side, sides))).toEqual([24, 24, 32, 32, 320]);
});

it('what a file says is taken for sides where it can be', () => {
  expect(isSides({ multiple: 8, minimum: 24 })).toBe(true);
  for (const other of [
    null,
    8,
    {},
    { multiple: 8 },
    { multiple: 0, minimum: 0 },
    { multiple: 8, minimum: 9 },
  ])
    expect(isSides(other)).toBe(false);
  expect(isSides({ multiple: 1e9, minimum: 1e9 })).toBe(false);
});
