// What a network has made of the regions of a picture, put together.
import { type FileHandle, open } from 'node:fs/promises';
import {
  allocateImage,
  copyRegion,
  discard,
  type ImageMemory,
  type ImageRegion,
  type ImageSummary,
  joinSummaries,
  type PixelMap,
} from '../session/copy-image.js';
import type { Size } from '../size.js';
import { createRaw, type RawLayout, writeRegion } from './raw-file.js';
import type { Scratch } from './scratch.js';

/** What a value is in memory: a number, or what it is rounded to in a file of 8 or 16 bits. */
export type Samples = 'float32' | 'uint8' | 'uint16';

/** Where pixels go, region by region. */
interface Surface {
  readonly channels: number;
  /** Puts an image, mapped, to a region of the same size. */
  put(piece: ImageMemory, map: PixelMap, to: ImageRegion): Promise<ImageSummary>;
  /** All that was put there. */
  finish(): Promise<ImageMemory>;
  /** Where that is not to be had any more. */
  abandon(): Promise<void>;
}

/** In memory. Throws ERR_OUT_OF_MEMORY. */
function memorySurface(channels: number, [height, width]: Size, type: Samples): Surface {
  const image = allocateImage({ type, channelsLast: type !== 'float32', channels, height, width });
  return {
    channels,
    put: (piece, map, to) => copyRegion(piece, map, image, to),
    finish: async () => image,
    abandon: async () => {},
  };
}

/** In a file. Rejects with ERR_NOT_WRITABLE where the disk has no room for it. */
async function fileSurface(
  channels: number,
  [height, width]: Size,
  type: RawLayout['type'],
  scratch: Scratch,
): Promise<Surface> {
  const layout: RawLayout = { type, channelsLast: true, channels, height, width };
  const path = await scratch.fresh(channels * height * width * (type === 'uint16' ? 2 : 1));
  const file = await scratch.writing(async (): Promise<FileHandle> => {
    await createRaw(path, layout);
    return open(path, 'r+');
  });
  return {
    channels,
    async put(piece, map, to) {
      const part = allocateImage({ ...layout, height: to.height, width: to.width });
      const summary = await copyRegion(piece, map, part, { ...to, top: 0, left: 0 });
      const { buffer, byteOffset, byteLength } = part.data;
      const bytes = new Uint8Array(buffer, byteOffset, byteLength);
      await scratch.writing(() => writeRegion(file, layout, to, bytes));
      discard(part.data);
      return summary;
    },
    async finish() {
      await scratch.writing(() => file.close());
      return scratch.mapPixels(path, layout);
    },
    abandon: () => file.close(),
  };
}

/** Where restored pieces go, and what they come to. */
export class Canvas {
  readonly #surface: Surface;
  readonly #parts: (readonly [ImageSummary, number])[] = [];

  private constructor(surface: Surface) {
    this.#surface = surface;
  }

  /**
   * For a picture of so many channels: planes of float32, or what files have, which go into one where there is a place for it. Rejects with
   * ERR_OUT_OF_MEMORY or ERR_NOT_WRITABLE.
   */
  static async create(channels: number, size: Size, samples: Samples, scratch?: Scratch): Promise<Canvas> {
    const isForFile = scratch && samples !== 'float32';
    return new Canvas(
      isForFile
        ? await fileSurface(channels, size, samples, scratch)
        : memorySurface(channels, size, samples),
    );
  }

  get channels(): number {
    return this.#surface.channels;
  }

  /** Puts a region of an image, mapped, to where it belongs; that has the region's size. */
  async put(piece: ImageMemory, from: ImageRegion, map: PixelMap, top: number, left: number): Promise<void> {
    const { height, width } = from;
    const to = { top, left, height, width };
    const summary = await this.#surface.put({ ...piece, region: from }, map, to);
    this.#parts.push([summary, height * width * map.length]);
  }

  get summary(): ImageSummary {
    return joinSummaries(this.#parts);
  }

  /** Nothing can be put any more. */
  finish(): Promise<ImageMemory> {
    return this.#surface.finish();
  }

  abandon(): Promise<void> {
    return this.#surface.abandon();
  }
}
