// What pieces differ from the whole photo by, measured where it is largest: at a seam.

import { tilesOf } from '../pieces/grid.js';
import type { PiecesPlan } from '../pieces/plan.js';
import type { PiecesCheck } from '../pieces/report.js';
import { copyImage, type ImageRegion } from '../session/copy-image.js';
import type { Size } from '../size.js';
import { type Made, type NetworkOn, runNetwork } from './network.js';
import { fromNetwork } from './values.js';

/** As many rows and columns are compared, on one side of a seam. */
const compared = 32;

/** A stretch around `middle` at multiples, as long as `most`, or nearly; all of an axis that is no longer. */
function around(middle: number, most: number, multiple: number, length: number) {
  if (most >= length) return { begin: 0, length };
  const seen = Math.max(multiple, Math.floor(most / multiple) * multiple);
  const latest = Math.floor((length - seen) / multiple) * multiple;
  const begin = Math.max(0, Math.min(latest, Math.ceil((middle - seen / 2) / multiple) * multiple));
  return { begin, length: Math.min(length, begin + seen) - begin };
}

/** A part of what was made of a region of the picture, mapped, in planes. */
async function partOf(
  { restorer, picture }: NetworkOn,
  { image, scale }: Made,
  seen: ImageRegion,
  part: ImageRegion,
): Promise<Float32Array> {
  const map = fromNetwork(restorer.values, picture.colours, image.channels);
  const [height, width] = [Math.floor(part.height * scale[0]), Math.floor(part.width * scale[1])];
  const region = {
    top: Math.round((part.top - seen.top) * scale[0]),
    left: Math.round((part.left - seen.left) * scale[1]),
    height,
    width,
  };
  const layout = { type: 'float32', channelsLast: false, height, width } as const;
  return (await copyImage({ ...image, region }, map, layout)).data as Float32Array;
}

/** How many pixels of the photo the network sees beyond a stretch, where it does not see all to the photo's border. */
function seenAlong(
  begin: number,
  length: number,
  region: { readonly begin: number; readonly length: number },
  whole: number,
): number {
  const end = region.begin + region.length;
  const before = region.begin === 0 ? whole : begin - region.begin;
  const after = end === whole ? whole : end - begin - length;
  return Math.min(before, after);
}

function clipped(value: number): number {
  return Math.min(1, Math.max(0, value));
}

/**
 * The piece that ends nearest to the middle of the photo is compared, at its last rows and columns, with a region of the same size around
 * them: the network sees more around these than a piece's halo, and nothing of where pieces are cut.
 */
export async function checkPieces(network: NetworkOn, plan: PiecesPlan): Promise<PiecesCheck> {
  const { height, width } = network.picture.pixels;
  const { grid, multiple, limit } = plan;
  const row = Math.floor((grid.rows.length - 1) / 2);
  const column = Math.floor((grid.columns.length - 1) / 2);
  const tile = tilesOf(grid)[row * grid.columns.length + column] as {
    inner: ImageRegion;
    outer: ImageRegion;
  };
  const { inner, outer } = tile;
  const part: ImageRegion = {
    top: Math.max(inner.top, inner.top + inner.height - compared),
    left: Math.max(inner.left, inner.left + inner.width - compared),
    height: Math.min(compared, inner.height),
    width: Math.min(compared, inner.width),
  };
  const down = around(part.top + part.height / 2, outer.height, multiple[0], height);
  const across = around(part.left + part.width / 2, outer.width, multiple[1], width);
  const region = { top: down.begin, left: across.begin, height: down.length, width: across.length };
  const piece = await partOf(network, await runNetwork(network, outer, limit), outer, part);
  const whole = await partOf(network, await runNetwork(network, region, limit), region, part);
  let largest = 0;
  for (let i = 0; i < piece.length; i++)
    largest = Math.max(largest, Math.abs(clipped(piece[i] as number) - clipped(whole[i] as number)));
  const seen: Size = [
    seenAlong(part.top, part.height, down, height),
    seenAlong(part.left, part.width, across, width),
  ];
  return { ...part, levels: largest * 255, seen };
}
