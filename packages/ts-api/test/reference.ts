// The local operators as plain float64 loops, straight from their definition.
import { Tensor } from 'onnxruntime-common';

export function noise(dims: readonly number[], seed = 1): Tensor {
  const data = new Float32Array(dims.reduce((product, side) => product * side, 1));
  for (let i = 0; i < data.length; i++)
    data[i] = Math.sin((i + seed) * 12.9898) * 0.5 + Math.cos(i * 0.01) * 0.3;
  return new Tensor('float32', data, dims);
}

type Window = readonly [height: number, width: number];

export interface WindowOptions {
  /** Fast mode. */
  readonly maxStride?: Window;
  readonly replicate?: boolean;
}

/** For each output along an axis the rows or columns that its window holds. */
function windowsAlong(length: number, kernel: number, replicate: boolean): number[][] {
  const k = Math.min(kernel, length);
  const starts = Array.from({ length: length - k + 1 }, (_, start) => start);
  const windows = starts.map((start) => Array.from({ length: k }, (_, i) => start + i));
  return replicate ? padded(windows, length) : windows;
}

/** The same in fast mode, step by step as published. */
function fastWindowsAlong(length: number, kernel: number, maxStride: number, replicate: boolean): number[][] {
  const r = Math.min(maxStride, [5, 4, 3, 2, 1].find((divisor) => length % divisor === 0) ?? 1);
  const samples = Array.from({ length: Math.ceil(length / r) }, (_, i) => i * r);
  const k = Math.min(samples.length - 1, Math.floor(kernel / r));
  const windows = samples.slice(0, samples.length - k).map((_, i) => samples.slice(i + 1, i + 1 + k));
  const repeated = windows.flatMap((window) => Array.from({ length: r }, () => window));
  return replicate ? padded(repeated, length) : repeated;
}

function padded<T>(values: readonly T[], length: number): T[] {
  const front = Math.floor((length - values.length) / 2);
  const at = (i: number) => values[Math.min(Math.max(i - front, 0), values.length - 1)] as T;
  return Array.from({ length }, (_, i) => at(i));
}

/** The mean of `value` over the window around each pixel, replicate-padded if not told otherwise. */
export function windowMeans(
  { data, dims }: Pick<Tensor, 'data' | 'dims'>,
  window: Window,
  value: (x: number) => number = (x) => x,
  { maxStride, replicate = true }: WindowOptions = {},
): Float64Array {
  const [batch = 0, count = 0, height = 0, width = 0] = dims;
  const fast = maxStride && (window[0] < height || window[1] < width) ? maxStride : undefined;
  const along = (length: number, axis: 0 | 1) =>
    fast
      ? fastWindowsAlong(length, window[axis], fast[axis], replicate)
      : windowsAlong(length, window[axis], replicate);
  const given = Float64Array.from(data as ArrayLike<number>, value);
  const [rowsOf, columnsOf] = [along(height, 0), along(width, 1)];
  const means: number[] = [];
  for (let plane = 0; plane < batch * count; plane++) {
    for (const rows of rowsOf) {
      for (const columns of columnsOf) {
        let sum = 0;
        for (const row of rows) {
          for (const column of columns) sum += given[(plane * height + row) * width + column] as number;
        }
        means.push(sum / (rows.length * columns.length));
      }
    }
  }
  return Float64Array.from(means);
}

/** The mean of the window at each of its positions within the planes: (H-kh'+1) × (W-kw'+1) of them. */
export function validMeans(x: Tensor, window: Window): Tensor {
  const [batch = 0, count = 0, height = 0, width = 0] = x.dims;
  const sides = [height - Math.min(window[0], height) + 1, width - Math.min(window[1], width) + 1];
  const means = windowMeans(x, window, undefined, { replicate: false });
  return new Tensor('float32', Float32Array.from(means), [batch, count, ...sides]);
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

/** Where the windows that cover an axis begin: the published loop. */
function tilesAlong(length: number, kernel: number): number[] {
  const window = Math.min(kernel, length);
  const count = Math.ceil(length / window);
  const step = count === 1 ? window : Math.ceil((length - window) / (count - 1));
  const starts: number[] = [];
  for (let start = 0; start + window < length; start += step) starts.push(start);
  return [...starts, length - window];
}

/** The pixels of the windows of x, [N, C, H, W], as offsets into its data, in the order of [N·R·Q, C, kh', kw']. */
export function windowPixels(dims: readonly number[], window: Window): number[] {
  const [batch = 0, count = 0, height = 0, width = 0] = dims;
  const pixels: number[] = [];
  for (let n = 0; n < batch; n++) {
    for (const top of tilesAlong(height, window[0])) {
      for (const left of tilesAlong(width, window[1])) {
        for (let c = 0; c < count; c++) {
          for (let row = top; row < top + Math.min(window[0], height); row++) {
            for (let column = left; column < left + Math.min(window[1], width); column++)
              pixels.push(((n * count + c) * height + row) * width + column);
          }
        }
      }
    }
  }
  return pixels;
}

/** The windows that cover the planes of x, as images of their own: [N·R·Q, C, kh', kw']. */
export function windowPartition({ data, dims }: Tensor, window: Window): Tensor {
  const [, count = 0, height = 0, width = 0] = dims;
  const sides = [Math.min(window[0], height), Math.min(window[1], width)] as const;
  const values = Float32Array.from(windowPixels(dims, window), (pixel) => data[pixel] as number);
  const images = values.length / (count * sides[0] * sides[1]);
  return new Tensor('float32', values, [images, count, ...sides]);
}

/** An image of these dimensions, each pixel the mean of what the windows that hold it have there. */
export function windowMerge(
  { data, dims: [, , height = 0, width = 0] }: Pick<Tensor, 'data' | 'dims'>,
  dims: readonly number[],
): Float64Array {
  const size = dims.reduce((product, side) => product * side, 1);
  const [sums, counts] = [new Float64Array(size), new Float64Array(size)];
  windowPixels(dims, [height, width]).forEach((pixel, i) => {
    sums[pixel] = (sums[pixel] as number) + (data[i] as number);
    counts[pixel] = (counts[pixel] as number) + 1;
  });
  return sums.map((sum, pixel) => sum / (counts[pixel] as number));
}

export interface AttentionOptions {
  readonly heads: number;
  readonly normalized: boolean;
  readonly temperature: number;
}

/**
 * Attention between the channels of each image: softmax(q · kᵀ · temperature) · v, head by head, rows being channels and columns
 * pixels; the rows of q and k L2-normalised or not.
 */
export function channelAttention(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions): Tensor {
  const { heads, normalized, temperature } = options;
  const [batch = 0, channels = 0, height = 0, width = 0] = v.dims;
  const [pixels, perHead] = [height * width, channels / heads];
  const y = new Float32Array(v.data.length);
  const row = ({ data }: Tensor, index: number) =>
    Array.from(data.slice(index * pixels, (index + 1) * pixels) as Float32Array);
  const dot = (a: readonly number[], b: readonly number[]) =>
    a.reduce((sum, value, i) => sum + value * (b[i] as number), 0);
  const unit = (values: readonly number[]) => {
    const length = normalized ? Math.sqrt(dot(values, values)) : 1;
    return values.map((value) => value / length);
  };
  for (let head = 0; head < batch * heads; head++) {
    const rows = Array.from({ length: perHead }, (_, i) => head * perHead + i);
    const keys = rows.map((index) => unit(row(k, index)));
    for (const index of rows) {
      const scores = keys.map((key) => Math.exp(dot(unit(row(q, index)), key) * temperature));
      const total = scores.reduce((sum, score) => sum + score, 0);
      rows.forEach((other, i) => {
        row(v, other).forEach((value, pixel) => {
          y[index * pixels + pixel] =
            (y[index * pixels + pixel] as number) + (value * (scores[i] as number)) / total;
        });
      });
    }
  }
  return new Tensor('float32', y, v.dims);
}

/** The same of images that hold queries, keys and values, in windows: the mean of what they make of a pixel. One temperature for each head. */
export function localChannelAttention(
  x: Tensor,
  temperatures: readonly number[],
  window: Window,
): Float64Array {
  const [batch = 0, all = 0, height = 0, width = 0] = x.dims;
  const [channels, plane] = [all / 3, height * width];
  const share = channels / temperatures.length;
  const y = new Float64Array(batch * channels * plane);
  temperatures.forEach((temperature, head) => {
    // The channels of one head, of queries, keys or values.
    const part = (which: number) => {
      const images = Array.from({ length: batch }, (_, n) => {
        const first = (n * all + which * channels + head * share) * plane;
        return (x.data as Float32Array).slice(first, first + share * plane);
      });
      const data = Float32Array.from(images.flatMap((values) => [...values]));
      return windowPartition(new Tensor('float32', data, [batch, share, height, width]), window);
    };
    const options = { heads: 1, normalized: true, temperature };
    const windows = channelAttention(part(0), part(1), part(2), options);
    const merged = windowMerge(windows, [batch, share, height, width]);
    merged.forEach((value, i) => {
      const [n, rest] = [Math.floor(i / (share * plane)), i % (share * plane)];
      y[(n * channels + head * share) * plane + rest] = value;
    });
  });
  return y;
}

export function localInstanceNorm(
  x: Tensor,
  scale: readonly number[],
  bias: readonly number[],
  window: Window,
  epsilon: number,
  options: WindowOptions = {},
): Float64Array {
  const [, count = 1, height = 1, width = 1] = x.dims;
  const means = windowMeans(x, window, undefined, options);
  const squares = windowMeans(x, window, (value) => value * value, options);
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

/** A pixel of one channel of one image. */
export type Position = readonly [image: number, channel: number, row: number, column: number];

export interface GroupWindow {
  /** Of channels, over which a window goes through all planes together. */
  readonly groups: number;
  readonly window: Window;
}

/** The value at a position less the mean of its window in all channels of its group, over the deviation in it; in two passes. */
export function normalizedAt(
  { data, dims }: Tensor,
  [image, channel, row, column]: Position,
  { groups, window }: GroupWindow,
  epsilon: number,
): number {
  const [, count = 1, height = 1, width = 1] = dims;
  const first = (pixel: number, length: number, kernel: number) => {
    const side = Math.min(kernel, length);
    return Math.min(Math.max(pixel - Math.floor((side - 1) / 2), 0), length - side);
  };
  const [top, left] = [first(row, height, window[0]), first(column, width, window[1])];
  const [bottom, right] = [Math.min(top + window[0], height), Math.min(left + window[1], width)];
  const members = count / groups;
  const from = Math.floor(channel / members) * members;
  const at = (c: number, i: number, j: number) =>
    data[((image * count + c) * height + i) * width + j] as number;
  const meanOf = (value: (x: number) => number) => {
    let sum = 0;
    for (let c = from; c < from + members; c++) {
      for (let i = top; i < bottom; i++) {
        for (let j = left; j < right; j++) sum += value(at(c, i, j));
      }
    }
    return sum / (members * (bottom - top) * (right - left));
  };
  const mean = meanOf((x) => x);
  const variance = meanOf((x) => (x - mean) ** 2);
  return (at(channel, row, column) - mean) / Math.sqrt(variance + epsilon);
}

export function localGroupNorm(
  x: Tensor,
  scale: readonly number[],
  bias: readonly number[],
  window: GroupWindow,
  epsilon: number,
): Float64Array {
  const [, count = 1, height = 1, width = 1] = x.dims;
  return Float64Array.from(x.data as Float32Array, (_, i) => {
    const [plane, row] = [Math.floor(i / (height * width)), Math.floor(i / width) % height];
    const channel = plane % count;
    const normalized = normalizedAt(x, [Math.floor(plane / count), channel, row, i % width], window, epsilon);
    return normalized * (scale[channel] as number) + (bias[channel] as number);
  });
}

export function largestDifference(values: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (values.length !== expected.length) return Number.NaN;
  let largest = 0;
  for (let i = 0; i < values.length; i++) {
    const distance = Math.abs((values[i] as number) - (expected[i] as number));
    largest = Math.max(largest, distance); // which keeps a NaN
  }
  return largest;
}

/** Each pixel normalized by the mean and variance of its channels; `bias` undefined: the mean is not taken off. */
export function channelNorm(
  x: Tensor,
  scale: readonly number[],
  bias: readonly number[] | undefined,
  epsilon: number,
): Float64Array {
  const [, channels = 0, height = 0, width = 0] = x.dims;
  const plane = height * width;
  const data = x.data as Float32Array;
  const normalized = new Float64Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const channel = Math.floor(i / plane) % channels;
    const pixel = Array.from({ length: channels }, (_, c) => data[i + (c - channel) * plane] as number);
    const mean = pixel.reduce((sum, value) => sum + value, 0) / channels;
    const variance = pixel.reduce((sum, value) => sum + (value - mean) ** 2, 0) / channels;
    const numerator = (data[i] as number) - (bias ? mean : 0);
    normalized[i] =
      (numerator / Math.sqrt(variance + epsilon)) * (scale[channel] as number) + (bias?.[channel] ?? 0);
  }
  return normalized;
}

/** Each channel convolved with its own 3 × 3 weights, zeros around it. */
export function depthwise(x: Tensor, weights: Tensor, bias: readonly number[]): Float64Array {
  const [, channels = 0, height = 0, width = 0] = x.dims;
  const [data, w] = [x.data as Float32Array, weights.data as Float32Array];
  const at = (plane: number, row: number, column: number) =>
    row < 0 || row >= height || column < 0 || column >= width
      ? 0
      : (data[(plane * height + row) * width + column] as number);
  return Float64Array.from(data, (_, i) => {
    const [column, row, plane] = [i % width, Math.floor(i / width) % height, Math.floor(i / width / height)];
    let sum = bias[plane % channels] as number;
    for (let k = 0; k < 9; k++)
      sum +=
        (w[9 * (plane % channels) + k] as number) *
        at(plane, row + Math.floor(k / 3) - 1, column + (k % 3) - 1);
    return sum;
  });
}

/** The halves of the channels of N×C×H×W values, of the first `activation` of it, multiplied. */
export function gated(
  values: Float64Array,
  [batch = 0, ...image]: readonly number[],
  activation: (value: number) => number,
): Float64Array {
  const half = image.reduce((product, side) => product * side, 1) / 2;
  return Float64Array.from({ length: batch * half }, (_, i) => {
    const first = Math.floor(i / half) * 2 * half + (i % half);
    return activation(values[first] as number) * (values[first + half] as number);
  });
}

/** Each pixel's channels, N×C×H×W, by weights [K, C]. */
export function pointwise(
  values: Float64Array | Float32Array,
  dims: readonly number[],
  weights: readonly number[],
  bias: readonly number[],
): Float64Array {
  const [batch = 0, channels = 0, height = 0, width = 0] = dims;
  const plane = height * width;
  return Float64Array.from({ length: batch * bias.length * plane }, (_, i) => {
    const output = Math.floor(i / plane) % bias.length;
    const pixel = Math.floor(i / plane / bias.length) * channels * plane + (i % plane);
    let sum = bias[output] as number;
    for (let c = 0; c < channels; c++)
      sum += (weights[output * channels + c] as number) * (values[pixel + c * plane] as number);
    return sum;
  });
}
