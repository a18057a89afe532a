// Evaluates the three networks on all six photos, as `tlsc evaluate` does, and writes the report.
import { join, relative } from 'node:path';
import { evaluate, findPairs, type Progress, writeReport } from '@tlsc/evaluate';

/** A line for each tenth. */
function tell(): (progress: Progress) => void {
  let told = 0;
  return ({ what, done, secondsLeft }) => {
    if (done < told) return;
    told = Math.floor(done * 10 + 1) / 10;
    const left = secondsLeft === undefined ? '' : `, ${Math.ceil(secondsLeft)} s left`;
    console.log(`${Math.round(done * 100)} %${left} (${what})`);
  };
}

export async function report(
  models: readonly string[],
  photos: string,
  trainSize: number,
  output: string,
): Promise<void> {
  const { pairs } = await findPairs(photos);
  const options = { trainSize, cache: join(output, '.cache') };
  console.log(`Evaluating ${models.length} networks on ${pairs.length} photos.`);
  const evaluation = await evaluate(models, pairs, { ...options, onProgress: tell() });
  const page = await writeReport(evaluation, output, { ...options, onProgress: tell() });
  for (const { verdict } of evaluation.models) console.log(verdict.sentence);
  console.log(`\nThe report is ${relative(process.cwd(), page)}.`);
}
