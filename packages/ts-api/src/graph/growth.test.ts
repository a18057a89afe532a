import { describe, expect, it } from 'vitest';
import { Growth } from './growth.js';

type Shape = readonly number[];

/** Of one value, `v`, at 64 × 64 and at another size. */
function growthOf(
  trained: Shape,
  other: Shape | undefined,
  size: readonly [number, number] = [48, 32],
): Growth {
  const sample = (at: readonly [number, number], shape: Shape | undefined) => ({
    size: at,
    shapes: new Map(shape ? [['v', shape]] : []),
    values: new Map(),
    failure: undefined,
  });
  return new Growth([sample([64, 64], trained), sample(size, other)]);
}

describe('Growth', () => {
  it('takes sides that are rounded for what they are', () => {
    const sample = (size: readonly [number, number], shape: Shape) => ({
      size,
      shapes: new Map([['v', shape]]),
      values: new Map(),
      failure: undefined,
    });
    // Halved by a convolution, and rounded up.
    const growth = new Growth([sample([4, 6], [1, 4, 2, 3]), sample([8, 9], [1, 4, 4, 5])]);
    expect(growth.along('v')).toEqual([undefined, undefined, 'rows', 'columns']);
  });

  it.each([
    ['an image', [1, 3, 64, 64], [1, 3, 48, 32], [undefined, undefined, 'rows', 'columns']],
    ['channels last, halved', [1, 32, 32, 8], [1, 24, 16, 8], [undefined, 'rows', 'columns', undefined]],
    ['rows of planes', [1, 4096, 8], [1, 1536, 8], [undefined, 'pixels', undefined]],
    ['windows in the batch', [64, 8, 8, 8], [24, 8, 8, 8], ['pixels', undefined, undefined, undefined]],
    ['rows times channels', [512, 64], [384, 32], ['rows', 'columns']],
    ['a border cut off', [1, 3, 60, 60], [1, 3, 44, 28], [undefined, undefined, 'rows', 'columns']],
    ['more of a border cut off', [1, 3, 14, 14], [1, 3, 10, 6], [undefined, undefined, 'rows', 'columns']],
    ['most of a border cut off', [1, 3, 36, 36], [1, 3, 20, 4], [undefined, undefined, 'rows', 'columns']],
    ['the same, turned', [1, 3, 36, 36], [1, 3, 4, 20], [undefined, undefined, 'columns', 'rows']],
    ['rows of planes whose border is cut off', [3844, 8], [1380, 8], ['pixels', undefined]],
    ['nothing of an image', [64, 3, 3, 3], [64, 3, 3, 3], Array(4).fill(undefined)],
  ] as const)('tells what the axes follow: %s', (_, trained, other, followed) => {
    const growth = growthOf(trained, other);
    expect(growth.along('v')).toEqual(followed);
    expect(trained.map((__, axis) => growth.of('v', axis - trained.length))).toEqual(followed);
  });

  it('tells rows and columns apart where the image was made larger, too', () => {
    expect(growthOf([64, 64, 4096], [128, 96, 12288], [128, 96]).along('v')).toEqual([
      'rows',
      'columns',
      'pixels',
    ]);
  });

  it('takes what could not be seen at the other size for an image where it has four axes', () => {
    expect(growthOf([2, 3, 16, 16], undefined).along('v')).toEqual([undefined, undefined, 'rows', 'columns']);
    expect(growthOf([2, 3, 16, 1], undefined).along('v')).toEqual([undefined, undefined, 'rows', undefined]);
    expect(growthOf([2, 3, 16], undefined).along('v')).toEqual([undefined, undefined, undefined]);
    const sample = { size: [64, 64], values: new Map(), failure: undefined } as const;
    const shapes = new Map([
      ['image', [1, 3, 4, 8]],
      ['v', [1, 3, 32]],
    ]);
    const growth = new Growth([
      { ...sample, shapes },
      { ...sample, shapes: new Map() },
    ]);
    expect(growth.along('v')).toEqual([undefined, undefined, 'pixels']); // as many as an image has
    expect(growthOf([2, 3, 16], [2, 3, 16]).along('unknown')).toEqual([]);
  });

  it('knows pixels by the planes that there are, however few were left of these', () => {
    const shapes = (image: Shape, rows: Shape) =>
      new Map([
        ['image', image],
        ['v', rows],
      ]);
    const sample = (size: readonly [number, number], image: Shape, rows: Shape) => ({
      size,
      shapes: shapes(image, rows),
      values: new Map(),
      failure: undefined,
    });
    const follow = (...rows: readonly [Shape, Shape]) => {
      const trained = sample([80, 80], [1, 8, 5, 5], rows[0]);
      const growth = new Growth([trained, sample([60, 40], [1, 8, 4, 3], rows[1])]);
      return growth.along('v');
    };
    expect(follow([1, 8, 25], [1, 8, 12])).toEqual([undefined, undefined, 'pixels']);
    expect(follow([1, 50, 8], [1, 24, 8])).toEqual([undefined, 'pixels', undefined]); // of two images
    expect(follow([1, 8, 26], [1, 8, 13])).toEqual([undefined, undefined, 'columns']);
  });

  it('knows whole planes', () => {
    const image = growthOf([1, 3, 64, 64], [1, 3, 48, 32]);
    expect(image.takeInPlane('v', [2, 3])).toBe(true);
    expect(image.takeInPlane('v', [-1, 1, -2])).toBe(true);
    expect(image.takeInPlane('v', [1, 2])).toBe(false);
    expect(growthOf([3, 4096], [3, 1536]).takeInPlane('v', [1])).toBe(true);
    // Of two pixels a side, too little is left to tell which side it was.
    expect(growthOf([1, 3, 2, 2], [1, 3, 1, 1]).takeInPlane('v', [2, 3])).toBe(true);
  });

  it('knows planes that were turned', () => {
    expect(growthOf([1, 3, 64, 64], [1, 3, 48, 32]).arePlane('v', -2, -1)).toBe(true);
    expect(growthOf([1, 3, 64, 64], [1, 3, 32, 48]).arePlane('v', -2, -1)).toBe(false);
    const last = growthOf([1, 64, 64, 3], [1, 48, 32, 3]);
    expect([last.arePlane('v', -2, -1), last.arePlane('v', 1, 2)]).toEqual([false, true]);
  });
});
