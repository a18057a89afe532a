// What of a photo does not go through the network follows its size: alpha, and the colours of a network for luma.
import sharp from 'sharp';
import { asItIs, copyImage, handsOver, type ImageMemory, withChannel } from '../session/copy-image.js';
import type { Photo, Picture } from './photo.js';
import { colourspaceOf, samplesIn, sampleTypeOf } from './samples.js';
import { withLuma } from './values.js';

/** The new luma with the colours of the photo. */
export async function recoloured(picture: Picture, luma: ImageMemory): Promise<ImageMemory> {
  const { height, width } = luma;
  const { pixels, white } = await resized(picture, height, width);
  const map = [0, 1, 2].map((channel) => ({ ...asItIs(channel), divide: white }));
  const both = await withChannel(pixels, map, luma);
  return copyImage(both, withLuma, { type: 'float32', channelsLast: false, height, width });
}

/** A picture at another size, which a network has chosen. */
async function resized(picture: Picture, height: number, width: number): Promise<Picture> {
  const { pixels, colours } = picture;
  if (pixels.height === height && pixels.width === width) return picture;
  // Of 16 bits, whatever it is: those of float32 that resizing takes are of other ranges.
  const map = Array.from({ length: colours }, (_, channel) => ({
    ...asItIs(channel),
    divide: picture.white,
  }));
  const plain = await copyImage(pixels, map, {
    type: 'uint16',
    channelsLast: true,
    height: pixels.height,
    width: pixels.width,
  });
  const data = await resizeSamples(plain.data as Uint16Array, plain, height, width);
  return { ...picture, white: 1, pixels: { ...plain, data, height, width, isHandedOver: handsOver } };
}

async function resizeSamples(
  data: Uint8Array | Uint16Array,
  from: Pick<ImageMemory, 'channels' | 'height' | 'width'>,
  height: number,
  width: number,
): Promise<Uint8Array | Uint16Array> {
  const bitDepth = data instanceof Uint16Array ? 16 : 8;
  const raw = { width: from.width, height: from.height, channels: from.channels as 1 | 3 };
  const bytes = await sharp(data, { raw, limitInputPixels: false })
    .resize(width, height, { fit: 'fill', kernel: 'cubic' })
    .toColourspace(colourspaceOf(from.channels, bitDepth))
    .raw({ depth: sampleTypeOf(bitDepth) })
    .toBuffer();
  return samplesIn(bytes, bitDepth);
}

/** The alpha channel at the size of the restored image, which a super-resolving network makes larger. */
export async function fitAlpha(
  { pixels, rest }: Picture,
  height: number,
  width: number,
): Promise<Partial<Photo>> {
  const { alpha } = rest;
  if (!alpha) return {};
  if (pixels.width === width && pixels.height === height) return { alpha };
  return { alpha: await resizeSamples(alpha, { ...pixels, channels: 1 }, height, width) };
}
