// Cutting images into windows, and putting windows together to images, in standard ONNX.
import { DataType, type FunctionProto } from '../graph/proto.js';
import { Body, type BodyOptions } from './body.js';
import { type Extent, planeSidesOf, sidesOf } from './window-mean.js';
import {
  beginOf,
  countTo,
  placeInput,
  type Tiles,
  type TilesInPiece,
  tilesInPiece,
  tilesOf,
  wholeOf,
} from './window-tiles.js';

/** All that a pixel can lie in along an axis: all steps but the last are more than half a window. */
const mostTilesPerPixel = 3;

/** For each window the pixels that it holds along its axis: count × window. */
function pixelsOf(body: Body, tiles: Tiles): string {
  const { begins } = tilesInPiece(body, tiles);
  return body.op('Add', [body.op('Reshape', [begins, body.ints(-1, 1)]), countTo(body, tiles.window)]);
}

/** LocalWindowPartition(X, place; kernel_shape). */
export function localWindowPartitionFunction({ opset, type }: BodyOptions): FunctionProto {
  const body = new Body(type);
  const [rows, columns] = sidesOf(body, 'X').map((side) => {
    const window = body.op('Min', [side.window, wholeOf(body, side).whole]);
    return tilesOf(body, { ...side, window });
  }) as [Tiles, Tiles];
  // N × C × R × kh' × W, then N × C × R × kh' × Q × kw'.
  const cutDown = body.op('Gather', ['X', pixelsOf(body, rows)], { axis: 2 });
  const cut = body.op('Gather', [cutDown, pixelsOf(body, columns)], { axis: 4 });
  const windows = body.op('Transpose', [cut], { perm: [0, 2, 4, 1, 3, 5] });
  const channels = body.slice(body.op('Shape', ['X']), body.ints(1), body.ints(2), 0);
  const shape = [body.ints(-1), channels, rows.window, columns.window];
  body.op('Reshape', [windows, body.op('Concat', shape, { axis: 0 })]);
  return body.toFunction('LocalWindowPartition', ['X', placeInput], ['kernel_shape'], opset);
}

/** The windows along an axis, and how many there are. */
interface AxisTiles {
  readonly tiles: Tiles;
  readonly inPiece: TilesInPiece;
  readonly count: string;
}

/**
 * `value`, in which the windows of an axis lie one behind the other, with the mean of what they have at each pixel of the
 * axis in their place.
 */
function meanOverTiles(body: Body, value: string, { tiles, inPiece, count }: AxisTiles): string {
  const { axis, length, window, place, step } = tiles;
  const { first, inside, front } = inPiece;
  const [zero, one] = [body.ints(0), body.ints(1)];
  const pixel = countTo(body, length);
  const at = body.op('Add', [pixel, place]); // in the whole
  // The first window that ends behind the pixel. Division rounds towards 0, and so does a pixel of the first window.
  const ended = body.op('Div', [body.op('Add', [body.op('Sub', [at, window]), step]), step]);
  const lastOfWhole = body.op('Sub', [tiles.count, one]);
  const over = body.op('Max', [body.op('Min', [ended, lastOfWhole]), first]);
  const end = body.op('Add', [first, inside]);
  const placeIn = (index: string) => {
    const within = body.op('Sub', [at, beginOf(body, tiles, index)]);
    const own = body.op('Add', [body.op('Sub', [index, first]), front]);
    return body.op('Add', [body.op('Mul', [own, window]), within]);
  };
  const holds = (index: string) => {
    const exists = body.op('Less', [index, end]);
    const begun = body.op('Not', [body.op('Less', [at, beginOf(body, tiles, index)])]);
    return body.op('And', [exists, begun]);
  };
  const isHeld = holds(over);
  const firstPlace = body.op('Where', [
    isHeld,
    placeIn(over),
    placeAtBorder(body, { tiles, inPiece, count }, pixel),
  ]);
  // Along the last axis, or along the one before it.
  const along = axis === 3 ? body.ints(-1) : body.ints(-1, 1);
  const none = body.toFloat64(zero);
  let sum = body.op('Gather', [value, firstPlace], { axis });
  let holders = one;
  for (let neighbour = 1; neighbour < mostTilesPerPixel; neighbour++) {
    const index = body.op('Add', [over, body.ints(neighbour)]);
    const isHolding = body.op('And', [isHeld, holds(index)]);
    const where = body.op('Where', [isHolding, placeIn(index), firstPlace]);
    const there = body.op('Gather', [value, where], { axis });
    const counts = body.op('Reshape', [isHolding, along]);
    sum = body.op('Add', [sum, body.op('Where', [counts, there, none])]);
    holders = body.op('Add', [holders, body.op('Cast', [isHolding], { to: DataType.INT64 })]);
  }
  const divisor = body.op('Reshape', [body.toFloat64(holders), along]);
  return body.op('Div', [sum, divisor]);
}

/** Where the pixels of a piece lie that no window of the whole holds: in the one along its first border, or along its last. */
function placeAtBorder(body: Body, { tiles, inPiece, count }: AxisTiles, pixel: string): string {
  const { length, window, place } = tiles;
  const { first, inside, back } = inPiece;
  const one = body.ints(1);
  const isNone = body.op('Less', [inside, one]);
  const firstBegin = body.op('Sub', [beginOf(body, tiles, first), place]);
  const noBack = body.op('Less', [back, one]);
  const inFrontOfNone = body.op('Or', [noBack, body.op('Less', [pixel, window])]);
  const inFrontOfAll = body.op('And', [body.op('Not', [isNone]), body.op('Less', [pixel, firstBegin])]);
  const isInFront = body.op('Or', [inFrontOfAll, body.op('And', [isNone, inFrontOfNone])]);
  const lastOne = body.op('Mul', [body.op('Sub', [count, one]), window]);
  const behind = body.op('Add', [lastOne, body.op('Sub', [pixel, body.op('Sub', [length, window])])]);
  return body.op('Where', [isInFront, pixel, behind]);
}

/** LocalWindowMerge(P, X, place). */
export function localWindowMergeFunction({ opset, type }: BodyOptions): FunctionProto {
  const body = new Body(type);
  const windows = planeSidesOf(body, 'P');
  const sides = planeSidesOf(body, 'X').map(
    ({ axis, length }, i): Extent => ({ axis, length, window: windows[i as 0 | 1].length }),
  );
  const [down, across] = sides.map((side): AxisTiles => {
    const tiles = tilesOf(body, side);
    const inPiece = tilesInPiece(body, tiles);
    return { tiles, inPiece, count: body.op('Shape', [inPiece.begins]) };
  }) as [AxisTiles, AxisTiles];
  const [rows, columns] = [down.tiles, across.tiles];
  const image = body.slice(body.op('Shape', ['X']), body.ints(0), body.ints(2), 0);
  const channels = body.slice(image, body.ints(1), body.ints(2), 0);
  // N × R × Q × C × kh' × kw', then N × C × (R · kh') × (Q · kw').
  const grid = [body.ints(-1), down.count, across.count, channels, rows.window, columns.window];
  const apart = body.op('Reshape', ['P', body.op('Concat', grid, { axis: 0 })]);
  const ordered = body.op('Transpose', [apart], { perm: [0, 3, 1, 4, 2, 5] });
  const laid = [body.op('Mul', [down.count, rows.window]), body.op('Mul', [across.count, columns.window])];
  const inLine = body.op('Reshape', [ordered, body.op('Concat', [image, ...laid], { axis: 0 })]);
  const wide = body.toFloat64(inLine); // three of the largest float32 add up to more than it has room for
  const mean = meanOverTiles(body, meanOverTiles(body, wide, down), across);
  body.toTypeOfX(mean);
  return body.toFunction('LocalWindowMerge', ['P', 'X', placeInput], [], opset);
}
