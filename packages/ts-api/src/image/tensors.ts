import { Tensor } from 'onnxruntime-common';
import { copyImage, type ImageRegion, type PixelMap } from '../session/copy-image.js';
import { float16Data } from '../session/float16.js';
import { channelsFirst, type ImageLayout, sidesIn } from '../session/image-layout.js';
import type { ImageType } from '../session/image-tensors.js';
import type { Size } from '../size.js';
import type { Picture } from './photo.js';

/** A part of a picture as a network takes it: mapped, in its layout, filled up to a size. */
export async function tensorOf(
  { pixels, white }: Picture,
  map: PixelMap,
  { type, layout }: { readonly type: ImageType; readonly layout: ImageLayout },
  region: ImageRegion,
  [height, width]: Size,
): Promise<Tensor> {
  const ofWhite = map.map((channel) => ({ ...channel, divide: channel.divide * white }));
  const channelsLast = layout !== channelsFirst;
  const { data } = await copyImage({ ...pixels, region }, ofWhite, { type, channelsLast, height, width });
  const dims = sidesIn(layout, [1, map.length, height, width]);
  return type === 'float16'
    ? new Tensor(type, float16Data(data as Uint16Array), dims)
    : new Tensor(type, data as Float32Array, dims);
}
