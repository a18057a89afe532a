import { join } from 'node:path';
import type { Size, ValueOptions } from '@tlsc/api';
import type { EvaluateOptions, Evaluation } from '@tlsc/evaluate';
import { Command } from 'commander';
import { showShares } from '../evaluation-progress.js';
import { loadEvaluate } from '../load-package.js';
import {
  collect,
  type Multiples,
  parseHalo,
  parseMetric,
  parseNumber,
  parseSides,
  parseSize,
  parseSizes,
  sizesOf,
} from '../parse.js';
import { type OutputOptions, perform } from '../perform.js';
import { table } from '../table.js';
import { addValueOptions, valuesIn } from '../value-options.js';

interface Options extends OutputOptions, ValueOptions {
  readonly pairs: string;
  readonly trainSize: Size;
  readonly output?: string;
  readonly baseSize?: readonly Size[] | Multiples;
  readonly patchSize?: readonly number[];
  readonly blendedSize?: readonly number[];
  readonly fast?: boolean;
  readonly round: boolean;
  readonly shave?: number;
  readonly metric?: Readonly<Record<string, string>>;
  readonly statistics: boolean;
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly modelOutput?: string;
  readonly input?: Readonly<Record<string, number>>;
  readonly cache?: string | false;
}

interface Result {
  readonly evaluation: Evaluation;
  readonly left: readonly string[];
  /** The path of the report's page; undefined where none was asked for. */
  readonly page: string | undefined;
}

async function evaluateModels(
  models: readonly string[],
  options: Options,
  signal: AbortSignal,
): Promise<Result> {
  const { evaluate, findPairs, writeReport } = await loadEvaluate();
  const { trainSize, output, baseSize, patchSize, blendedSize, fast, round, shave, metric, statistics } =
    options;
  const { modelOutput, cache = output === undefined ? undefined : join(output, '.cache') } = options;
  const { pairs, left } = await findPairs(options.pairs);
  const progress = showShares(options.json === true);
  const chosen: EvaluateOptions = {
    ...valuesIn(options),
    trainSize,
    baseSizes: baseSize && sizesOf(baseSize, trainSize),
    patchSizes: patchSize,
    blendedSizes: blendedSize,
    fast,
    round,
    shave,
    metrics: metric,
    statistics,
    output: modelOutput,
    inputs: options.input,
    include: options.include,
    exclude: options.exclude,
    cache: cache === false ? undefined : cache,
    onProgress: progress.show,
    signal,
  };
  try {
    const evaluation = await evaluate(models, pairs, chosen);
    const page = output === undefined ? undefined : await writeReport(evaluation, output, chosen, { left });
    return { evaluation, left, page };
  } finally {
    progress.close();
  }
}

const number = (value: number | undefined, digits: number) =>
  value === undefined || Number.isNaN(value) ? '-' : value.toFixed(digits);

function show({ evaluation, left, page }: Result): void {
  const { models, input, measures, hasTargets } = evaluation;
  const others = measures.slice(4);
  const rows = models.flatMap(({ name, methods }) =>
    methods.map(({ title, work, mean }) => [
      name,
      title,
      number(mean?.psnr, 2),
      number(mean?.ssim, 4),
      ...others.map((measure) => number(mean?.[measure], 4)),
      number(work, 2),
    ]),
  );
  const ofInput = input
    ? [
        [
          '',
          'input',
          number(input.mean?.psnr, 2),
          number(input.mean?.ssim, 4),
          ...others.map((name) => number(input.mean?.[name], 4)),
          '',
        ],
      ]
    : [];
  console.log(table(['model', 'method', 'PSNR', 'SSIM', ...others, 'work'], [...ofInput, ...rows]));
  console.log(
    hasTargets
      ? ''
      : '\nThere are no targets: this is how far results are from those of the original on whole photos.\n',
  );
  for (const { verdict, name, statistics } of models) {
    console.log(verdict.sentence);
    const { total } = statistics ?? {};
    if (total)
      console.log(
        `  The statistics of ${name} are ${number(total.whole.wasserstein, 2)} deviations from those of training crops on whole photos, ${number(total.local.wasserstein, 2)} in windows.`,
      );
  }
  const ofAll = [...(input ? [{ name: 'photos', methods: [input] }] : []), ...models];
  for (const { name, statisticsFailure } of models)
    if (statisticsFailure) console.error(`tlsc: warning: ${name}, statistics: ${statisticsFailure}`);
  for (const { name, methods } of ofAll)
    for (const { title, photos } of methods)
      for (const [i, entry] of photos.entries())
        if ('failure' in entry)
          console.error(`tlsc: warning: ${name}, ${title}, ${evaluation.photos[i]?.name}: ${entry.failure}`);
  for (const path of left) console.error(`tlsc: warning: ${path} has no other half, and was left out`);
  if (page) console.log(`\nThe report is ${page}.`);
}

export function evaluateCommand(): Command {
  const command = new Command('evaluate')
    .description(
      'Measure on your own photos whether local statistics help a model, and with which base size.',
    )
    .argument('<models...>', 'the original ONNX files')
    .requiredOption(
      '--pairs <folder>',
      'photos and their targets: a folder in which names or folders say which is which (input and target, blur and sharp, lq and gt …), or a CSV file with the columns input and target (required)',
    )
    .requiredOption(
      '--train-size <HxW>',
      'size of the training crops, height first; 256 is 256x256 (required)',
      parseSize,
    )
    .option('-o, --output <folder>', 'where the report goes: a page, JSON, CSV and figures')
    .option(
      '--base-size <sizes>',
      'base sizes to compare: 64,96,128, or as multiples of the training size 1,1.25,1.5,2x (default: 1,1.25,1.5,2,2.5,3x)',
      parseSizes,
    )
    .option(
      '--patch-size <sides>',
      'sides of the tiles to compare (default: 1, 1.5, 2, 3, 4 and 6 times the training size)',
      parseSides,
    )
    .option(
      '--blended-size <sides>',
      'sides of tiles that overlap by half and are blended (default: the training size)',
      parseSides,
    )
    .option('--fast', 'compare the published approximation (fast_imp), too')
    .option('--no-round', 'measure results as they come, not rounded as files are')
    .option(
      '--shave <pixels>',
      'leave out so many pixels along each border (default: 0, or the scale)',
      parseHalo,
    )
    .option(
      '--metric <name=file>',
      'another measure: a model of two inputs, the result and the target (repeatable)',
      parseMetric,
    )
    .option('--include <name>', 'make only this statistic local, as for convert (repeatable)', collect)
    .option('--exclude <name>', 'leave this statistic global, likewise (repeatable)', collect)
    .option('--no-statistics', 'leave out the comparison of the statistics themselves')
    .option('--model-output <name>', 'the output that is the restored image, where the model has several')
    .option('--input <name=number>', 'what a model takes beside the photo (repeatable)', parseNumber)
    .option('--cache <folder>', 'keep what was measured here (default: .cache in the report)')
    .option('--no-cache', 'keep nothing, and measure all of it again')
    .option('--json', 'print all that was measured as JSON');
  addValueOptions(command).addHelpText(
    'after',
    '\nWhat was measured is kept: after an interruption the same command goes on where it was.\n\nExample:\n  tlsc evaluate hinet.onnx --pairs photos/ --train-size 256 -o report/',
  );
  return command.action((models: string[], options: Options) =>
    perform(options, (signal) => evaluateModels(models, options, signal), show),
  );
}
