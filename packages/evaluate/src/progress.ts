import type { Progress } from './options.js';

/** What is left to be done, in pixels that networks see. */
export class Work {
  readonly #start = performance.now();
  #total = 0;
  #done = 0;
  /** Of what was not kept from an earlier time, which takes no time. */
  #fresh = 0;

  constructor(readonly onProgress: (progress: Progress) => void) {}

  expect(pixels: number): void {
    this.#total += pixels;
  }

  report(what: string, pixels: number, isFresh: boolean): void {
    this.#done += pixels;
    if (isFresh) this.#fresh += pixels;
    const seconds = (performance.now() - this.#start) / 1000;
    const left = this.#fresh > 0 ? (seconds / this.#fresh) * (this.#total - this.#done) : undefined;
    this.onProgress({ what, done: this.#total === 0 ? 1 : this.#done / this.#total, secondsLeft: left });
  }
}
