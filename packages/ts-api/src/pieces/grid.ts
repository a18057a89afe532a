// How a photo is cut: into a grid of equal tiles, each with as much of the photo around it as its pixels depend on.
import type { ImageRegion } from '../session/copy-image.js';
import type { Size } from '../size.js';

/** What tiles must keep to. */
export interface Cut {
  /** The rows and columns that the network sees around a tile. */
  readonly halo: Size;
  /** What tiles, and what is seen of the photo around them, begin at multiples of. */
  readonly multiple: Size;
  /** The fewest rows and columns that the network may see, where the photo has them: the windows of its statistics. */
  readonly least: Size;
}

/** A stretch of an axis. */
interface Stretch {
  readonly begin: number;
  readonly end: number;
}

interface AxisTile {
  /** What is kept of it. */
  readonly inner: Stretch;
  /** What the network sees. */
  readonly outer: Stretch;
}

/** One tile of a photo. */
export interface Tile {
  readonly inner: ImageRegion;
  readonly outer: ImageRegion;
}

export interface Grid {
  readonly rows: readonly AxisTile[];
  readonly columns: readonly AxisTile[];
  /** The pixels of the largest tile as the network sees it. */
  readonly most: number;
  /** How many pixels the network sees, for one of the photo. */
  readonly work: number;
}

function lengthOf({ begin, end }: Stretch): number {
  return end - begin;
}

/** The tiles of so many rows or columns along an axis of the photo; undefined where they would see too little. */
function axisTiles(length: number, step: number, cut: Cut, axis: 0 | 1): AxisTile[] | undefined {
  const [multiple, halo, least] = [cut.multiple[axis], cut.halo[axis], cut.least[axis]];
  const tiles: AxisTile[] = [];
  for (let begin = 0; begin < length; begin += step) {
    const inner = { begin, end: Math.min(length, begin + step) };
    const outer = {
      begin: Math.max(0, Math.floor((inner.begin - halo) / multiple) * multiple),
      end: Math.min(length, Math.ceil((inner.end + halo) / multiple) * multiple),
    };
    if (lengthOf(outer) < Math.min(least, length)) return undefined;
    tiles.push({ inner, outer });
  }
  return tiles;
}

/** All ways to cut an axis into equal tiles, those with the fewest first. */
function waysToCut(length: number, cut: Cut, axis: 0 | 1): AxisTile[][] {
  const multiple = cut.multiple[axis];
  const units = Math.ceil(length / multiple);
  const ways: AxisTile[][] = [];
  let last = Number.POSITIVE_INFINITY;
  for (let count = 1; count <= units; count++) {
    const step = Math.ceil(units / count);
    if (step === last) continue; // a few less would do
    last = step;
    const tiles = axisTiles(length, step * multiple, cut, axis);
    if (tiles) ways.push(tiles);
  }
  return ways;
}

function longest(tiles: readonly AxisTile[]): number {
  return tiles.reduce((most, { outer }) => Math.max(most, lengthOf(outer)), 0);
}

function seen(tiles: readonly AxisTile[]): number {
  return tiles.reduce((sum, { outer }) => sum + lengthOf(outer), 0);
}

/**
 * The grid of the least work whose tiles have no more than `most` pixels, of these the one of the fewest tiles; where there is none, the one
 * of the smallest tiles.
 */
export function bestGrid([height, width]: Size, cut: Cut, most: number): Grid {
  const measure = (tiles: AxisTile[]) => ({ tiles, longest: longest(tiles), seen: seen(tiles) });
  const down = waysToCut(height, cut, 0).map(measure);
  const across = waysToCut(width, cut, 1).map(measure);
  let best: Grid | undefined;
  for (const rows of down) {
    for (const columns of across) {
      const grid: Grid = {
        rows: rows.tiles,
        columns: columns.tiles,
        most: rows.longest * columns.longest,
        work: (rows.seen * columns.seen) / (height * width),
      };
      if (best === undefined || isBetter(grid, best, most)) best = grid;
    }
  }
  return best as Grid; // one tile is always among them
}

function isBetter(grid: Grid, than: Grid, most: number): boolean {
  if (grid.most > most || than.most > most) return grid.most < than.most;
  if (grid.work !== than.work) return grid.work < than.work;
  return countOf(grid) < countOf(than);
}

export function countOf({ rows, columns }: Grid): number {
  return rows.length * columns.length;
}

/** Row by row. */
export function tilesOf({ rows, columns }: Grid): Tile[] {
  const region = (row: Stretch, column: Stretch): ImageRegion => ({
    top: row.begin,
    left: column.begin,
    height: lengthOf(row),
    width: lengthOf(column),
  });
  return rows.flatMap((row) =>
    columns.map((column) => ({
      inner: region(row.inner, column.inner),
      outer: region(row.outer, column.outer),
    })),
  );
}
