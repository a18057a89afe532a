import { describe, expect, it } from 'vitest';
import { channelsFirst, channelsLast, layoutOf } from './image-layout.js';

describe('layoutOf', () => {
  it.each([
    [[1, 3, 256, 256]],
    [['n', 3, 'h', 'w']],
    [['n', 64, 'h', 'w']],
    [[1, 3, 'h', 3]],
    [['n', 'c', 'h', 'w']],
    [['', '', '', '']],
    [[1, 64, 32, 32]],
    [[1, 1, 4, 4]],
  ])('takes %j for images with their channels first', (shape) => {
    expect(layoutOf(shape)).toBe(channelsFirst);
  });

  it.each([
    [[1, 256, 256, 3]],
    [['n', 'h', 'w', 3]],
    [['', '', '', 64]],
    [[1, 64, 32, 1]],
    [['n', 'h', 'w', 1]],
    [[1, 'h', 'w', 32]],
  ])('takes %j for images with their channels last', (shape) => {
    expect(layoutOf(shape)).toBe(channelsLast);
  });
});
