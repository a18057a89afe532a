import { expect, it } from 'vitest';
import { agreementAt, type StripRun } from './agreement.js';

/** Some image: one value a row, another each. */
function imageOf(row: number): number {
  return Math.sin(row * 1.3) + Math.sin(row / 61) + (((row * 7919) % 101) / 101) * 0.5;
}

/** A network that makes of a row what `make` makes of the rows of the piece around it. */
function network(make: (rows: readonly number[], at: number) => number): StripRun {
  return async (begin, end) => {
    const rows = Array.from({ length: end - begin }, (_, i) => imageOf(begin + i));
    const values = Float32Array.from(rows, (_, at) => make(rows, at));
    return { values, channels: 1, length: rows.length, across: 1, scale: 1 };
  };
}

const mean = (rows: readonly number[]) => rows.reduce((sum, one) => sum + one, 0) / rows.length;

/** The mean of so many rows to each side. */
function around(rows: readonly number[], at: number, side: number): number {
  return mean(rows.slice(Math.max(0, at - side), at + side + 1));
}

it('sees how far a piece is other than the whole', async () => {
  const found = await agreementAt(
    network((rows, at) => around(rows, at, 20)),
    64,
    1,
    false,
  );
  expect(found?.multiple).toBe(8);
  expect(found?.reachOf(1e-6)).toBe(20);
  expect(found?.reachOf(10)).toBe(0);
});

it.each([8, 16, 32, 12, 20, 7, 36])('sees that pieces must begin at multiples of %i', async (stride) => {
  // As strides do it: all rows of a block get what its first rows say.
  const strided = network((rows, at) => {
    const begin = Math.floor(at / stride) * stride;
    return around(rows, begin, 5);
  });
  const found = await agreementAt(strided, 64, 1, false);
  expect((found?.multiple ?? 0) % stride).toBe(0);
  expect(found?.reachOf(1e-6)).toBeLessThanOrEqual(stride + 5);
});

it('takes multiples of what all sides are multiples of', async () => {
  const found = await agreementAt(
    network((rows, at) => around(rows, at, 3)),
    64,
    6,
    false,
  );
  expect(found?.multiple).toBe(24);
});

it('sees that what is filled up at the end depends on where pieces begin', async () => {
  // Strides of 8, filled up to 16 by zeros.
  const padded = network((rows, at) => {
    const filled = [...rows, ...Array<number>((16 - (rows.length % 16)) % 16).fill(0)];
    return around(filled, Math.floor(at / 8) * 8, 9);
  });
  expect((await agreementAt(padded, 64, 1, false))?.multiple).toBe(16);
});

it.each([
  ['averages over the whole', (rows: readonly number[], at: number) => (rows[at] ?? 0) - mean(rows)],
  [
    'cuts the whole into halves',
    (rows: readonly number[], at: number) => {
      const middle = Math.floor(rows.length / 2);
      return at < middle ? around(rows.slice(0, middle), at, 4) : around(rows.slice(middle), at - middle, 4);
    },
  ],
  [
    'looks rows up at places that depend on the length',
    (rows: readonly number[], at: number) => rows[Math.round((at * (rows.length - 1)) / rows.length)] ?? 0,
  ],
  ['gives what is not a number', () => Number.NaN],
])('sees that a network %s', async (_, make) => {
  expect(await agreementAt(network(make), 64, 1, false)).toBeUndefined();
});
