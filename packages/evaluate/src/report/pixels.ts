import type { Planes } from '../metrics/planes.js';
import type { Region } from './regions.js';

/** An image of 8 bits, pixel by pixel. */
export interface Pixels {
  readonly data: Uint8Array;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** Of an image, or of a region of it. */
export function pixelsOf({ data, channels, height, width }: Planes, region?: Region): Pixels {
  const { top, left, height: rows, width: columns } = region ?? { top: 0, left: 0, height, width };
  const area = height * width;
  const bytes = new Uint8Array(rows * columns * channels);
  let to = 0;
  for (let y = top; y < top + rows; y++)
    for (let x = left; x < left + columns; x++)
      for (let c = 0; c < channels; c++) {
        const value = data[c * area + y * width + x] as number;
        bytes[to++] = Math.round(255 * Math.min(1, Math.max(0, value)));
      }
  return { data: bytes, channels, height: rows, width: columns };
}
