// Photos cut into tiles, and put together again, as people do who restore photos in pieces of the training size.
import { type Photo, type Size, Tensor, TlscError } from '@tlsc/api';

/** Where a tile begins along an axis, and how long it is. */
interface Span {
  readonly begin: number;
  readonly length: number;
}

/** Spans of one length every `step`, the last one moved back to end with the axis. */
function spansOf(total: number, size: number, step: number): Span[] {
  const length = Math.min(size, total);
  const count = Math.max(1, Math.ceil((total - length) / step) + 1);
  return Array.from({ length: count }, (_, i) => ({ begin: Math.min(i * step, total - length), length }));
}

/** How much of each position is taken of each span: all of the last one that holds it, or shares that fall off towards the ends. */
function sharesOf(spans: readonly Span[], total: number, blended: boolean): Float32Array[] {
  const shares = spans.map(({ length }) => new Float32Array(length));
  const sums = new Float64Array(total);
  const shareAt = ({ begin, length }: Span, next: Span | undefined, x: number): number => {
    if (!blended) return next === undefined || begin + x < next.begin ? 1 : 0;
    const toBegin = begin === 0 ? length : x + 0.5;
    const toEnd = begin + length === total ? length : length - x - 0.5;
    return Math.min(toBegin, toEnd);
  };
  for (const [i, span] of spans.entries())
    for (let x = 0; x < span.length; x++) {
      const share = shareAt(span, spans[i + 1], x);
      (shares[i] as Float32Array)[x] = share;
      sums[span.begin + x] = (sums[span.begin + x] as number) + share;
    }
  for (const [i, { begin, length }] of spans.entries()) {
    const share = shares[i] as Float32Array;
    for (let x = 0; x < length; x++) share[x] = (share[x] as number) / (sums[begin + x] as number);
  }
  return shares;
}

/** Some rows and columns of a photo. */
function cut(photo: Photo, down: Span, across: Span): Photo {
  const [, channels = 0, height = 0, width = 0] = photo.tensor.dims;
  const data = new Float32Array(channels * down.length * across.length);
  const source = photo.tensor.data as Float32Array;
  for (let row = 0; row < channels * down.length; row++) {
    const y = Math.floor(row / down.length) * height + down.begin + (row % down.length);
    const from = y * width + across.begin;
    data.set(source.subarray(from, from + across.length), row * across.length);
  }
  const tensor = new Tensor('float32', data, [1, channels, down.length, across.length]);
  return { tensor, bitDepth: photo.bitDepth };
}

/** Crops of a size, side by side, or some of them, evenly spread; of a smaller photo the photo. */
export function cropsOf(photo: Photo, [height, width]: Size, most: number): Photo[] {
  const [, , rows = 0, columns = 0] = photo.tensor.dims;
  const [down, across] = [spansOf(rows, height, height), spansOf(columns, width, width)];
  const all = down.flatMap((row) => across.map((column) => [row, column] as const));
  const count = Math.min(most, all.length);
  return Array.from({ length: count }, (_, i) => {
    const [row, column] = all[Math.floor((i * all.length) / count)] as (typeof all)[number];
    return cut(photo, row, column);
  });
}

/** Spans of an axis in an image that is so many times as large. */
function scaled(spans: readonly Span[], scale: number): Span[] {
  return spans.map(({ begin, length }) => ({ begin: begin * scale, length: length * scale }));
}

/** What restored tiles are put together in, share by share. */
class Mosaic {
  readonly #data: Float32Array;

  constructor(
    readonly channels: number,
    readonly height: number,
    readonly width: number,
  ) {
    this.#data = new Float32Array(channels * height * width);
  }

  add(tile: Photo, top: number, left: number, down: Float32Array, across: Float32Array): void {
    const values = tile.tensor.data as Float32Array;
    for (let row = 0; row < this.channels * down.length; row++) {
      const [channel, y] = [Math.floor(row / down.length), row % down.length];
      const to = (channel * this.height + top + y) * this.width + left;
      const share = down[y] as number;
      for (let x = 0; x < across.length; x++) {
        const value = share * (across[x] as number) * (values[row * across.length + x] as number);
        this.#data[to + x] = (this.#data[to + x] as number) + value;
      }
    }
  }

  toTensor(): Tensor {
    return new Tensor('float32', this.#data, [1, this.channels, this.height, this.width]);
  }
}

/** By how much restored tiles are larger than what they were made of. Throws where that is no whole number. */
function scaleOf(tile: Photo, restored: Photo): number {
  const [from, to] = [tile.tensor.dims.slice(2), restored.tensor.dims.slice(2)];
  const scale = (to[0] ?? 0) / (from[0] ?? 1);
  if (Number.isInteger(scale) && to[1] === (from[1] ?? 0) * scale) return scale;
  const message = `tiles of ${from.join('x')} become images of ${to.join('x')} pixels, which cannot be put together`;
  throw new TlscError('ERR_UNSUPPORTED_MODEL', message);
}

export interface Tiling {
  readonly size: number;
  readonly blended: boolean;
}

/** How many pixels tiles have for one of the photo. */
export function workOf([height, width]: readonly [number, number], { size, blended }: Tiling): number {
  const covered = (total: number) => {
    const spans = spansOf(total, size, blended ? Math.ceil(size / 2) : size);
    return spans.reduce((sum, { length }) => sum + length, 0) / total;
  };
  return covered(height) * covered(width);
}

/** A photo restored tile by tile. Along its ends tiles are moved inwards, so that all have their size where the photo has it. */
export async function restoreTiles(
  photo: Photo,
  { size, blended }: Tiling,
  restoreTile: (tile: Photo) => Promise<Photo>,
): Promise<Photo> {
  const [, , height = 0, width = 0] = photo.tensor.dims;
  const step = blended ? Math.ceil(size / 2) : size;
  const [rows, columns] = [spansOf(height, size, step), spansOf(width, size, step)];
  let mosaic: Mosaic | undefined;
  let scale = 1;
  let shares: readonly [down: Float32Array[], across: Float32Array[]] = [[], []];
  for (const [i, down] of rows.entries())
    for (const [j, across] of columns.entries()) {
      const tile = cut(photo, down, across);
      const restored = await restoreTile(tile);
      if (!mosaic) {
        scale = scaleOf(tile, restored);
        mosaic = new Mosaic(restored.tensor.dims[1] ?? 0, height * scale, width * scale);
        shares = [
          sharesOf(scaled(rows, scale), height * scale, blended),
          sharesOf(scaled(columns, scale), width * scale, blended),
        ];
      }
      const [downShares, acrossShares] = [shares[0][i] as Float32Array, shares[1][j] as Float32Array];
      mosaic.add(restored, down.begin * scale, across.begin * scale, downShares, acrossShares);
    }
  const { bitDepth } = photo;
  return { tensor: (mosaic as Mosaic).toTensor(), bitDepth }; // there is at least one tile
}
