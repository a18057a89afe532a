import { type ConvertReport, convert, type Size, writeModel } from '@tlsc/api';
import { Command } from 'commander';
import { identityOf } from '../destinations.js';
import { parseSize } from '../parse.js';
import { type OutputOptions, perform } from '../perform.js';
import { showSize, showWindow, table } from '../table.js';
import { warn } from '../warn.js';

interface Options extends OutputOptions {
  readonly output: string;
  readonly trainSize: Size;
  readonly baseSize?: Size;
  readonly fast?: boolean;
}

function show(model: string, files: readonly string[], report: ConvertReport): void {
  const output = files.at(-1);
  warn(report.warnings);
  const { sites, kept, trainSize, baseSize } = report;
  for (const { node, reason } of kept) console.log(`${node}: ${reason}`);
  if (sites.length === 0) {
    const what = kept.length > 0 ? 'nothing else' : 'no global statistics: nothing';
    console.log(`${model} has ${what} to convert. ${output} is a copy.`);
    return;
  }
  const rows = sites.map(({ node, operator, featureSize, window, maxStride, validLayers }) => [
    node,
    operator,
    showSize(featureSize),
    showWindow(window, maxStride),
    validLayers === undefined ? '-' : String(validLayers),
  ]);
  const sizes = `training size ${showSize(trainSize)} and base size ${showSize(baseSize)}`;
  console.log(table(['site', 'becomes', 'feature size', 'window', 'valid-size layers'], rows));
  console.log(`\n${sites.length} global statistics made local for ${sizes}.`);
  console.log(`Written to ${[...files].reverse().join(', with weights in ')}; it runs in any ONNX Runtime.`);
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
      'size of the image whose features the windows span (default: 1.5 times the training size)',
      parseSize,
    )
    .option('--fast', 'take the published approximation (fast_imp), to match numbers published with it')
    .option('--json', 'print the report as JSON')
    .addHelpText('after', '\nExample:\n  tlsc convert hinet.onnx -o hinet.local.onnx --train-size 256x256');
  return command.action((model: string, options: Options) => {
    if (identityOf(model) === identityOf(options.output)) {
      command.error(
        `error: ${options.output} would overwrite the model, which verify and other sizes still need`,
      );
    }
    let files: readonly string[] = [];
    return perform(
      options,
      async (signal) => {
        const { trainSize, baseSize, fast = false } = options;
        const result = await convert(model, { trainSize, fast, signal, ...(baseSize && { baseSize }) });
        files = await writeModel(result, options.output, { signal });
        return result.report;
      },
      (report) => show(model, files, report),
    );
  });
}
