// Where the axes of images lie: N×C×H×W, or N×H×W×C as TensorFlow and JAX have them.
import type { Slicer } from './image-tensors.js';

/** Which of four axes is which. */
export interface ImageLayout {
  readonly channels: 1 | 3;
  readonly rows: 1 | 2;
  readonly columns: 2 | 3;
}

export const channelsFirst: ImageLayout = { channels: 1, rows: 2, columns: 3 };
export const channelsLast: ImageLayout = { channels: 3, rows: 1, columns: 2 };

/** Gray, colour, and either with one more. */
function isCount(side: number | string | undefined): boolean {
  return typeof side === 'number' && side >= 1 && side <= 4;
}

/**
 * The layout of images by the shape that a model declares: channels last where the last side alone is a number, or one that channels go
 * by.
 */
export function layoutOf(shape: readonly (number | string)[]): ImageLayout {
  const [, second, third, last] = shape;
  const isLast =
    typeof last === 'number' && (typeof second === 'string' ? typeof third === 'string' : !isCount(second));
  const isTelling = isLast && (isCount(last) || typeof second === 'string');
  return isTelling ? channelsLast : channelsFirst;
}

/** The layout of an image that a model has computed, which has 1 or 3 channels; undefined where it has neither first nor last so many. */
export function layoutOfResult(dims: readonly number[]): ImageLayout | undefined {
  const isColour = (side: number | undefined) => side === 1 || side === 3;
  if (dims.length !== 4) return undefined;
  if (isColour(dims[1])) return channelsFirst;
  return isColour(dims[3]) ? channelsLast : undefined;
}

/** The four sides of an image in this layout. */
export function sidesIn(
  layout: ImageLayout,
  [batch, channels, height, width]: readonly [number, number, number, number],
): number[] {
  return layout.channels === 1 ? [batch, channels, height, width] : [batch, height, width, channels];
}

/**
 * A matrix of so many rows, turned. The channels of an image are the rows of what has them first, its pixels of what has them last.
 */
export async function turned(values: Float32Array, rows: number, slicer: Slicer): Promise<Float32Array> {
  const result = new Float32Array(values.length);
  const columns = values.length / rows;
  // Along the longer side, so that no slice is more than a part of the work.
  const alongRows = rows > columns;
  await slicer(alongRows ? rows : columns, (begin, end) => {
    const [firstRow, lastRow] = alongRows ? [begin, end] : [0, rows];
    const [firstColumn, lastColumn] = alongRows ? [0, columns] : [begin, end];
    for (let row = firstRow; row < lastRow; row++) {
      for (let column = firstColumn; column < lastColumn; column++)
        result[column * rows + row] = values[row * columns + column] as number;
    }
  });
  return result;
}
