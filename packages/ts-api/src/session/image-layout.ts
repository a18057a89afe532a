// Where the axes of images lie: N×C×H×W, or N×H×W×C as TensorFlow and JAX have them.

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

/**
 * The layout of an image that a model has computed, which has 1 or 3 channels: the expected one if it fits, the other if that is not
 * certain; undefined where neither does.
 */
export function layoutOfResult(
  dims: readonly number[],
  expected: ImageLayout,
  isCertain: boolean,
): ImageLayout | undefined {
  const isColour = (side: number | undefined) => side === 1 || side === 3;
  if (dims.length !== 4) return undefined;
  if (isColour(dims[expected.channels])) return expected;
  if (isCertain) return undefined;
  return [channelsFirst, channelsLast].find(({ channels }) => isColour(dims[channels]));
}

/** The four sides of an image in this layout. */
export function sidesIn(
  layout: ImageLayout,
  [batch, channels, height, width]: readonly [number, number, number, number],
): number[] {
  return layout.channels === 1 ? [batch, channels, height, width] : [batch, height, width, channels];
}
