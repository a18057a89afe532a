// What restoring a photo takes, before it is decoded.
import { tmpdir } from 'node:os';
import {
  coloursOf,
  type DecodeOptions,
  type ImageHeader,
  type ImageSource,
  readImageHeader,
} from '../image/decode.js';
import { type Photo, planeOf } from '../image/photo.js';
import type { Restorer } from '../image/restorer.js';
import { Scratch, withScratch } from '../image/scratch.js';
import { type Cost, costOf } from '../pieces/cost.js';
import type { Feeds } from '../session/feeds.js';
import { Turns } from '../turns.js';

/** What is known of a photo before it is decoded. */
export interface Look {
  readonly height: number;
  readonly width: number;
  readonly colours: 1 | 3;
  readonly bytesPerSample: 1 | 2 | 4;
  /** Frames or pages that are restored. */
  readonly frames: number;
  /** Of the file. */
  readonly fileBytes: number;
}

/** Files are read for their header alone: one at a time, since each is in memory meanwhile. */
const looks = new Turns(1);

function lookAt(header: ImageHeader, page: number | undefined): Look {
  const { width, height, depth } = header.metadata;
  return {
    height,
    width,
    colours: coloursOf(header),
    bytesPerSample: depth === 'uchar' ? 1 : 2,
    frames: page === undefined ? header.pages : 1,
    fileBytes: header.file.bytes.byteLength,
  };
}

/** Looks at the header of a file; `page` is the one of its frames that is restored, if not all are. */
export async function lookAtFile(
  source: ImageSource,
  page: number | undefined,
  options: DecodeOptions,
  memory: number,
): Promise<Look> {
  if (typeof source !== 'string') return lookAt(await readImageHeader(source, options), page);
  return looks.take((hold) => {
    const look = async (scratch: Scratch) => lookAt(await readImageHeader(source, options, scratch), page);
    const place = new Scratch(tmpdir(), memory);
    return withScratch(
      place,
      (scratch) => hold(look(scratch)),
      async (seen) => seen,
      options.signal,
    );
  }, options.signal);
}

export function lookAtPhoto(photo: Photo): Look {
  const { height, width } = planeOf(photo);
  const colours = photo.tensor.dims[1] === 1 ? 1 : 3;
  return { height, width, colours, bytesPerSample: 4, frames: 1, fileBytes: 0 };
}

/** Red, green, blue and alpha. */
const mostChannels = 4;

const float32Bytes = 4;

/** Bytes, no less than it takes whole: its file, its pixels and a copy of them, the run, what comes of that, and that encoded. */
export function needOf(look: Look, cost: Cost): number {
  const { height, width, bytesPerSample, frames, fileBytes } = look;
  const pixels = height * width;
  const decoded = pixels * mostChannels * bytesPerSample;
  const restored = pixels * cost.area * mostChannels;
  return Math.ceil(
    fileBytes +
      3 * decoded +
      cost.fixed +
      pixels * cost.perPixel +
      2 * restored * float32Bytes +
      frames * restored * bytesPerSample,
  );
}

export async function needOfPhoto(restorer: Restorer, look: Look): Promise<number> {
  return needOf(look, await costOf(restorer, look.colours));
}

/** The same of tensors, one of which is an image, or a batch of them. */
export async function needOfFeeds(restorer: Restorer, feeds: Feeds): Promise<number> {
  const { input } = restorer;
  const { layout } = input;
  const dims = feeds[input.name]?.dims ?? [];
  const colours = dims[layout.channels] === 1 ? 1 : 3;
  const cost = await costOf(restorer, colours);
  const pixels = dims.reduce(
    (product, side, axis) => (axis === layout.channels ? product : product * side),
    1,
  );
  return Math.ceil(cost.fixed + pixels * (cost.perPixel + 2 * cost.area * mostChannels * float32Bytes));
}
