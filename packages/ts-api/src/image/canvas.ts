// What a network has made of the regions of a picture, put together.
import {
  allocateImage,
  copyRegion,
  type ImageMemory,
  type ImageRegion,
  type ImageSummary,
  joinSummaries,
  type PixelMap,
} from '../session/copy-image.js';
import type { Size } from '../size.js';

/** Where restored pieces go, and what they come to. */
export class Canvas {
  readonly image: ImageMemory;
  readonly #parts: (readonly [ImageSummary, number])[] = [];

  /** For a picture of so many channels, in planes of float32. Throws ERR_OUT_OF_MEMORY. */
  constructor(channels: number, [height, width]: Size) {
    this.image = allocateImage({ type: 'float32', channelsLast: false, channels, height, width });
  }

  /** Puts a region of an image, mapped, to where it belongs; that has the region's size. */
  async put(piece: ImageMemory, from: ImageRegion, map: PixelMap, top: number, left: number): Promise<void> {
    const { height, width } = from;
    const summary = await copyRegion({ ...piece, region: from }, map, this.image, {
      top,
      left,
      height,
      width,
    });
    this.#parts.push([summary, height * width * map.length]);
  }

  get summary(): ImageSummary {
    return joinSummaries(this.#parts);
  }
}
