import { join } from 'node:path';
import { writeFileAtomic } from '@tlsc/api';
import type { Evaluation } from '../evaluation.js';
import { makeFolder } from '../folder.js';
import { type EvaluateOptions, toPlan } from '../options.js';
import { version } from '../version.js';
import { WorkerThread } from '../work/worker-thread.js';
import { csvOf } from './csv.js';
import { toPng } from './draw.js';
import { figuresOf } from './figures.js';
import { pageOf } from './page.js';
import { type PhotoPictures, picturesOf } from './pictures.js';

export interface ReportOptions {
  /** Images, by path, that were left out, as `findPairs` says. Default: none. */
  readonly left?: readonly string[];
}

/** Numbers that are not finite as text: JSON has none of them. */
function plain(_: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}

/**
 * Writes what an evaluation has found into a folder, which is made: `index.html`, a page that needs nothing else, `results.json`,
 * `results.csv`, and each figure as SVG and PNG. Photos are restored once more for their pictures. `options` are those of the
 * evaluation. Resolves to the path of the page. Rejects with ERR_NOT_WRITABLE, or as `evaluate` does.
 */
export async function writeReport(
  evaluation: Evaluation,
  folder: string,
  options: EvaluateOptions,
  { left = [] }: ReportOptions = {},
): Promise<string> {
  const plan = toPlan(options);
  const { models, photos } = evaluation;
  const thread = new WorkerThread();
  const pictures: PhotoPictures[][] = [];
  try {
    const total = models.length * photos.length;
    let done = 0;
    const start = performance.now();
    for (const model of models) {
      const onPhoto = (name: string) => {
        done++;
        const secondsLeft = ((performance.now() - start) / 1000 / done) * (total - done);
        plan.onProgress({ what: `${model.name}, pictures: ${name}`, done: done / total, secondsLeft });
      };
      pictures.push(await picturesOf(evaluation, model, plan, thread, onPhoto));
    }
  } finally {
    await thread.close();
  }
  const figures = figuresOf(evaluation);
  await makeFolder(folder);
  const write = (name: string, content: string | Uint8Array) =>
    writeFileAtomic(join(folder, name), typeof content === 'string' ? Buffer.from(content) : content);
  for (const { name, svg } of figures) {
    await write(`${name}.svg`, svg);
    await write(`${name}.png`, toPng(svg));
  }
  await write('results.json', `${JSON.stringify(evaluation, plain, 2)}\n`);
  await write('results.csv', csvOf(evaluation));
  await write('index.html', pageOf(evaluation, { figures, pictures, left, version }));
  return join(folder, 'index.html');
}
