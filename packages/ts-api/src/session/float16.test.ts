import { Tensor } from 'onnxruntime-common';
import { describe, expect, it } from 'vitest';
import { float16Bits, float16Value, float16Values } from '../../../../test/fixtures/float16.js';
import { float16Tensor, roundToFloat16, widenFloat16 } from './float16.js';
import { floatsOf, toImageTensor } from './image-tensors.js';

const everyHalf = Uint16Array.from({ length: 2 ** 16 }, (_, bits) => bits);

describe('float16', () => {
  it('widens every half to its value', () => {
    expect(widenFloat16(everyHalf)).toEqual(Float32Array.from(everyHalf, float16Value));
  });

  it('rounds to the nearest half, of two to the even one', () => {
    const finite = Float32Array.from(everyHalf, float16Value).filter(Number.isFinite);
    const float = new Float32Array(1);
    const bits = new Uint32Array(float.buffer);
    const beside = (value: number, step: number) => {
      float[0] = value;
      bits[0] = (bits[0] as number) + step;
      return float[0];
    };
    // Half way to the next half away from zero, and the float32 values around that.
    const midpoints = Array.from(finite, (value, i) => {
      const next = finite[i + 1] ?? 65536;
      const middle = Math.sign(next) === Math.sign(value) ? (value + next) / 2 : 2 ** -25;
      return [middle, beside(middle, 1), beside(middle, -1)];
    }).flat();
    const values = Float32Array.from([
      ...finite,
      ...midpoints,
      ...[65519.996, 65520, -65520, 1e30, 2 ** -25, 2 ** -26, 1e-40, -1e-40, 0, -0],
      ...[Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
    ]);
    expect(roundToFloat16(values)).toEqual(Uint16Array.from(values, float16Bits));
  });

  it('makes tensors of either type and reads them back', async () => {
    const values = Float32Array.of(0.1, -2, 70000);
    const rounded = Float32Array.from(values, (value) => float16Value(float16Bits(value)));
    const half = await toImageTensor('float16', values, [3]);
    expect(half).toMatchObject({ type: 'float16', dims: [3] });
    expect(float16Values(half.data)).toEqual(rounded);
    expect(await floatsOf(half)).toEqual(rounded);
    const single = await toImageTensor('float32', values, [3]);
    expect(single.data).toBe(values);
    expect(await floatsOf(single)).toBe(values);
    expect(await floatsOf(new Tensor('int32', [1], [1]))).toBeUndefined();
  });

  it('keeps to a part of a larger buffer', async () => {
    const larger = Uint16Array.of(0, 0x3c00, 0x4000, 0);
    expect(await floatsOf(float16Tensor(larger.subarray(1, 3), [2]))).toEqual(Float32Array.of(1, 2));
  });
});
