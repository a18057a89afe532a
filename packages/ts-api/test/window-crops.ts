// What a local model must give, told by its original alone: where a network looks at single pixels but for its statistics, a pixel of the
// local model is what the original makes of it on the window around it, cut out of the image.
import { Tensor } from 'onnxruntime-common';
import { expect } from 'vitest';
import { InferenceSession } from '../src/session/inference-session.js';
import type { Size } from '../src/size.js';

/** Where height and width lie among four axes. */
export type Planes = readonly [rows: number, columns: number];

function sizesOf(dims: readonly number[], [rows, columns]: Planes): Size {
  return [dims[rows] ?? 0, dims[columns] ?? 0];
}

/** Calls visit(offset, row, column) for all values. */
function forEachValue(
  dims: readonly number[],
  [rows, columns]: Planes,
  visit: (offset: number, row: number, column: number, rest: string) => void,
): void {
  const index = dims.map(() => 0);
  const count = dims.reduce((product, side) => product * side, 1);
  for (let offset = 0; offset < count; offset++) {
    const rest = index.filter((_, axis) => axis !== rows && axis !== columns).join();
    visit(offset, index[rows] ?? 0, index[columns] ?? 0, rest);
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      index[axis] = (index[axis] ?? 0) + 1;
      if ((index[axis] ?? 0) < (dims[axis] ?? 0)) break;
      index[axis] = 0;
    }
  }
}

function cropOf(x: Tensor, planes: Planes, [top, left]: Size, [height, width]: Size): Tensor {
  const values: number[] = [];
  forEachValue(x.dims, planes, (offset, row, column) => {
    if (row >= top && row < top + height && column >= left && column < left + width)
      values.push(x.data[offset] as number);
  });
  const dims = x.dims.map((side, axis) => (axis === planes[0] ? height : axis === planes[1] ? width : side));
  return new Tensor('float32', Float32Array.from(values), dims);
}

/** For each pixel of the image x, by `rest` (the other axes), row and column, what the original gives. */
export async function windowResults(
  original: Uint8Array,
  x: Tensor,
  window: Size,
  planes: Planes,
  outputPlanes = planes,
): Promise<Map<string, number>> {
  const session = await InferenceSession.create(original);
  const [height, width] = sizesOf(x.dims, planes);
  const sides: Size = [Math.min(window[0], height), Math.min(window[1], width)];
  const place = (pixel: number, length: number, side: number) =>
    Math.min(Math.max(pixel - Math.floor((side - 1) / 2), 0), length - side);
  const results = new Map<string, number>();
  for (let top = 0; top <= height - sides[0]; top++) {
    for (let left = 0; left <= width - sides[1]; left++) {
      const { y } = await session.run({ x: cropOf(x, planes, [top, left], sides) });
      if (!y) throw new Error('no y');
      forEachValue(y.dims, outputPlanes, (offset, row, column, rest) => {
        const [down, across] = [top + row, left + column];
        if (place(down, height, sides[0]) === top && place(across, width, sides[1]) === left)
          results.set([rest, down, across].join(), y.data[offset] as number);
      });
    }
  }
  await session.release();
  return results;
}

/** Holds a converted model against its original, natively and portably. */
export async function expectLikeWindows(
  original: Uint8Array,
  converted: Uint8Array,
  x: Tensor,
  window: Size,
  {
    planes = [2, 3],
    outputPlanes = planes,
    tolerance = 1e-5,
  }: {
    readonly planes?: Planes;
    readonly outputPlanes?: Planes;
    readonly tolerance?: number;
  } = {},
): Promise<void> {
  const expected = await windowResults(original, x, window, planes, outputPlanes);
  for (const operators of ['native', 'portable'] as const) {
    const session = await InferenceSession.create(converted, { operators });
    const { y } = await session.run({ x });
    await session.release();
    if (!y) throw new Error('no y');
    let largest = 0;
    let count = 0;
    forEachValue(y.dims, outputPlanes, (offset, row, column, rest) => {
      const value = expected.get([rest, row, column].join());
      const error = Math.abs((y.data[offset] as number) - (value ?? Number.NaN));
      largest = Number.isNaN(error) ? Number.POSITIVE_INFINITY : Math.max(largest, error);
      count += 1;
    });
    expect(count).toBe(expected.size);
    expect(largest, operators).toBeLessThan(tolerance);
  }
}
