// Cutting images into windows, and putting windows together to images, in standard ONNX.
import { DataType, type FunctionProto } from '../graph/proto.js';
import { Body, type BodyOptions } from './body.js';
import { type Extent, planeSidesOf, windowSidesOf } from './window-mean.js';
import { beginOf, countTo, type Tiles, tilesOf } from './window-tiles.js';

/** All that a pixel can lie in along an axis: all steps but the last are more than half a window. */
const mostTilesPerPixel = 3;

/** For each window the pixels that it holds along its axis: count × window. */
function pixelsOf(body: Body, tiles: Tiles): string {
  const begin = beginOf(body, tiles, countTo(body, tiles.count));
  return body.op('Add', [body.op('Reshape', [begin, body.ints(-1, 1)]), countTo(body, tiles.window)]);
}

/** LocalWindowPartition(X; kernel_shape). */
export function localWindowPartitionFunction({ opset, type }: BodyOptions): FunctionProto {
  const body = new Body(type);
  const [rows, columns] = windowSidesOf(body, 'X').map((side) => tilesOf(body, side)) as [Tiles, Tiles];
  // N × C × R × kh' × W, then N × C × R × kh' × Q × kw'.
  const cutDown = body.op('Gather', ['X', pixelsOf(body, rows)], { axis: 2 });
  const cut = body.op('Gather', [cutDown, pixelsOf(body, columns)], { axis: 4 });
  const windows = body.op('Transpose', [cut], { perm: [0, 2, 4, 1, 3, 5] });
  const channels = body.slice(body.op('Shape', ['X']), body.ints(1), body.ints(2), 0);
  const shape = [body.ints(-1), channels, rows.window, columns.window];
  body.op('Reshape', [windows, body.op('Concat', shape, { axis: 0 })]);
  return body.toFunction('LocalWindowPartition', ['X'], ['kernel_shape'], opset);
}

/**
 * `value`, in which the windows of an axis lie one behind the other, with the mean of what they have at each pixel of the
 * axis in their place.
 */
function meanOverTiles(body: Body, value: string, tiles: Tiles): string {
  const { axis, length, window, count, step } = tiles;
  const pixel = countTo(body, length);
  const one = body.ints(1);
  // The first window that ends behind the pixel. Division rounds towards 0, and so does a pixel of the first window.
  const ended = body.op('Div', [body.op('Add', [body.op('Sub', [pixel, window]), step]), step]);
  const last = body.op('Sub', [count, one]);
  const first = body.op('Max', [body.op('Min', [ended, last]), body.ints(0)]);
  const placeIn = (index: string) => {
    const within = body.op('Sub', [pixel, beginOf(body, tiles, index)]);
    return body.op('Add', [body.op('Mul', [index, window]), within]);
  };
  const place = placeIn(first);
  // Along the last axis, or along the one before it.
  const along = axis === 3 ? body.ints(-1) : body.ints(-1, 1);
  const none = body.toFloat64(body.ints(0));
  let sum = body.op('Gather', [value, place], { axis });
  let holders = one;
  for (let neighbour = 1; neighbour < mostTilesPerPixel; neighbour++) {
    const index = body.op('Add', [first, body.ints(neighbour)]);
    const exists = body.op('Less', [index, count]);
    const begun = body.op('Not', [body.op('Less', [pixel, beginOf(body, tiles, index)])]);
    const holds = body.op('And', [exists, begun]);
    const there = body.op('Gather', [value, body.op('Where', [holds, placeIn(index), place])], { axis });
    const counts = body.op('Reshape', [holds, along]);
    sum = body.op('Add', [sum, body.op('Where', [counts, there, none])]);
    holders = body.op('Add', [holders, body.op('Cast', [holds], { to: DataType.INT64 })]);
  }
  const divisor = body.op('Reshape', [body.toFloat64(holders), along]);
  return body.op('Div', [sum, divisor]);
}

/** LocalWindowMerge(P, X). */
export function localWindowMergeFunction({ opset, type }: BodyOptions): FunctionProto {
  const body = new Body(type);
  const windows = planeSidesOf(body, 'P');
  const sides = planeSidesOf(body, 'X').map(
    ({ axis, length }, i): Extent => ({ axis, length, window: windows[i as 0 | 1].length }),
  );
  const [rows, columns] = sides.map((side) => tilesOf(body, side)) as [Tiles, Tiles];
  const image = body.slice(body.op('Shape', ['X']), body.ints(0), body.ints(2), 0);
  const channels = body.slice(image, body.ints(1), body.ints(2), 0);
  // N × R × Q × C × kh' × kw', then N × C × (R · kh') × (Q · kw').
  const grid = [body.ints(-1), rows.count, columns.count, channels, rows.window, columns.window];
  const apart = body.op('Reshape', ['P', body.op('Concat', grid, { axis: 0 })]);
  const ordered = body.op('Transpose', [apart], { perm: [0, 3, 1, 4, 2, 5] });
  const laid = [rows, columns].map(({ count, window }) => body.op('Mul', [count, window]));
  const inLine = body.op('Reshape', [ordered, body.op('Concat', [image, ...laid], { axis: 0 })]);
  const wide = body.toFloat64(inLine); // three of the largest float32 add up to more than it has room for
  const mean = [rows, columns].reduce((value, tiles) => meanOverTiles(body, value, tiles), wide);
  body.toTypeOfX(mean);
  return body.toFunction('LocalWindowMerge', ['P', 'X'], [], opset);
}
