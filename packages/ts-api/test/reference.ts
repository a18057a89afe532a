// The local operators as plain float64 loops, straight from their definition.
import { Tensor } from 'onnxruntime-common';

export function noise(dims: readonly number[], seed = 1): Tensor {
  const data = new Float32Array(dims.reduce((product, side) => product * side, 1));
  for (let i = 0; i < data.length; i++)
    data[i] = Math.sin((i + seed) * 12.9898) * 0.5 + Math.cos(i * 0.01) * 0.3;
  return new Tensor('float32', data, dims);
}

type Window = readonly [height: number, width: number];

/** First row or column of the window that output `at` takes its value from. */
function windowStart(at: number, kernel: number, length: number): number {
  return Math.min(Math.max(at - Math.floor((kernel - 1) / 2), 0), length - kernel);
}

/** The mean of `value` over the window around each pixel, replicate-padded. */
export function windowMeans(
  { data, dims }: Tensor,
  window: Window,
  value: (x: number) => number = (x) => x,
): Float64Array {
  const [batch = 0, count = 0, height = 0, width = 0] = dims;
  const [kh, kw] = [Math.min(window[0], height), Math.min(window[1], width)];
  const means = new Float64Array(data.length);
  for (let plane = 0; plane < batch * count; plane++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const [top, left] = [windowStart(y, kh, height), windowStart(x, kw, width)];
        let sum = 0;
        for (let row = top; row < top + kh; row++) {
          for (let column = left; column < left + kw; column++)
            sum += value(data[(plane * height + row) * width + column] as number);
        }
        means[(plane * height + y) * width + x] = sum / (kh * kw);
      }
    }
  }
  return means;
}

export function localInstanceNorm(
  x: Tensor,
  scale: readonly number[],
  bias: readonly number[],
  window: Window,
  epsilon: number,
): Float64Array {
  const [, count = 1, height = 1, width = 1] = x.dims;
  const means = windowMeans(x, window);
  const squares = windowMeans(x, window, (value) => value * value);
  return Float64Array.from(x.data as Float32Array, (value, i) => {
    const channel = Math.floor(i / (height * width)) % count;
    const mean = means[i] as number;
    const variance = Math.max(0, (squares[i] as number) - mean * mean);
    return (
      ((value - mean) / Math.sqrt(variance + epsilon)) * (scale[channel] as number) +
      (bias[channel] as number)
    );
  });
}

export function largestDifference(values: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (values.length !== expected.length) return Number.NaN;
  let largest = 0;
  for (let i = 0; i < values.length; i++) {
    const distance = Math.abs((values[i] as number) - (expected[i] as number));
    if (!(distance <= largest)) largest = distance;
  }
  return largest;
}
