import {
  type EncodeOptions,
  framesExtensions,
  type ImageExtension,
  InferenceSession,
  type OtherInputs,
  type Pieces,
  type PiecesOptions,
  restoreFile,
  restoreImage,
  TlscError,
  type ValueOptions,
} from '@tlsc/api';
import { Command } from 'commander';
import { type Destination, isThere, planOutputs, prepareFolders, standard } from '../destinations.js';
import { chooseJobs, runJobs } from '../jobs.js';
import { parseCount, parseFormat, parseInput, parseJobs, parsePixels, parseQuality } from '../parse.js';
import { type ErrorReport, type OutputOptions, perform, reportOf } from '../perform.js';
import { addPiecesOptions, type PiecesFlags, piecesIn } from '../pieces-options.js';
import { Progress } from '../progress.js';
import { addProviderOptions, checkProvider, type ProviderFlags, providersIn } from '../provider-options.js';
import { readStandardInput, writeStandardOutput } from '../standard-streams.js';
import { addValueOptions, valuesIn } from '../value-options.js';
import { warnOfSession } from '../warn.js';

interface Options extends OutputOptions, EncodeOptions, ValueOptions, PiecesFlags, ProviderFlags {
  readonly output: string;
  readonly threads?: number;
  readonly jobs?: number;
  readonly modelOutput?: string;
  readonly input?: OtherInputs;
  readonly maxPixels?: number;
  readonly page?: number;
  readonly format?: ImageExtension;
  readonly recursive?: boolean;
  readonly skipExisting?: boolean;
}

export interface ImageResult extends Destination {
  readonly height?: number;
  readonly width?: number;
  /** Frames or pages. */
  readonly frames?: number;
  readonly seconds?: number;
  /** How it was cut; missing where it was restored whole. */
  readonly pieces?: Pieces;
  /** What of the image is not in the result, in words. */
  readonly losses?: readonly string[];
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

async function openModel(model: string, threads: number, options: Options): Promise<InferenceSession> {
  const { modelOutput } = options;
  const session = await InferenceSession.create(model, {
    executionProviders: providersIn(options),
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
  options: Options,
  pieces: PiecesOptions,
  onPiece: (done: number, all: number) => void,
  signal: AbortSignal,
): Promise<ImageResult> {
  const { modelOutput, input: inputs, maxPixels, page, quality, lossless, strip, skipExisting } = options;
  if (skipExisting && output !== standard && (await isThere(output))) return { input, output, skipped: true };
  const start = performance.now();
  try {
    const how = {
      ...valuesIn(options),
      ...pieces,
      onPiece,
      judge: true,
      signal,
      ...(modelOutput !== undefined && { output: modelOutput }),
      ...(inputs && { inputs }),
      ...(maxPixels !== undefined && { maxPixels }),
      ...(page !== undefined && { page }),
      ...(quality !== undefined && { quality }),
      ...(lossless && { lossless }),
      ...(strip && { strip }),
    };
    const source = input === standard ? await readStandardInput(signal) : input;
    const {
      height,
      width,
      frames,
      pieces: cut,
      losses,
    } = output === standard
      ? await restoreToStandardOutput(session, source, options.format ?? '.png', how)
      : await restoreFile(session, source, output, how);
    const seconds = (performance.now() - start) / 1000;
    return { input, output, height, width, frames, ...(cut && { pieces: cut }), losses, seconds };
  } catch (error) {
    if (!(error instanceof TlscError) || error.code === 'ERR_ABORTED') throw error;
    return { input, output, error: reportOf(error) };
  }
}

async function restoreToStandardOutput(...given: Parameters<typeof restoreImage>) {
  const { bytes, ...restored } = await restoreImage(...given);
  await writeStandardOutput(bytes);
  return restored;
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

/** An image that fails does not keep the others from being restored. */
async function restoreAll(
  model: string,
  plan: readonly Destination[],
  options: Options,
  signal: AbortSignal,
): Promise<RunResult> {
  const isOnCpu = !options.provider?.some((name) => name !== 'cpu');
  // Memory that is counted is for one photo at a time, unless somebody wants it otherwise.
  const count = options.jobs ?? (options.memory === undefined ? undefined : 1);
  const jobs = chooseJobs(plan.length, isOnCpu, count, options.threads);
  const session = await openModel(model, jobs.threads, options);
  const { executionProviders, operators } = session;
  const warnings = session.warnings.map(reportOf);
  if (!options.json) warnOfSession(session.warnings);
  const progress = new Progress(plan.length, options.json === true, options.output === standard);
  const pieces = piecesIn(options, jobs.count);
  const results: ImageResult[] = [];
  const told = (error?: ErrorReport) => {
    // In the order of the plan; those that were not tried leave no hole.
    const images = results.filter(Boolean);
    return { executionProviders, operators, warnings, images, ...(error && { error }) };
  };
  try {
    await runJobs(plan, jobs.count, { ...options, signal }, async (destination, index) => {
      progress.begin(destination.input);
      const onPiece = (done: number, all: number) => progress.piece(destination.input, done, all);
      const result = await restoreOne(session, destination, options, pieces, onPiece, signal);
      results[index] = result;
      progress.end(result);
    });
    return told();
  } catch (error) {
    if (!(error instanceof TlscError)) throw error;
    return told(reportOf(error));
  } finally {
    progress.close();
    await session.release();
  }
}

const help = `
A folder stands for the images in it, in the order of their names, and with --recursive for those in its folders. - is standard input, or standard output. Images that fail are named on standard error, and do not keep the others from being restored.

Photos that do not fit into memory are restored in pieces. Those of a converted network are equal to the whole but for less than half a level of 8 bits; a network with global statistics has to be told a --halo, and its pieces are other pictures. --exact and --check-pieces are for those who want to know.

Every frame of an animation and every page is restored: write them as ${framesExtensions.join(', ')}, or choose one by --page.

Exit codes: 0 all images were restored or skipped, 1 one failed or more, 2 wrong usage, 130 interrupted.

Example:
  tlsc run nafnet.local.onnx photo.jpg -o restored.png
  tlsc run nafnet.local.onnx photos/ -o restored/ --recursive --skip-existing
  tlsc run hinet.local.onnx photos/*.jpg -o restored/ --model-output stage2
  tlsc run nafnet.local.onnx panorama.tif -o restored.tif --memory 4GB --check-pieces
  tlsc run edsr.onnx photo.png -o larger.webp --range 0..255 --quality 90
  tlsc run inpaint.onnx photo.jpg -o filled.png --input mask=mask.png
  tlsc run hinet.local.onnx photos/*.jpg -o restored/ --provider cuda --provider cpu
  curl -s https://example.org/photo.jpg | tlsc run nafnet.local.onnx - -o - --format webp > restored.webp`;

export function runCommand(): Command {
  const command = new Command('run')
    .description('Restore photos with a model, converted or not.')
    .argument('<model>', 'the ONNX file')
    .argument('<image...>', 'PNG, JPEG, WebP, AVIF, TIFF or GIF files, folders of them, or -')
    .requiredOption(
      '-o, --output <file|dir>',
      'the restored image (.png, .jpg, .webp, .avif, .tif or .gif), a folder, made if need be, or - (required)',
    )
    .option('--jobs <n>', 'how many images at once (default: one per core, if memory allows)', parseJobs)
    .option(
      '--threads <n>',
      'threads within an operator; 0 is one per core (default: what --jobs leaves)',
      parseCount,
    )
    .option('--model-output <name>', 'the output that is the restored image, where the model has several')
    .option(
      '--input <name=value>',
      'what the model takes beside the photo: a number, or an image; may be given again',
      parseInput,
    )
    .option('--page <n>', 'restore this frame or page alone; the first is 0', parseCount)
    .option(
      '--max-pixels <n>',
      'refuse images that have more, all their frames or pages counted (default: 268402689)',
      parsePixels,
    );
  addPiecesOptions(addValueOptions(addProviderOptions(command)))
    .option('--format <name>', 'write all results as this: png, jpg, webp, avif, tif or gif', parseFormat)
    .option('--quality <n>', 'of JPEG, WebP and AVIF, from 1 to 100 (default: 95, of AVIF 80)', parseQuality)
    .option('--lossless', 'have WebP and AVIF lose nothing')
    .option('--strip', 'leave out EXIF, XMP and density; the colour profile stays')
    .option('--recursive', 'take the images in the folders of a folder, too')
    .option('--skip-existing', 'leave outputs alone that are there, and do not restore their images again')
    .option('--json', 'print the results as JSON')
    .addHelpText('after', help);
  return command.action((model: string, images: string[], options: Options) => {
    const refuse = (message: string) => command.error(`error: ${message}`);
    checkProvider(options, refuse);
    if (options.output === standard && options.json)
      refuse('--json and the image cannot both go to standard output');
    const { recursive = false, format } = options;
    const plan = planOutputs(images, options.output, { recursive, format }, refuse);
    return perform(
      options,
      async (signal) => {
        await prepareFolders(plan);
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
