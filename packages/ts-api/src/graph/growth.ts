import type { Size } from '../size.js';
import type { TwoSizes } from './two-sizes.js';

/** What an axis follows: one side of the image, or the pixels of its planes, laid one after the other. */
export type Following = 'rows' | 'columns' | 'pixels';

/** What the axes of images follow. */
const ofImages: readonly (Following | undefined)[] = [undefined, undefined, 'rows', 'columns'];

/** How far, as a logarithm, borders and halves that were rounded may put the growth of pixels beside that of the image. */
const exact = 0.1;

/** Which axes of the values of a model grow with the image, going by what they are at two sizes. */
export class Growth {
  readonly #sizes: TwoSizes;
  /** By what height and width of the image grow from the one size to the other. */
  readonly #factors: readonly [rows: number, columns: number];

  constructor(sizes: TwoSizes) {
    this.#sizes = sizes;
    const [trained, other] = sizes.map(({ size }) => size) as [Size, Size];
    this.#factors = [other[0] / trained[0], other[1] / trained[1]];
  }

  /** What an axis, which may be negative, follows; undefined where it is as long at both sizes. */
  of(value: string, axis: number): Following | undefined {
    const [trained, other] = this.#sizes.map(({ shapes }) => shapes.get(value));
    const [before, after] = [trained?.at(axis) ?? 0, other?.at(axis) ?? 0];
    // Behind a node that fails at the other size, it is images that have four axes.
    if (trained?.length === 4 && !other && before > 1) return ofImages.at(axis);
    if (before === 0 || after === 0 || before === after) return undefined;
    const [rows, columns] = this.#factors;
    const off = (factor: number) => Math.abs(Math.log(after / before / factor));
    if (off(rows * columns) < exact) return 'pixels';
    return off(rows) < off(columns) ? 'rows' : 'columns';
  }

  /** What each axis of the value follows. */
  along(value: string): (Following | undefined)[] {
    const rank = this.#sizes[0].shapes.get(value)?.length ?? 0;
    return Array.from({ length: rank }, (_, axis) => this.of(value, axis));
  }

  /** Whether these axes take in whole planes. Two that grow are height and width, whichever is which. */
  takeInPlane(value: string, axes: readonly number[]): boolean {
    const followed = axes.map((axis) => this.of(value, axis)).filter((one) => one !== undefined);
    return followed.includes('pixels') || followed.length > 1;
  }

  /** Whether the last two axes of the value are height and width, in this order. */
  endsInPlane(value: string): boolean {
    const [rows, columns] = [this.of(value, -2), this.of(value, -1)];
    const isTurned = rows === 'columns' && columns === 'rows';
    return rows !== undefined && columns !== undefined && !isTurned;
  }
}
