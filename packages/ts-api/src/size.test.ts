import { describe, expect, it } from 'vitest';
import { toSize } from './size.js';

describe('toSize', () => {
  it('takes a side for both, or height and width', () => {
    expect(toSize(64, 'trainSize')).toEqual([64, 64]);
    expect(toSize([80, 112], 'trainSize')).toEqual([80, 112]);
  });

  it.each([0, -1, 1.5, Number.NaN, 65537, '64', [64], [64, 0], [1, 2, 3], null, undefined])(
    'refuses %j',
    (value) => {
      expect(() => toSize(value, 'trainSize')).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', parameter: 'trainSize' }),
      );
    },
  );
});
