// A picture restored piece by piece.
import { TlscError, throwIfAborted } from '../errors.js';
import { type Tile, tilesOf } from '../pieces/grid.js';
import type { PiecesPlan } from '../pieces/plan.js';
import {
  asItIs,
  copyImage,
  discard,
  type ImageMemory,
  type ImageRegion,
  type ImageSummary,
} from '../session/copy-image.js';
import { type Size, showSize } from '../size.js';
import { Canvas, type Samples } from './canvas.js';
import { type Made, type NetworkOn, runNetwork } from './network.js';
import type { Scratch } from './scratch.js';
import { fromNetwork } from './values.js';

/** The size of what is made of a picture. */
function resultSize({ height, width }: { height: number; width: number }, scale: Size): Size {
  return [Math.max(1, Math.round(height * scale[0])), Math.max(1, Math.round(width * scale[1]))];
}

/** Where the inner part of a tile lies in what the network has made of all that it saw, and in the result. */
function placeOf({ inner, outer }: Tile, { scale, size }: Made, result: Size) {
  const along = (axis: 0 | 1, begin: number, length: number, outerBegin: number, made: number) => {
    const first = Math.round(begin * scale[axis]);
    const end = Math.min(result[axis], Math.round((begin + length) * scale[axis]));
    const offset = first - Math.round(outerBegin * scale[axis]);
    return { first, offset, length: Math.min(end - first, made - offset) };
  };
  const down = along(0, inner.top, inner.height, outer.top, size.height);
  const across = along(1, inner.left, inner.width, outer.left, size.width);
  const from: ImageRegion = {
    top: down.offset,
    left: across.offset,
    height: down.length,
    width: across.length,
  };
  return { from, top: down.first, left: across.first };
}

/** What a network has made of a picture, as fractions of white. */
export interface Restored {
  readonly image: ImageMemory;
  readonly summary: ImageSummary;
}

/** As the whole picture would come out, and what its values come to. */
export async function restoreInPieces(
  network: NetworkOn,
  plan: PiecesPlan,
  samples: Samples,
  scratch?: Scratch,
): Promise<Restored> {
  const { pixels } = network.picture;
  if (pixels.isHandedOver) return restoreTiles(network, plan, samples, scratch);
  // What is the caller's would be copied for each piece, and all of it.
  const map = Array.from({ length: pixels.channels }, (_, channel) => asItIs(channel));
  const { type, channelsLast, height, width } = pixels;
  const own = await copyImage(pixels, map, { type, channelsLast, height, width });
  const restored = await restoreTiles(
    { ...network, picture: { ...network.picture, pixels: own } },
    plan,
    samples,
    scratch,
  );
  discard(own.data);
  return restored;
}

async function restoreTiles(
  network: NetworkOn,
  { grid, limit }: PiecesPlan,
  samples: Samples,
  scratch: Scratch | undefined,
): Promise<Restored> {
  const { restorer, picture, name } = network;
  const { values, decoding, pieces } = restorer;
  const tiles = tilesOf(grid);
  let canvas: Canvas | undefined;
  let scale: Size | undefined;
  try {
    for (const [index, tile] of tiles.entries()) {
      const made = await runNetwork(network, tile.outer, limit);
      const map = fromNetwork(values, picture.colours, made.image.channels);
      const result = resultSize(picture.pixels, made.scale);
      scale ??= made.scale;
      if (scale.join() !== made.scale.join() || (canvas && canvas.channels !== map.length))
        throw new TlscError(
          'ERR_UNSUPPORTED_MODEL',
          `the network makes images of other scales of pieces of ${name}: ${showSize(scale)} and ${showSize(made.scale)} times as large`,
        );
      canvas ??= await Canvas.create(map.length, result, samples, scratch);
      const { from, top, left } = placeOf(tile, made, result);
      // Of a network that makes images smaller the last rows may come to nothing.
      if (from.height > 0 && from.width > 0) await canvas.put(made.image, from, map, top, left);
      discard(made.image.data as Float32Array | Uint16Array);
      throwIfAborted(decoding.signal);
      pieces.onPiece?.(index + 1, tiles.length);
    }
    const whole = canvas as Canvas; // there is at least one tile
    return { image: await whole.finish(), summary: whole.summary };
  } catch (error) {
    await canvas?.abandon();
    throw error;
  }
}
