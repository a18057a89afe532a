import type { Size } from '../size.js';
import type { TwoSizes } from './two-sizes.js';

/** What an axis follows: one side of the image, or the pixels of its planes, laid one after the other. */
export type Following = 'rows' | 'columns' | 'pixels';

/** What the axes of images follow. */
const ofImages: readonly (Following | undefined)[] = [undefined, undefined, 'rows', 'columns'];

/** A length at both sizes. */
type Lengths = readonly [trained: number, other: number];

/** An axis, and its lengths. */
interface Growing {
  readonly axis: number;
  readonly lengths: Lengths;
}

/** Which axes of the values of a model grow with the image, going by what they are at two sizes. */
export class Growth {
  readonly #sizes: TwoSizes;
  /** By what height and width of the image grow from the one size to the other. */
  readonly #factors: readonly [rows: number, columns: number];
  /** By how many pixels. */
  readonly #steps: readonly [rows: number, columns: number];
  /** How many pixels the planes of the model's images have. */
  readonly #planes: readonly Lengths[];
  /** The same where only the first size was seen. */
  readonly #guessed: ReadonlySet<number>;

  constructor(sizes: TwoSizes) {
    this.#sizes = sizes;
    const [trained, other] = sizes.map(({ size }) => size) as [Size, Size];
    this.#factors = [other[0] / trained[0], other[1] / trained[1]];
    this.#steps = [other[0] - trained[0], other[1] - trained[1]];
    const planes = [...sizes[0].shapes.keys()].flatMap((value) => this.#planesOf(value));
    this.#planes = [...new Map(planes.map((plane) => [plane.join(), plane])).values()];
    const images = [...sizes[0].shapes.values()].filter(({ length }) => length === 4);
    this.#guessed = new Set(images.map(([, , height = 0, width = 0]) => height * width));
  }

  /** The pixels of an image: of any two axes, one behind the other, that grow, where there are more axes than those of rows. */
  #planesOf(value: string): Lengths[] {
    const [trained = [], other = []] = this.#sizes.map(({ shapes }) => shapes.get(value));
    if (trained.length < 4) return [];
    return trained.slice(1).flatMap((_, before): Lengths[] => {
      const sides = [before, before + 1].map((axis) => [trained[axis] ?? 0, other[axis] ?? 0] as const);
      const [[height, height2], [width, width2]] = sides as [Lengths, Lengths];
      return height !== height2 && width !== width2 ? [[height * width, height2 * width2]] : [];
    });
  }

  /** What an axis, which may be negative, follows; undefined where it is as long at both sizes. */
  of(value: string, axis: number): Following | undefined {
    const [trained, other] = this.#sizes.map(({ shapes }) => shapes.get(value));
    if (trained && !other) return this.#guess(trained, axis);
    const [before, after] = [trained?.at(axis) ?? 0, other?.at(axis) ?? 0];
    if (before === 0 || after === 0 || before === after) return undefined;
    const growing = (trained ?? []).flatMap((side, i): Growing[] => {
      const then = other?.[i] ?? side;
      return side === then ? [] : [{ axis: i, lengths: [side, then] }];
    });
    const arePixels = this.#arePixels([before, after]);
    if (growing.length === 1 && arePixels) return 'pixels';
    if (growing.length === 2 && !arePixels)
      return this.#side(growing, axis < 0 ? axis + (trained?.length ?? 0) : axis);
    const [rows, columns] = this.#factors;
    const off = (factor: number) => Math.abs(Math.log(after / before / factor));
    const side = off(rows) < off(columns) ? 'rows' : 'columns';
    // Sides of images are rounded, and lose borders: between the two, they are the likelier.
    return off(rows * columns) * 1.5 < Math.min(off(rows), off(columns)) ? 'pixels' : side;
  }

  /**
   * Which of two axes is which side of the image: the one whose factor it grows by. Where borders were cut off, neither does, by more
   * than a pixel; then they grow by as many pixels for each that the image grows by, since both sides have one scale and one border.
   */
  #side(growing: readonly Growing[], axis: number): Following {
    const [rows, columns] = this.#factors;
    const lengths = growing.map((one) => one.lengths) as [Lengths, Lengths];
    const [first, second] = lengths.map(([trained, other]) => other / trained) as [number, number];
    const off = (a: number, b: number) => Math.abs(Math.log(Math.abs(a / b)));
    const isRounded = (...factors: readonly [number, number]) =>
      lengths.every(([trained, other], i) => Math.abs(other - trained * (factors[i] ?? 1)) <= 1);
    let straight = off(first, rows) + off(second, columns);
    let turned = off(first, columns) + off(second, rows);
    if (!isRounded(rows, columns) && !isRounded(columns, rows)) {
      const [step = 1, nextStep = 1] = lengths.map(([trained, other]) => other - trained);
      const [rowStep, columnStep] = this.#steps;
      straight = off(step / nextStep, rowStep / columnStep);
      turned = off(step / nextStep, columnStep / rowStep);
    }
    return (growing[0]?.axis === axis) === straight <= turned ? 'rows' : 'columns';
  }

  /** Behind a node that fails at the other size: images have four axes, and rows are as long as their planes. */
  #guess(shape: readonly number[], axis: number): Following | undefined {
    const side = shape.at(axis) ?? 0;
    if (side < 2) return undefined;
    if (shape.length === 4) return ofImages.at(axis);
    return this.#guessed.has(side) ? 'pixels' : undefined;
  }

  /** Whether these are the pixels of planes, or of several at once. */
  #arePixels([trained, other]: Lengths): boolean {
    return this.#planes.some(
      ([pixels, pixels2]) => trained % pixels === 0 && (trained / pixels) * pixels2 === other,
    );
  }

  /** How long each axis of the value is at both sizes; where the other was not seen, as long as at the first. */
  lengths(value: string): Lengths[] {
    const [trained = [], other = trained] = this.#sizes.map(({ shapes }) => shapes.get(value));
    return trained.map((side, axis) => [side, other[axis] ?? side]);
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

  /** Whether these two axes of the value are height and width, in this order. */
  arePlane(value: string, first: number, second: number): boolean {
    const [rows, columns] = [this.of(value, first), this.of(value, second)];
    const isTurned = rows === 'columns' && columns === 'rows';
    return rows !== undefined && columns !== undefined && !isTurned;
  }
}
