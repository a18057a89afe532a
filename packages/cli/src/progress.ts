import { SingleBar } from 'cli-progress';
import type { ImageResult } from './commands/run.js';
import { showPieces } from './pieces-options.js';

function show(
  { input, output, height, width, frames = 1, seconds, pieces, skipped, losses = [], error }: ImageResult,
  print: (line: string) => void,
): void {
  if (error) {
    console.error(`${input}: FAILED: ${error.message} (${error.code})`);
    return;
  }
  const several = frames > 1 ? `, ${frames} frames` : '';
  if (skipped) print(`${input}: skipped, ${output} is there`);
  else print(`${input} -> ${output} (${height}x${width}${several}, ${seconds?.toFixed(2)} s)`);
  if (pieces && !skipped) {
    print(`${input}: ${showPieces(pieces)}`);
    if (pieces.bound === 'none')
      console.error(
        `tlsc: warning: ${output} shows where it was cut: values near the edges of its pieces are other than those of the whole photo`,
      );
  }
  for (const loss of losses) console.error(`tlsc: warning: ${output} is without what ${input} has: ${loss}`);
}

/** Tells of each image as it is done, under a progress bar where someone watches. */
export class Progress {
  readonly #bar = new SingleBar({ format: '{bar} {value}/{total} {image}', clearOnComplete: true });
  readonly #total: number;
  readonly #isSilent: boolean;
  readonly #print: (line: string) => void;
  readonly #showsBar: boolean;
  #done = 0;

  /** `isTaken`: standard output is for something else. */
  constructor(total: number, isSilent: boolean, isTaken: boolean) {
    this.#total = total;
    this.#isSilent = isSilent;
    this.#print = isTaken ? console.error : console.log;
    this.#showsBar = !isSilent && process.stderr.isTTY;
  }

  begin(image: string): void {
    if (this.#showsBar && this.#total > 1) this.#bar.start(this.#total, this.#done, { image });
  }

  /** So many pieces of an image are done. */
  piece(image: string, done: number, all: number): void {
    if (!this.#showsBar) return;
    this.#bar.stop();
    if (done < all) this.#bar.start(all, done, { image: `pieces of ${image}` });
  }

  end(result: ImageResult): void {
    this.close();
    this.#done++;
    if (!this.#isSilent) show(result, this.#print);
    if (this.#done < this.#total) this.begin(result.input);
  }

  close(): void {
    if (this.#showsBar) this.#bar.stop();
  }
}
