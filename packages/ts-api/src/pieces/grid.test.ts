import fc from 'fast-check';
import { expect, it } from 'vitest';
import { bestGrid, type Cut, countOf, tilesOf } from './grid.js';

const cuts: fc.Arbitrary<Cut> = fc
  .record({
    halo: fc.tuple(fc.nat(90), fc.nat(90)),
    multiple: fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 })),
    least: fc.tuple(fc.integer({ min: 1, max: 120 }), fc.integer({ min: 1, max: 120 })),
  })
  .map((cut) => cut);
const sizes = fc.tuple(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 1, max: 500 }));

it('covers every pixel once, and sees as much around it as is asked for', () => {
  fc.assert(
    fc.property(sizes, cuts, fc.integer({ min: 1, max: 250_000 }), ([height, width], cut, most) => {
      const grid = bestGrid([height, width], cut, most);
      const covered = new Uint8Array(height * width);
      let [seen, largest] = [0, 0];
      for (const { inner, outer } of tilesOf(grid)) {
        for (let y = inner.top; y < inner.top + inner.height; y++)
          for (let x = inner.left; x < inner.left + inner.width; x++)
            covered[y * width + x] = (covered[y * width + x] as number) + 1;
        const check = (axis: 0 | 1, begin: number, length: number, from: number, seenLength: number) => {
          const whole = axis === 0 ? height : width;
          expect(begin % cut.multiple[axis]).toBe(0);
          expect(from % cut.multiple[axis]).toBe(0);
          expect(from === 0 || begin - from >= cut.halo[axis]).toBe(true);
          const end = from + seenLength;
          expect(end === whole || end % cut.multiple[axis] === 0).toBe(true);
          expect(end === whole || end - begin - length >= cut.halo[axis]).toBe(true);
          expect(seenLength).toBeGreaterThanOrEqual(Math.min(whole, cut.least[axis]));
        };
        check(0, inner.top, inner.height, outer.top, outer.height);
        check(1, inner.left, inner.width, outer.left, outer.width);
        seen += outer.height * outer.width;
        largest = Math.max(largest, outer.height * outer.width);
      }
      expect(covered.every((times) => times === 1)).toBe(true);
      expect(grid.most).toBe(largest);
      expect(grid.work).toBeCloseTo(seen / (height * width), 9);
    }),
    { numRuns: 150 },
  );
});

it('takes the photo whole where it fits, and the fewest seams of those grids that are as good', () => {
  const cut: Cut = { halo: [0, 0], multiple: [8, 8], least: [1, 1] };
  expect(countOf(bestGrid([100, 200], cut, 20_000))).toBe(1);
  expect(countOf(bestGrid([100, 200], cut, 19_999))).toBe(2);
});

it('takes strips across where these cost least, and tiles where strips cost more', () => {
  const cut: Cut = { halo: [64, 64], multiple: [8, 8], least: [96, 96] };
  const wide = bestGrid([300, 6000], cut, 300 * 700);
  expect(wide.rows).toHaveLength(1);
  const square = bestGrid([4000, 6000], cut, 1_000_000);
  expect(square.rows.length).toBeGreaterThan(1);
  expect(square.columns.length).toBeGreaterThan(1);
  expect(square.work).toBeLessThan(1.5);
});

it('says how large the smallest tiles are where none fit', () => {
  const cut: Cut = { halo: [64, 64], multiple: [8, 8], least: [1, 1] };
  expect(bestGrid([4000, 6000], cut, 100).most).toBe(136 * 136);
});
