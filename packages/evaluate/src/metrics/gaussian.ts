// Gaussian means of planes, row by row: only as many rows as the window has are kept.

export const windowSide = 11;
const sigma = 1.5;

const weights = (() => {
  const middle = (windowSide - 1) / 2;
  const all = Float64Array.from({ length: windowSide }, (_, i) =>
    Math.exp(-((i - middle) ** 2) / (2 * sigma ** 2)),
  );
  const total = all.reduce((sum, weight) => sum + weight, 0);
  return all.map((weight) => weight / total);
})();

/** The means of every full window along a row. */
function alongRow(row: Float64Array, to: Float64Array): void {
  for (let x = 0; x < to.length; x++) {
    let sum = 0;
    for (let i = 0; i < windowSide; i++) sum += (weights[i] as number) * (row[x + i] as number);
    to[x] = sum;
  }
}

/** The last rows of one quantity, averaged along each, and their means down. */
export class GaussianRows {
  readonly means: Float64Array;
  readonly #rows: Float64Array[];

  constructor(width: number) {
    const count = width - windowSide + 1;
    this.means = new Float64Array(count);
    this.#rows = Array.from({ length: windowSide }, () => new Float64Array(count));
  }

  /** Takes the next row; from the eleventh on `means` are those of the windows that end in it. */
  push(row: Float64Array): void {
    const newest = this.#rows.shift() as Float64Array;
    this.#rows.push(newest);
    alongRow(row, newest);
    this.means.fill(0);
    for (const [i, one] of this.#rows.entries()) {
      const weight = weights[i] as number;
      for (let x = 0; x < this.means.length; x++)
        this.means[x] = (this.means[x] as number) + weight * (one[x] as number);
    }
  }
}
