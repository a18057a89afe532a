// What the global statistics of generated networks become, by their definition.
import { windowMeans } from '../reference.js';
import { countOf, type Values, values } from './operators.js';

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
type Definition = (inputs: readonly Values[], window: Window, numbers: Numbers) => Value;

function fieldOf(means: Values, keepdims: boolean): PixelField {
  const [batch = 0, channels = 0, height = 0, width = 0] = means.dims;
  const pixels = Array.from({ length: height * width }, (_, pixel) => pixelOf(means, pixel));
  const flat = pixels.map(({ data }) => ({ dims: [batch, channels], data }));
  return { plane: [height, width], pixels: keepdims ? pixels : flat };
}

/**
 * By kind of statistic: what its output is, of the values of its inputs, of which the first is the image that the window slides over.
 * A block names the kind and the output; what nodes it writes for it does not matter here.
 */
export const definitions: Readonly<Record<string, Definition>> = {
  mean: ([x = values([], [])], window, { keepdims = 1 }) =>
    fieldOf({ dims: x.dims, data: windowMeans(x, window) }, keepdims === 1),

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
};
