// The two sizes of a conversion, and the windows that follow from them.
import type { Size } from '../size.js';

/** The sizes that a model was converted with. */
export interface ConversionSizes {
  /** Of the crops that the network was trained on. */
  readonly trainSize: Size;
  /** Of the image whose features the windows span. */
  readonly baseSize: Size;
}

/** The published rule: the plane's size at the training size, scaled by base size over training size, rounded down. */
export function windowFor(featureSize: Size, { trainSize, baseSize }: ConversionSizes): Size {
  const side = (axis: 0 | 1) => Math.floor((featureSize[axis] * baseSize[axis]) / trainSize[axis]);
  return [side(0), side(1)];
}

/** The published bound on what fast mode skips: five rows or columns of the image, in the plane's own. */
export function maxStrideFor(featureSize: Size, { trainSize }: ConversionSizes): Size {
  const side = (axis: 0 | 1) => Math.max(1, Math.floor((5 * featureSize[axis]) / trainSize[axis]));
  return [side(0), side(1)];
}
