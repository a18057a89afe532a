import {
  type ConvertReport,
  convert,
  type Size,
  TlscError,
  type ValueOptions,
  type Verification,
  verify,
  writeModel,
} from '@tlsc/api';
import type { Verdict } from '@tlsc/evaluate';
import { Command, InvalidArgumentError } from 'commander';
import { identityOf } from '../destinations.js';
import { showShares } from '../evaluation-progress.js';
import { fusedLines } from '../fused.js';
import { loadEvaluate } from '../load-package.js';
import { showNetwork } from '../network.js';
import { collect, parseOpset, parseSize } from '../parse.js';
import { type OutputOptions, perform } from '../perform.js';
import { showSize, showWindow, table } from '../table.js';
import { addValueOptions, valuesIn } from '../value-options.js';
import { warn } from '../warn.js';
import { showVerification } from './verify.js';

interface Options extends OutputOptions, ValueOptions {
  readonly output: string;
  readonly trainSize: Size;
  readonly baseSize?: Size | 'auto';
  /** Of 'auto'. */
  readonly pairs?: string;
  readonly fast?: boolean;
  readonly fuse?: boolean;
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly opset?: number;
}

interface Result extends ConvertReport {
  /** Of 'auto': what it says of the base sizes that it has tried. */
  readonly verdict?: Verdict | undefined;
  /** Undefined when there was nothing to convert. */
  readonly verification: Verification | undefined;
  /** What was written, the model last; nothing when it did not pass its self-check. */
  readonly files: readonly string[];
}

/** The base size that does best on photos. Throws where none does as well as the original. */
async function chooseBaseSize(model: string, options: Options, signal: AbortSignal): Promise<Verdict> {
  const { evaluate, findPairs } = await loadEvaluate();
  const { trainSize, pairs = '', include, exclude } = options;
  const found = await findPairs(pairs);
  if (found.pairs.some(({ target }) => target === undefined)) {
    const message = `${pairs} has photos without targets, and nothing says which base size is best`;
    throw new TlscError('ERR_INVALID_ARGUMENT', message, { parameter: 'pairs', received: pairs });
  }
  const progress = showShares(options.json === true);
  const only = { patchSizes: [], blendedSizes: [], statistics: false };
  try {
    const settings = {
      ...valuesIn(options),
      ...only,
      include,
      exclude,
      trainSize,
      onProgress: progress.show,
      signal,
    };
    const { models } = await evaluate([model], found.pairs, settings);
    const [{ verdict } = { verdict: undefined }] = models;
    if (verdict?.baseSize && (verdict.gain?.mean ?? 0) >= 0) return verdict;
    throw new TlscError('ERR_NOT_LOCALIZABLE', verdict?.sentence ?? '', { parameter: 'baseSize' });
  } finally {
    progress.close();
  }
}

async function convertFile(model: string, options: Options, signal: AbortSignal): Promise<Result> {
  const { output, json: _, pairs: __, baseSize: asked, ...choice } = options;
  const verdict = asked === 'auto' ? await chooseBaseSize(model, options, signal) : undefined;
  const baseSize = asked === 'auto' ? verdict?.baseSize : asked;
  const conversion = await convert(model, { ...choice, ...(baseSize && { baseSize }), signal });
  const { report, externalDataFolder } = conversion;
  const verification =
    report.sites.length > 0
      ? await verify(model, conversion.model, { fullSize: false, externalDataFolder, signal })
      : undefined;
  // A model that could not be compared with its original, or shows little of it, is written all the same, and that is told.
  if (verification?.faulty) {
    process.exitCode = 1;
    return { ...report, verdict, verification, files: [] };
  }
  return { ...report, verdict, verification, files: await writeModel(conversion, output, { signal }) };
}

function show(model: string, result: Result): void {
  const { verdict, sites, fused, kept, warnings, freed, trainSize, baseSize, verification, files } = result;
  if (verdict) console.log(`${verdict.sentence}\n`);
  warn(warnings);
  for (const { node, reason } of kept) console.log(`${node}: ${reason}`);
  if (sites.length === 0) {
    const what = kept.length > 0 ? 'nothing else' : 'no global statistics: nothing';
    console.log(`${model} has ${what} to convert. ${files.at(-1)} is a copy, of opset ${result.opset}.`);
    showNetwork(result);
    return;
  }
  const rows = sites.map(({ node, rule, featureSize, window, maxStride, validLayers }) => [
    node,
    rule,
    showSize(featureSize),
    showWindow(window, maxStride),
    validLayers === undefined ? '-' : String(validLayers),
  ]);
  if (freed)
    console.log(
      `${model} was exported for images of ${showSize(freed.size)}, and takes any size now; nodes that held it: ${freed.nodes.length}.\n`,
    );
  const sizes = `training size ${showSize(trainSize)} and base size ${showSize(baseSize)}`;
  console.log(table(['site', 'rule', 'feature size', 'window', 'valid-size layers'], rows));
  console.log(`\n${sites.length} global statistics made local for ${sizes}.`);
  for (const line of fusedLines(fused)) console.log(line);
  console.log('Self-check:\n');
  if (verification) showVerification(verification);
  showNetwork(result);
  const written = [...files].reverse().join(', with weights in ');
  console.log(
    files.length > 0 ? `Written to ${written}; it runs in any ONNX Runtime.` : 'Nothing was written.',
  );
}

function parseBaseSize(text: string): Size | 'auto' {
  if (text === 'auto') return text;
  try {
    return parseSize(text);
  } catch (error) {
    throw new InvalidArgumentError(`${(error as Error).message} Or write auto.`);
  }
}

export function convertCommand(): Command {
  const command = new Command('convert')
    .description('Convert a model: its global statistics become local ones.')
    .argument('<model>', 'the ONNX file')
    .requiredOption('-o, --output <file>', 'where the converted model goes (required)')
    .requiredOption(
      '--train-size <HxW>',
      'size of the training crops, height first; 256 is 256x256 (required)',
      parseSize,
    )
    .option(
      '--base-size <HxW>',
      'size of the image whose features the windows span, or auto: the one that does best on --pairs (default: 1.5 times the training size)',
      parseBaseSize,
    )
    .option('--pairs <folder>', 'photos and their targets for --base-size auto, as for evaluate')
    .option('--fast', 'take the published approximation (fast_imp), to match numbers published with it')
    .option('--no-fuse', 'leave apart what one operator could do the work of in one pass, faster')
    .option(
      '--include <name>',
      'make only this statistic local, by its node; * stands for any characters (repeatable)',
      collect,
    )
    .option('--exclude <name>', 'leave this statistic global, by its node, likewise (repeatable)', collect)
    .option(
      '--opset <version>',
      "raise the model to this opset of ONNX, at most 22 (default: the model's own, 12 at least)",
      parseOpset,
    )
    .option('--json', 'print the report as JSON');
  addValueOptions(command).addHelpText(
    'after',
    '\nWhat the values of the network mean (--range to --gray) is recorded in the model, and run heeds it.\n\nExample:\n  tlsc convert hinet.onnx -o hinet.local.onnx --train-size 256x256\n  tlsc convert edsr.onnx -o edsr.local.onnx --train-size 48 --range 0..255',
  );
  return command.action((model: string, options: Options) => {
    if (identityOf(model) === identityOf(options.output)) {
      command.error(
        `error: ${options.output} would overwrite the model, which verify and other sizes still need`,
      );
    }
    if ((options.baseSize === 'auto') !== (options.pairs !== undefined))
      command.error('error: --base-size auto and --pairs go together');
    if (options.baseSize === 'auto' && options.fast)
      command.error('error: --base-size auto is for exact windows, and --fast for others');
    return perform(
      options,
      (signal) => convertFile(model, options, signal),
      (result) => show(model, result),
    );
  });
}
