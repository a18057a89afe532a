import type { Photo } from '@tlsc/api';

/** Values of an image, 0 for black and 1 for white, plane by plane. */
export interface Planes {
  readonly data: Float32Array | Float64Array;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

export function planesOf({ tensor }: Pick<Photo, 'tensor'>): Planes {
  const [, channels = 0, height = 0, width = 0] = tensor.dims;
  return { data: tensor.data as Float32Array, channels, height, width };
}

/** Clipped to what a file can hold, and rounded to the steps of its bit depth, if any. */
export function asInFile({ data, ...sides }: Planes, bitDepth: number | undefined): Planes {
  const steps = bitDepth === undefined ? undefined : 2 ** bitDepth - 1;
  const values = new Float64Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const clipped = Math.min(1, Math.max(0, data[i] as number));
    values[i] = steps === undefined ? clipped : Math.round(clipped * steps) / steps;
  }
  return { data: values, ...sides };
}

/** Without so many pixels along each border. */
export function shaved({ data, channels, height, width }: Planes, border: number): Planes {
  if (border === 0) return { data, channels, height, width };
  const [rows, columns] = [height - 2 * border, width - 2 * border];
  const values = new Float64Array(channels * rows * columns);
  for (let row = 0; row < channels * rows; row++) {
    const from = (Math.floor(row / rows) * height + border + (row % rows)) * width + border;
    values.set(data.subarray(from, from + columns), row * columns);
  }
  return { data: values, channels, height: rows, width: columns };
}

/** Of ITU-R BT.601 in studio range, as MATLAB's rgb2ycbcr has it: 16 to 235 of 255. */
const luma = [65.481 / 255, 128.553 / 255, 24.966 / 255] as const;
const black = 16 / 255;

/** The luma of an image of three colours; one of gray as it is. */
export function lumaOf({ data, channels, height, width }: Planes): Planes {
  if (channels !== 3) return { data, channels, height, width };
  const area = height * width;
  const [red, green, blue] = luma;
  const values = new Float64Array(area);
  for (let i = 0; i < area; i++)
    values[i] =
      black +
      red * (data[i] as number) +
      green * (data[i + area] as number) +
      blue * (data[i + 2 * area] as number);
  return { data: values, channels: 1, height, width };
}
