import type { Graph } from '../graph/graph.js';
import type { NodeProto } from '../graph/proto.js';
import { withDims } from '../rewrite/weights.js';
import { type Axes, aligned, pick, sameSizes } from './axes.js';

/** A value that has one number for each pixel: the axes in front of rows and columns. */
export interface LocalForm {
  readonly name: string;
  readonly lead: Axes;
}

/** Where the axes of an image lie. */
export interface ImageLayout {
  readonly rank: number;
  /** Of rows and columns, or of the pixels of planes laid in rows. */
  readonly plane: readonly [number, number] | readonly [number];
}

/** The local forms of values while a graph is rewritten, and what brings them into the forms that their readers want. */
export class LocalForms {
  readonly #forms = new Map<string, LocalForm>();
  readonly #made = new Map<string, string>();

  constructor(readonly graph: Graph) {}

  set(value: string, form: LocalForm): void {
    this.#forms.set(value, form);
  }

  of(value: string): LocalForm {
    const form = this.#forms.get(value);
    if (!form) throw new Error(`${value} has no local form`);
    return form;
  }

  /** The value with these axes in front of rows and columns. */
  fit(value: string, lead: Axes, before: NodeProto): string {
    const { name, lead: own } = this.of(value);
    return this.reform(name, own, lead, before);
  }

  /** What has `from` in front of rows and columns, with `to` there. */
  reform(name: string, from: Axes, to: Axes, before: NodeProto): string {
    if (sameSizes(from, to)) return name;
    return this.#once(`${name} as ${to.map(({ size }) => size).join()}`, () => {
      const plane = this.planeOf(name, from.length, before);
      const isKept = (i: number) => from[i]?.isBatch && from[i].size === to[i]?.size;
      const sizes = to.map(({ size, isBatch }, i) => (isBatch ? (isKept(i) ? 0 : -1) : size));
      const shape = this.join([this.graph.addIntegers(`${name}_shape`, sizes), plane], name, before);
      return this.graph.insertBefore(before, name, 'Reshape', [name, shape]);
    });
  }

  /** Height and width of a value with so many axes in front of them, as a vector. */
  planeOf(name: string, lead: number, before: NodeProto): string {
    return this.#once(`plane of ${name}`, () => this.sidesOf(name, lead, lead + 2, before));
  }

  /** The lengths of some axes of a value, as a vector. */
  sidesOf(name: string, begin: number, end: number, before: NodeProto): string {
    const base = `${name}_shape`;
    const shape = this.graph.insertBefore(before, base, 'Shape', [name]);
    const bounds = [begin, end].map((at) => this.graph.addIntegers(base, [at]));
    return this.graph.insertBefore(before, base, 'Slice', [shape, ...bounds]);
  }

  /** Vectors of sizes, one behind the other. */
  join(parts: readonly string[], name: string, before: NodeProto): string {
    const options = { attributes: { axis: 0 } };
    return this.graph.insertBefore(before, `${name}_shape`, 'Concat', parts, options);
  }

  /** A value of this shape that is the same for all pixels, with `lead` in front of a row and a column, to meet local forms. */
  spread(value: string, shape: readonly number[], lead: Axes, before: NodeProto): string {
    const dims = [...lead.map(({ size }) => size), 1, 1];
    const least = trimmed(dims);
    if (shape.length <= dims.length && least.join() === trimmed(shape).join()) return value;
    const tensor = this.graph.constant(value);
    if (tensor) return this.graph.addInitializer(withDims({ ...tensor, name: value }, least));
    const sizes = [...lead.map(({ size, isBatch }) => (isBatch ? -1 : size)), 1, 1];
    const wanted = this.graph.addIntegers(`${value}_shape`, sizes);
    return this.graph.insertBefore(before, value, 'Reshape', [value, wanted]);
  }

  /** The local form of a value of these axes, laid out like an image that it meets or becomes. */
  layOut(value: string, axes: Axes, { rank, plane }: ImageLayout, before: NodeProto): string {
    const whole = aligned(axes, rank);
    const places = whole.flatMap((_, i) => (plane.includes(i as never) ? [] : [i]));
    const lead = pick(whole, places);
    let name = this.fit(value, lead, before);
    if (plane.length === 1) {
      const sizes = lead.map(({ size, isBatch }, i) => (isBatch && i === 0 ? 0 : size));
      const shape = this.graph.addIntegers(`${name}_shape`, [...sizes, -1]);
      name = this.graph.insertBefore(before, name, 'Reshape', [name, shape]);
    }
    const order = [...places, ...plane];
    const perm = Array.from({ length: rank }, (_, axis) => order.indexOf(axis));
    if (perm.every((from, axis) => from === axis)) return name;
    return this.graph.insertBefore(before, name, 'Transpose', [name], { attributes: { perm } });
  }

  #once(key: string, make: () => string): string {
    const made = this.#made.get(key) ?? make();
    this.#made.set(key, made);
    return made;
  }
}

/** Without the ones in front. */
function trimmed(dims: readonly number[]): readonly number[] {
  const first = dims.findIndex((side) => side !== 1);
  return first < 0 ? [] : dims.slice(first);
}
