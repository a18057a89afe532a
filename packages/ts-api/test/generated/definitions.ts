// What the global statistics of generated networks become, by their definition.
import { windowMeans, windowMerge, windowPixels } from '../reference.js';
import { countOf, matrixProduct, transposed, type Values, values } from './operators.js';

/**
 * What a network computes of a local statistic: no longer one tensor, but one for each pixel of the plane, each of which is what
 * the network would compute if that pixel's window were its whole image. All that follows until it meets an image is done
 * pixel by pixel, with the operators as they are.
 */
export interface PixelField {
  readonly plane: readonly [number, number];
  /** In the order of the plane's rows. */
  readonly pixels: readonly Values[];
}

export type Value = Values | PixelField;

export function isField(value: Value | undefined): value is PixelField {
  return value !== undefined && 'pixels' in value;
}

export function planeOf({ dims }: Values): [number, number] {
  return [dims[2] as number, dims[3] as number];
}

/** [N, C, 1, 1] of one pixel of an image. */
export function pixelOf({ dims, data }: Values, pixel: number): Values {
  const [batch = 0, channels = 0, height = 0, width = 0] = dims;
  const planes = Array.from({ length: batch * channels }, (_, plane) => plane * height * width);
  return values(
    [batch, channels, 1, 1],
    planes.map((start) => data[start + pixel] as number),
  );
}

/** The image that has these pixels, each [N, C, 1, 1]. */
export function imageOf({ plane, pixels }: PixelField): Values {
  const [batch = 0, channels = 0] = pixels[0]?.dims ?? [];
  const dims = [batch, channels, ...plane];
  const data = new Float64Array(countOf(dims));
  pixels.forEach((one, pixel) => {
    one.data.forEach((value, i) => {
      data[i * pixels.length + pixel] = value;
    });
  });
  return { dims, data };
}

export interface Numbers {
  readonly [name: string]: number;
}

type Window = readonly [number, number];
/** What rounding does to the numbers that a step computes. */
export type Round = (data: Float64Array) => Float64Array;
type Definition = (inputs: readonly Values[], window: Window, numbers: Numbers, round: Round) => Value;

/** `keepdims`: 0 drops height and width, 1 leaves them behind the channels, 2 before them. */
function fieldOf(means: Values, keepdims: number): PixelField {
  const [batch = 0, channels = 0, height = 0, width = 0] = means.dims;
  const dims =
    [
      [batch, channels],
      [batch, channels, 1, 1],
      [batch, 1, 1, channels],
    ][keepdims] ?? [];
  const pixels = Array.from({ length: height * width }, (_, pixel) => ({
    dims,
    data: pixelOf(means, pixel).data,
  }));
  return { plane: [height, width], pixels };
}

/** The mean of the planes of each group, in the place of each of them. */
function meanOfGroups(
  data: Float64Array,
  [, channels = 1, height = 1, width = 1]: readonly number[],
  groups: number,
) {
  const [members, pixels] = [channels / groups, height * width];
  return data.map((_, i) => {
    const from = Math.floor(i / (members * pixels)) * members * pixels + (i % pixels);
    let sum = 0;
    for (let member = 0; member < members; member++) sum += data[from + member * pixels] as number;
    return sum / members;
  });
}

const square = (value: number) => value * value;

/** Each row of a matrix over its length, or over `epsilon` where that is more. */
function unitRows(rows: Values, epsilon: number, round: Round): Values {
  const [count = 0, pixels = 0] = rows.dims;
  const squares = round(
    Float64Array.from({ length: count }, (_, row) =>
      rows.data.subarray(row * pixels, (row + 1) * pixels).reduce((sum, value) => sum + square(value), 0),
    ),
  );
  const lengths = round(squares.map((sum) => Math.max(Math.sqrt(sum), epsilon)));
  return {
    dims: rows.dims,
    data: round(rows.data.map((value, i) => value / (lengths[Math.floor(i / pixels)] || 1))),
  };
}

function softmaxRows(scores: Values, round: Round): Values {
  const [, side = 1] = scores.dims;
  const largest = (i: number) => Math.max(...scores.data.subarray(i - (i % side), i - (i % side) + side));
  const powers = round(scores.data.map((score, i) => Math.exp(score - largest(i))));
  const total = (i: number) =>
    powers.subarray(i - (i % side), i - (i % side) + side).reduce((sum, power) => sum + power, 0);
  return { dims: scores.dims, data: round(powers.map((power, i) => power / total(i))) };
}

/** Of one head: rows of q, k and v are channels, their columns pixels. */
function attendHead(
  [q, k, v]: readonly [Values, Values, Values],
  { normalized = 0, epsilon = 0, temperature = 1 }: Numbers,
  round: Round,
): Float64Array {
  const [queries, keys] = normalized ? [unitRows(q, epsilon, round), unitRows(k, epsilon, round)] : [q, k];
  const products = matrixProduct(queries, transposed(keys));
  const scores = round(round(products.data).map((product) => product * temperature));
  return round(matrixProduct(softmaxRows({ dims: products.dims, data: scores }, round), v).data);
}

/**
 * By kind of statistic: what its output is, of the values of its inputs, of which the first is the image that the window slides over.
 * A block names the kind and the output; what nodes it writes for it does not matter here.
 */
export const definitions: Readonly<Record<string, Definition>> = {
  mean: ([x = values([], [])], window, { keepdims = 1 }) =>
    fieldOf({ dims: x.dims, data: windowMeans(x, window) }, keepdims),

  variance: ([x = values([], [])], window) => {
    const means = windowMeans(x, window);
    const data = windowMeans(x, window, square).map((mean, i) => mean - square(means[i] as number));
    return fieldOf({ dims: x.dims, data: data.map((value) => Math.max(value, 0)) }, 1);
  },

  'instance-normalization': ([x = values([], []), scale, bias], window, { epsilon = 0 }) => {
    const means = windowMeans(x, window);
    const squares = windowMeans(x, window, (value) => value * value);
    const [, channels = 1, height = 1, width = 1] = x.dims;
    const data = x.data.map((value, i) => {
      const channel = Math.floor(i / (height * width)) % channels;
      const mean = means[i] as number;
      const variance = Math.max(0, (squares[i] as number) - mean * mean);
      return (
        ((value - mean) / Math.sqrt(variance + epsilon)) * (scale?.data[channel] as number) +
        (bias?.data[channel] as number)
      );
    });
    return { dims: x.dims, data };
  },

  'group-normalization': ([x = values([], []), scale, bias], window, { epsilon = 0, groups = 1 }) => {
    const means = meanOfGroups(windowMeans(x, window), x.dims, groups);
    const squares = meanOfGroups(windowMeans(x, window, square), x.dims, groups);
    const [, channels = 1, height = 1, width = 1] = x.dims;
    const data = x.data.map((value, i) => {
      const channel = Math.floor(i / (height * width)) % channels;
      // Parameters go by channel, or by group.
      const of = ({ data: list }: Values) => list[Math.floor((channel * list.length) / channels)] as number;
      const mean = means[i] as number;
      const variance = Math.max(0, (squares[i] as number) - mean * mean);
      return ((value - mean) / Math.sqrt(variance + epsilon)) * of(scale as Values) + of(bias as Values);
    });
    return { dims: x.dims, data };
  },

  /** Queries, keys and values are images, the temperature is one number, or one per head. */
  'channel-attention': ([q, k, v, temperature], window, numbers, round) => {
    const images = [q, k, v] as readonly [Values, Values, Values];
    const [, channels = 1, height = 1, width = 1] = images[0].dims;
    const { heads = 1 } = numbers;
    const sides = [Math.min(window[0], height), Math.min(window[1], width)] as const;
    const [perHead, pixels] = [channels / heads, sides[0] * sides[1]];
    const windows = images.map(({ dims, data }) =>
      Float64Array.from(windowPixels(dims, window), (pixel) => data[pixel] as number),
    );
    const attended = new Float64Array(windows[0]?.length ?? 0);
    for (let head = 0; head * perHead * pixels < attended.length; head++) {
      const [from, to] = [head * perHead * pixels, (head + 1) * perHead * pixels];
      const rows = windows.map((data) => ({ dims: [perHead, pixels], data: data.subarray(from, to) }));
      const list = temperature?.data ?? [1];
      const own = { ...numbers, temperature: list[head % list.length] as number };
      attended.set(attendHead(rows as unknown as [Values, Values, Values], own, round), from);
    }
    const data = windowMerge({ data: attended, dims: [0, channels, ...sides] }, images[0].dims);
    return { dims: images[0].dims, data };
  },
};
