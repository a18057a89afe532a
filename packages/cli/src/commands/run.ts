import { type ExecutionProvider, InferenceSession, restore, TlscError, writePhoto } from '@tlsc/api';
import { SingleBar } from 'cli-progress';
import { Command } from 'commander';
import { type Destination, isThere, planOutputs, prepareFolder } from '../destinations.js';
import { collect, parseCount, parsePixels } from '../parse.js';
import { type ErrorReport, type OutputOptions, perform, reportOf } from '../perform.js';
import { warnOfSession } from '../warn.js';

interface Options extends OutputOptions {
  readonly output: string;
  readonly threads: number;
  readonly provider?: readonly string[];
  readonly device?: number;
  readonly modelOutput?: string;
  readonly maxPixels?: number;
  readonly skipExisting?: boolean;
}

interface ImageResult extends Destination {
  readonly height?: number;
  readonly width?: number;
  readonly seconds?: number;
  /** The output was there, and has been left alone. */
  readonly skipped?: true;
  readonly error?: ErrorReport;
}

interface RunResult {
  readonly executionProviders: readonly string[];
  /** Whether local operators run as tlsc's kernels or as function bodies of the model. */
  readonly operators: InferenceSession['operators'];
  /** What was asked for, or is better, and could not be had. */
  readonly warnings: readonly ErrorReport[];
  readonly images: readonly ImageResult[];
  /** Why the images that are missing above were not tried. */
  readonly error?: ErrorReport;
}

function providersOf({ provider = ['cpu'], device }: Options): ExecutionProvider[] {
  return provider.map((name) =>
    name === 'cuda' && device !== undefined ? { name, deviceId: device } : name,
  );
}

async function openModel(model: string, options: Options): Promise<InferenceSession> {
  const { threads, modelOutput } = options;
  const session = await InferenceSession.create(model, {
    executionProviders: providersOf(options),
    intraOpNumThreads: threads,
    logSeverityLevel: 4, // Errors are printed once, by us.
  });
  const names = session.outputNames;
  if (modelOutput === undefined ? names.length === 1 : names.includes(modelOutput)) return session;
  await session.release();
  const wrong = modelOutput === undefined ? '' : `no output ${modelOutput}, but `;
  const message = `${model} has ${wrong}the outputs ${names.join(', ')}; say with --model-output which is the restored image`;
  throw new TlscError('ERR_INVALID_ARGUMENT', message, { parameter: 'output' });
}

async function restoreOne(
  session: InferenceSession,
  { input, output }: Destination,
  { modelOutput, maxPixels, skipExisting }: Options,
  signal: AbortSignal,
): Promise<ImageResult> {
  if (skipExisting && (await isThere(output))) return { input, output, skipped: true };
  const start = performance.now();
  try {
    const photo = await restore(session, input, {
      signal,
      ...(modelOutput !== undefined && { output: modelOutput }),
      ...(maxPixels !== undefined && { maxPixels }),
    });
    await writePhoto(photo, output, { signal });
    const [, , height = 0, width = 0] = photo.tensor.dims;
    return { input, output, height, width, seconds: (performance.now() - start) / 1000 };
  } catch (error) {
    if (!(error instanceof TlscError) || error.code === 'ERR_ABORTED') throw error;
    return { input, output, error: reportOf(error) };
  }
}

function show({ input, output, height, width, seconds, skipped, error }: ImageResult): void {
  if (error) console.error(`${input}: FAILED: ${error.message} (${error.code})`);
  else if (skipped) console.log(`${input}: skipped, ${output} is there`);
  else console.log(`${input} -> ${output} (${height}x${width}, ${seconds?.toFixed(2)} s)`);
}

/** '97 restored, 2 skipped, 1 failed', without what there is none of but for the first. */
function count(images: readonly ImageResult[]): string {
  const failed = images.filter(({ error }) => error).length;
  const skipped = images.filter((image) => image.skipped).length;
  const counts = [`${images.length - failed - skipped} restored`];
  if (skipped > 0) counts.push(`${skipped} skipped`);
  if (failed > 0) counts.push(`${failed} failed`);
  return counts.join(', ');
}

/** Tells of each image as it is done, under a progress bar where someone watches. */
class Progress {
  readonly #bar = new SingleBar({ format: '{bar} {value}/{total} {image}', clearOnComplete: true });
  readonly #total: number;
  readonly #showsBar: boolean;

  constructor(
    total: number,
    readonly silent: boolean | undefined,
  ) {
    this.#total = total;
    this.#showsBar = total > 1 && !silent && process.stderr.isTTY;
  }

  begin(done: number, image: string): void {
    if (this.#showsBar) this.#bar.start(this.#total, done, { image });
  }

  end(result?: ImageResult): void {
    if (this.#showsBar) this.#bar.stop();
    if (result && !this.silent) show(result);
  }
}

/** One after the other: each run has all the threads. An image that fails does not keep the others from being restored. */
async function restoreAll(
  model: string,
  plan: readonly Destination[],
  options: Options,
  signal: AbortSignal,
): Promise<RunResult> {
  const session = await openModel(model, options);
  const { executionProviders, operators } = session;
  const warnings = session.warnings.map(reportOf);
  if (!options.json) warnOfSession(session.warnings);
  const progress = new Progress(plan.length, options.json);
  const images: ImageResult[] = [];
  try {
    for (const destination of plan) {
      progress.begin(images.length, destination.input);
      images.push(await restoreOne(session, destination, options, signal));
      progress.end(images.at(-1));
    }
  } catch (error) {
    progress.end();
    if (!(error instanceof TlscError)) throw error;
    return { executionProviders, operators, warnings, images, error: reportOf(error) };
  } finally {
    await session.release();
  }
  return { executionProviders, operators, warnings, images };
}

export function runCommand(): Command {
  const command = new Command('run')
    .description('Restore photos with a model, converted or not.')
    .argument('<model>', 'the ONNX file')
    .argument('<image...>', 'PNG, JPEG, WebP, AVIF, TIFF or GIF files, or folders of them')
    .requiredOption(
      '-o, --output <file|dir>',
      'the restored image (.png, .jpg, .webp or .tif), or a folder, made if need be (required)',
    )
    .option(
      '--provider <name>',
      'execution provider: cpu (default), cuda or another of ONNX Runtime; given again, the next to try',
      collect,
    )
    .option('--device <n>', 'which card, with --provider cuda (default: 0)', parseCount)
    .option('--threads <n>', 'threads within an operator; 0 is one per core', parseCount, 0)
    .option('--model-output <name>', 'the output that is the restored image, where the model has several')
    .option(
      '--max-pixels <n>',
      'refuse images that have more, all their frames or pages counted (default: 120000000)',
      parsePixels,
    )
    .option('--skip-existing', 'leave outputs alone that are there, and do not restore their images again')
    .option('--json', 'print the results as JSON')
    .addHelpText(
      'after',
      '\nA folder stands for the images in it, in the order of their names, but not for those in its folders. Images that fail are named on standard error, and do not keep the others from being restored.\n\nExit codes: 0 all images were restored or skipped, 1 one failed or more, 2 wrong usage, 130 interrupted.\n\nExample:\n  tlsc run nafnet.local.onnx photo.jpg -o restored.png\n  tlsc run nafnet.local.onnx photos/ -o restored/ --skip-existing\n  tlsc run hinet.local.onnx photos/*.jpg -o restored/ --model-output stage2\n  tlsc run hinet.local.onnx photos/*.jpg -o restored/ --provider cuda --provider cpu',
    );
  return command.action((model: string, images: string[], options: Options) => {
    if (options.device !== undefined && !options.provider?.includes('cuda'))
      command.error('error: --device is of use with --provider cuda alone');
    const plan = planOutputs(images, options.output, (message) => command.error(`error: ${message}`));
    return perform(
      options,
      async (signal) => {
        await prepareFolder(plan);
        const result = await restoreAll(model, plan, options, signal);
        if (result.error || result.images.some(({ error }) => error)) process.exitCode = 1;
        return result;
      },
      ({ error, images }) => {
        if (error) console.error(`tlsc: ${error.message} (${error.code})`);
        else if (plan.length > 1) console.error(`tlsc: ${count(images)}`);
      },
    );
  });
}
