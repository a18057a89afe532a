import { InferenceSession, restore, TlscError, writePhoto } from '@tlsc/api';
import { SingleBar } from 'cli-progress';
import { Command } from 'commander';
import { type Destination, planOutputs, prepareFolder } from '../destinations.js';
import { parseThreads } from '../parse.js';
import { type OutputOptions, perform } from '../perform.js';

interface Options extends OutputOptions {
  readonly output: string;
  readonly threads: number;
  readonly modelOutput?: string;
}

interface ImageResult extends Destination {
  readonly height?: number;
  readonly width?: number;
  readonly seconds?: number;
  readonly error?: { readonly code: string; readonly message: string };
}

async function restoreOne(
  session: InferenceSession,
  { input, output }: Destination,
  options: Options,
  signal: AbortSignal,
): Promise<ImageResult> {
  const start = performance.now();
  try {
    const { modelOutput } = options;
    const photo = await restore(session, input, {
      signal,
      ...(modelOutput !== undefined && { output: modelOutput }),
    });
    await writePhoto(photo, output);
    const [, , height = 0, width = 0] = photo.tensor.dims;
    return { input, output, height, width, seconds: (performance.now() - start) / 1000 };
  } catch (error) {
    if (!(error instanceof TlscError) || error.code === 'ERR_ABORTED') throw error;
    const { code, message } = error;
    return { input, output, error: { code, message } };
  }
}

/** One after the other: each run has all the threads. An image that fails does not keep the others from being restored. */
async function restoreAll(
  model: string,
  plan: readonly Destination[],
  options: Options,
  signal: AbortSignal,
): Promise<ImageResult[]> {
  const session = await InferenceSession.create(model, {
    intraOpNumThreads: options.threads,
    logSeverityLevel: 4, // Errors are printed once, by us.
  });
  const bar = new SingleBar({
    format: '{bar} {value}/{total} {image}',
    clearOnComplete: true,
    noTTYOutput: false,
  });
  const showsProgress = plan.length > 1 && !options.json && process.stderr.isTTY;
  const results: ImageResult[] = [];
  try {
    if (showsProgress) bar.start(plan.length, 0, { image: '' });
    for (const destination of plan) {
      if (showsProgress) bar.update(results.length, { image: destination.input });
      results.push(await restoreOne(session, destination, options, signal));
    }
  } finally {
    if (showsProgress) bar.stop();
    await session.release();
  }
  if (results.some(({ error }) => error)) process.exitCode = 1;
  return results;
}

function show(results: readonly ImageResult[]): string {
  return results
    .map(({ input, output, height, width, seconds, error }) =>
      error
        ? `${input}: FAILED: ${error.message} (${error.code})`
        : `${input} -> ${output} (${height}x${width}, ${seconds?.toFixed(2)} s)`,
    )
    .join('\n');
}

export function runCommand(): Command {
  const command = new Command('run')
    .description('Restore photos with a model, converted or not.')
    .argument('<model>', 'the ONNX file')
    .argument('<image...>', 'PNG, JPEG, WebP, TIFF, … files')
    .requiredOption('-o, --output <file|dir>', 'the restored image, or the folder for several')
    .option('--threads <n>', 'threads within an operator (default: one per core)', parseThreads, 0)
    .option('--model-output <name>', 'the output that is the restored image, where the model has several')
    .option('--json', 'print the results as JSON')
    .addHelpText(
      'after',
      '\nExample:\n  tlsc run hinet.local.onnx photo.jpg -o restored.png\n  tlsc run hinet.local.onnx photos/*.jpg -o restored/',
    );
  return command.action((model: string, images: string[], options: Options) => {
    const plan = planOutputs(images, options.output, (message) => command.error(`error: ${message}`));
    return perform(
      options,
      async (signal) => {
        await prepareFolder(plan);
        return restoreAll(model, plan, options, signal);
      },
      show,
    );
  });
}
