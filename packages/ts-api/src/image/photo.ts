import { Tensor } from 'onnxruntime-common';
import { inSlices } from './slices.js';

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

/** libvips' name of the colour space that pixels are written in. */
export function colourspaceOf(colours: number, bitDepth: 8 | 16): string {
  if (bitDepth === 16) return colours === 1 ? 'grey16' : 'rgb16';
  return colours === 1 ? 'b-w' : 'srgb';
}

/** libvips' name of the type of a sample. */
export function sampleTypeOf(bitDepth: 8 | 16): 'uchar' | 'ushort' {
  return bitDepth === 16 ? 'ushort' : 'uchar';
}

/** The samples in the bytes of raw pixels. */
export function samplesIn(bytes: Uint8Array, bitDepth: 8 | 16): Uint8Array | Uint16Array {
  return bitDepth === 16 ? new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2) : bytes;
}

export async function toPhoto(pixels: Pixels, signal?: AbortSignal): Promise<Photo> {
  const { data, width, height, channels, colours, hasAlpha, bitDepth } = pixels;
  const area = width * height;
  const largest = 2 ** bitDepth - 1;
  const planes = new Float32Array(colours * area);
  const alpha = hasAlpha ? allocate(bitDepth, area) : undefined;
  await inSlices(
    area,
    (begin, end) => {
      for (let channel = 0; channel < colours; channel++) {
        let from = begin * channels + channel;
        for (let to = channel * area + begin; to < channel * area + end; to++, from += channels) {
          planes[to] = (data[from] as number) / largest;
        }
      }
      if (alpha) for (let i = begin; i < end; i++) alpha[i] = data[i * channels + channels - 1] as number;
    },
    signal,
  );
  const tensor = new Tensor('float32', planes, [1, colours, height, width]);
  return alpha ? { tensor, bitDepth, alpha } : { tensor, bitDepth };
}

/** Rounds to the nearest value of the bit depth; what lies outside [0, 1] is clipped. */
export async function toPixels(photo: Photo, signal?: AbortSignal): Promise<Pixels> {
  const { bitDepth, alpha } = photo;
  const { channels: colours, height, width } = planeOf(photo);
  const area = width * height;
  const largest = 2 ** bitDepth - 1;
  const channels = alpha ? colours + 1 : colours;
  const planes = photo.tensor.data as Float32Array;
  const data = allocate(bitDepth, channels * area);
  await inSlices(
    area,
    (begin, end) => {
      for (let channel = 0; channel < colours; channel++) {
        let to = begin * channels + channel;
        for (let from = channel * area + begin; from < channel * area + end; from++, to += channels) {
          data[to] = Math.round(Math.min(1, Math.max(0, planes[from] as number)) * largest);
        }
      }
      if (alpha) for (let i = begin; i < end; i++) data[i * channels + colours] = alpha[i] as number;
    },
    signal,
  );
  return { data, width, height, channels, colours, hasAlpha: alpha !== undefined, bitDepth };
}
