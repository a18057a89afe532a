/** Names that are taken, and new ones. */
export class Names {
  readonly #counts = new Map<string, number>();
  /** The last number that a name made of this one got. */
  readonly #numbers = new Map<string, number>();

  constructor(taken: readonly string[]) {
    this.add(taken);
  }

  add(taken: readonly string[]): void {
    for (const name of taken) this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  /** `base` with a number that makes it a name of its own; it is taken from now on. */
  number(base: string): string {
    let number = this.#numbers.get(base) ?? 0;
    let name: string;
    do {
      number += 1;
      name = `${base}_${number}`;
    } while (this.#counts.has(name));
    this.#numbers.set(base, number);
    this.add([name]);
    return name;
  }

  /** `wanted`, or, where something has that name, one made of it; it is taken from now on. */
  take(wanted: string): string {
    if (this.#counts.has(wanted)) return this.number(wanted);
    this.add([wanted]);
    return wanted;
  }

  /** The name of something within the graph, or, where something else has that name, one made of it. */
  keep(name: string): string {
    return (this.#counts.get(name) ?? 0) <= 1 ? name : this.take(name);
  }
}
