import { Tensor } from 'onnxruntime-common';

/** A photo as networks take it: planar, in [0, 1]. */
export interface Photo {
  /** float32 of shape [1, channels, height, width], values in [0, 1]; 3 channels are sRGB, 1 is gray. */
  readonly tensor: Tensor;
  /** Bits per channel of the file it came from, kept when it is written. */
  readonly bitDepth: 8 | 16;
  /** The file's alpha channel, height × width, when it had one; networks do not see it. */
  readonly alpha?: Uint8Array | Uint16Array;
}

/** Pixels as image files have them: channels interleaved, whole numbers up to the bit depth's largest. */
export interface Pixels {
  readonly data: Uint8Array | Uint16Array;
  readonly width: number;
  readonly height: number;
  /** Values per pixel: the colours in front, alpha (when there is one) at the end. */
  readonly channels: number;
  /** 1 is gray, 3 is RGB. */
  readonly colours: number;
  readonly hasAlpha: boolean;
  readonly bitDepth: 8 | 16;
}

export function planeOf(photo: Photo): { channels: number; height: number; width: number } {
  const [, channels = 0, height = 0, width = 0] = photo.tensor.dims;
  return { channels, height, width };
}

function allocate(bitDepth: 8 | 16, length: number): Uint8Array | Uint16Array {
  return bitDepth === 16 ? new Uint16Array(length) : new Uint8Array(length);
}

export function toPhoto({ data, width, height, channels, colours, hasAlpha, bitDepth }: Pixels): Photo {
  const area = width * height;
  const largest = 2 ** bitDepth - 1;
  const planes = new Float32Array(colours * area);
  for (let channel = 0; channel < colours; channel++) {
    for (let pixel = 0; pixel < area; pixel++) {
      planes[channel * area + pixel] = (data[pixel * channels + channel] as number) / largest;
    }
  }
  const tensor = new Tensor('float32', planes, [1, colours, height, width]);
  if (!hasAlpha) return { tensor, bitDepth };
  const alpha = allocate(bitDepth, area);
  for (let pixel = 0; pixel < area; pixel++) alpha[pixel] = data[pixel * channels + channels - 1] as number;
  return { tensor, bitDepth, alpha };
}

/** Rounds to the nearest value of the bit depth; what lies outside [0, 1] is clipped. */
export function toPixels(photo: Photo): Pixels {
  const { bitDepth, alpha } = photo;
  const { channels: colours, height, width } = planeOf(photo);
  const area = width * height;
  const largest = 2 ** bitDepth - 1;
  const channels = alpha ? colours + 1 : colours;
  const planes = photo.tensor.data as Float32Array;
  const data = allocate(bitDepth, channels * area);
  for (let channel = 0; channel < colours; channel++) {
    for (let pixel = 0; pixel < area; pixel++) {
      const value = planes[channel * area + pixel] as number;
      data[pixel * channels + channel] = Math.round(Math.min(1, Math.max(0, value)) * largest);
    }
  }
  if (alpha)
    for (let pixel = 0; pixel < area; pixel++) data[pixel * channels + colours] = alpha[pixel] as number;
  return { data, width, height, channels, colours, hasAlpha: alpha !== undefined, bitDepth };
}
