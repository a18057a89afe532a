// Writes sizes as nodes: lengths of axes, and what is worked out of them.
import type { Graph } from '../graph/graph.js';
import type { NodeProto } from '../graph/proto.js';

/** A length that follows from that of an axis: times a fraction, or what it is short of a multiple of `multiple`. */
export interface Following {
  readonly value: string;
  readonly axis: number;
  readonly times: number;
  readonly over: number;
  readonly multiple?: number;
}

export type Length = number | Following;

/** The product of lengths. */
export type Side = readonly Length[];

export class SizeWriter {
  readonly #made = new Map<string, string>();

  constructor(readonly graph: Graph) {}

  /** A vector of these sides, in front of `before`. */
  vector(sides: readonly Side[], base: string, before: NodeProto): string {
    const parts: string[] = [];
    let numbers: number[] = [];
    const flush = () => {
      if (numbers.length > 0) parts.push(this.graph.addIntegers(base, numbers));
      numbers = [];
    };
    for (const side of sides) {
      const number = numberOf(side);
      if (number !== undefined) numbers.push(number);
      else {
        flush();
        parts.push(this.#side(side, base, before));
      }
    }
    flush();
    if (parts.length === 1) return parts[0] ?? '';
    return this.graph.insertBefore(before, base, 'Concat', parts, { attributes: { axis: 0 } });
  }

  #side(side: Side, base: string, before: NodeProto): string {
    const [first = '', ...others] = side.map((length) => this.#length(length, base, before));
    return others.reduce(
      (product, length) => this.graph.insertBefore(before, base, 'Mul', [product, length]),
      first,
    );
  }

  #length(length: Length, base: string, before: NodeProto): string {
    if (typeof length === 'number') return this.graph.addIntegers(base, [length]);
    const { value, axis, times, over, multiple } = length;
    const key = [value, axis, times, over, multiple].join();
    const made = this.#made.get(key);
    if (made !== undefined) return made;
    const shape = this.graph.insertBefore(before, base, 'Shape', [value]);
    const bounds = [axis, axis + 1].map((at) => this.graph.addIntegers(base, [at]));
    let side = this.graph.insertBefore(before, base, 'Slice', [shape, ...bounds]);
    for (const [opType, by] of [
      ['Mul', times],
      ['Div', over],
    ] as const)
      if (by !== 1)
        side = this.graph.insertBefore(before, base, opType, [side, this.graph.addIntegers(base, [by])]);
    if (multiple !== undefined) side = this.#missing(side, multiple, base, before);
    this.#made.set(key, side);
    return side;
  }

  /** (multiple - length mod multiple) mod multiple. */
  #missing(length: string, multiple: number, base: string, before: NodeProto): string {
    const by = this.graph.addIntegers(base, [multiple]);
    const insert = (opType: string, input: readonly string[]) =>
      this.graph.insertBefore(before, base, opType, input);
    return insert('Mod', [insert('Sub', [by, insert('Mod', [length, by])]), by]);
  }
}

/** The number that a side is; undefined where it follows an axis. */
export function numberOf(side: Side): number | undefined {
  return side.every((length) => typeof length === 'number')
    ? side.reduce<number>((product, length) => product * (length as number), 1)
    : undefined;
}

/** The number that a side is where values have these shapes. */
export function sizeIn(side: Side, shapeOf: (value: string) => readonly number[] | undefined): number {
  return side.reduce<number>((product, length) => {
    if (typeof length === 'number') return product * length;
    const { value, axis, times, over, multiple } = length;
    const whole = Math.floor(((shapeOf(value)?.[axis] ?? Number.NaN) * times) / over);
    return product * (multiple === undefined ? whole : (multiple - (whole % multiple)) % multiple);
  }, 1);
}
