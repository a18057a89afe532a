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

/** What a value is in memory: a number, or what it is rounded to in a file of 8 or 16 bits. */
export type Samples = 'float32' | 'uint8' | 'uint16';

/** Where restored pieces go, and what they come to. */
export class Canvas {
  readonly image: ImageMemory;
  readonly #parts: (readonly [ImageSummary, number])[] = [];

  /** For a picture of so many channels: planes of float32, or what files have. Throws ERR_OUT_OF_MEMORY. */
  constructor(channels: number, [height, width]: Size, samples: Samples) {
    const channelsLast = samples !== 'float32';
    this.image = allocateImage({ type: samples, channelsLast, channels, height, width });
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
