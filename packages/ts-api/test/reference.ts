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

/** The mean of the window at each of its positions within the planes: (H-kh'+1) × (W-kw'+1) of them. */
export function validMeans({ data, dims }: Tensor, window: Window): Tensor {
  const [batch = 0, count = 0, height = 0, width = 0] = dims;
  const [kh, kw] = [Math.min(window[0], height), Math.min(window[1], width)];
  const shape = [batch, count, height - kh + 1, width - kw + 1] as const;
  const means: number[] = [];
  for (let plane = 0; plane < batch * count; plane++) {
    for (let y = 0; y < shape[2]; y++) {
      for (let x = 0; x < shape[3]; x++) {
        let sum = 0;
        for (let row = y; row < y + kh; row++) {
          for (let column = x; column < x + kw; column++)
            sum += data[(plane * height + row) * width + column] as number;
        }
        means.push(sum / (kh * kw));
      }
    }
  }
  return new Tensor('float32', Float32Array.from(means), shape);
}

/** X times S, whose first and last rows and columns are repeated out to the size of X; N and C broadcast. */
export function replicateScale(x: Tensor, s: Tensor): Float64Array {
  const [batch, count] = [0, 1].map((axis) => Math.max(x.dims[axis] as number, s.dims[axis] as number));
  const [height = 0, width = 0] = x.dims.slice(2);
  const at = ({ data, dims }: Tensor, n: number, c: number, row: number, column: number) => {
    const plane = (dims[0] === 1 ? 0 : n) * (dims[1] as number) + (dims[1] === 1 ? 0 : c);
    return data[(plane * (dims[2] as number) + row) * (dims[3] as number) + column] as number;
  };
  const position = (axis: 2 | 3, pixel: number) => {
    const [outer, inner] = [x.dims[axis] as number, s.dims[axis] as number];
    return Math.min(Math.max(pixel - Math.floor((outer - inner) / 2), 0), inner - 1);
  };
  const y: number[] = [];
  for (let n = 0; n < (batch ?? 0); n++) {
    for (let c = 0; c < (count ?? 0); c++) {
      for (let row = 0; row < height; row++) {
        for (let column = 0; column < width; column++)
          y.push(at(x, n, c, row, column) * at(s, n, c, position(2, row), position(3, column)));
      }
    }
  }
  return Float64Array.from(y);
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
