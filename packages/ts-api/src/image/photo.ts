import { Tensor } from 'onnxruntime-common';
import { invalidArgument } from '../errors.js';
import { asItIs, copyImage, type ImageMemory } from '../session/copy-image.js';
import { isDensity, type PhotoMetadata } from './metadata.js';

/** A photo as networks take it: planar, in [0, 1]. */
export interface Photo {
  /**
   * float32 of shape [1, channels, height, width], values in [0, 1]; 1 channel is gray, 3 are red, green and blue in the colour space of
   * the file, which the profile in `metadata` describes: sRGB where there is none.
   */
  readonly tensor: Tensor;
  /** Bits per channel of the file it came from, kept when it is written. */
  readonly bitDepth: 8 | 16;
  /** The file's alpha channel, height × width, when it had one; networks do not see it. */
  readonly alpha?: Uint8Array | Uint16Array;
  /** What the file says beside its pixels, written with them again. */
  readonly metadata?: PhotoMetadata;
}

/** A photo of whatever layout on its way to a network, and what does not take that way. */
export interface Picture {
  /** One or three colours; an alpha channel behind them, which is not taken along. */
  readonly pixels: ImageMemory;
  readonly colours: 1 | 3;
  /** The value of white, as a fraction of the largest that a sample may have. */
  readonly white: number;
  readonly rest: Omit<Photo, 'tensor'>;
}

export function planeOf(photo: Photo): { channels: number; height: number; width: number } {
  const [, channels = 0, height = 0, width = 0] = photo.tensor.dims;
  return { channels, height, width };
}

/** The photo of an image that is planar and float32. */
export function toPhoto({ data, channels, height, width }: ImageMemory, rest: Omit<Photo, 'tensor'>): Photo {
  const tensor = new Tensor('float32', data as Float32Array, [1, channels, height, width]);
  return { tensor, ...rest };
}

/** The memory of the tensor, which may be the caller's. */
export function memoryOf(photo: Photo): ImageMemory {
  const data = photo.tensor.data as Float32Array;
  return { type: 'float32', channelsLast: false, ...planeOf(photo), data, isHandedOver: false };
}

export function pictureOf(photo: Photo): Picture {
  const { tensor: _, ...rest } = photo;
  return { pixels: memoryOf(photo), colours: planeOf(photo).channels === 1 ? 1 : 3, white: 1, rest };
}

/** A picture as a photo. */
export async function photoOf({ pixels, colours, white, rest }: Picture): Promise<Photo> {
  const map = Array.from({ length: colours }, (_, channel) => ({ ...asItIs(channel), divide: white }));
  const { height, width } = pixels;
  return toPhoto(await copyImage(pixels, map, { type: 'float32', channelsLast: false, height, width }), rest);
}

export function isPhoto(value: unknown): value is Photo {
  return typeof value === 'object' && value !== null && 'tensor' in value;
}

/** Throws ERR_INVALID_ARGUMENT for what is none. */
export function checkPhoto(photo: Photo, parameter = 'photo'): void {
  const { tensor, bitDepth, alpha } = photo;
  const [batch, colours, height = 0, width = 0] = tensor.dims;
  const isImage = tensor.type === 'float32' && tensor.dims.length === 4 && batch === 1 && height * width > 0;
  if (!isImage || (colours !== 1 && colours !== 3)) {
    throw invalidArgument(
      parameter,
      'a float32 tensor 1×1×H×W or 1×3×H×W',
      `${tensor.type} [${tensor.dims.join(', ')}]`,
    );
  }
  const count = colours * height * width;
  if (tensor.data.length !== count) throw invalidArgument(parameter, `${count} values`, tensor.data.length);
  if (bitDepth !== 8 && bitDepth !== 16) throw invalidArgument('bitDepth', '8 or 16', bitDepth);
  const { density } = photo.metadata ?? {};
  if (density !== undefined && !isDensity(density))
    throw invalidArgument('metadata.density', 'from 1 to 1000000 pixels per inch', density);
  if (alpha && alpha.length !== height * width)
    throw invalidArgument('alpha', `${height * width} values`, alpha.length);
}
