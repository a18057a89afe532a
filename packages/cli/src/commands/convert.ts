import { type ConvertReport, convert, type Size, writeFileAtomic } from '@tlsc/api';
import { Command } from 'commander';
import { parseSize } from '../parse.js';
import { type OutputOptions, perform } from '../perform.js';
import { showSize, table } from '../table.js';

interface Options extends OutputOptions {
  readonly output: string;
  readonly trainSize: Size;
  readonly baseSize?: Size;
}

function show(model: string, output: string, { sites, trainSize, baseSize }: ConvertReport): string {
  if (sites.length === 0)
    return `${model} has no global statistics: nothing to convert. ${output} is an exact copy.`;
  const rows = sites.map(({ node, operator, featureSize, window }) => [
    node,
    operator,
    showSize(featureSize),
    showSize(window),
  ]);
  return [
    table(['site', 'becomes', 'feature size', 'window'], rows),
    '',
    `${sites.length} global statistics made local for training size ${showSize(trainSize)} and base size ${showSize(baseSize)}.`,
    `Written to ${output}; it runs in any ONNX Runtime.`,
  ].join('\n');
}

export function convertCommand(): Command {
  return new Command('convert')
    .description('Convert a model: its global statistics become local ones.')
    .argument('<model>', 'the ONNX file')
    .requiredOption('-o, --output <file>', 'where the converted model goes')
    .requiredOption('--train-size <HxW>', 'size of the crops that the network was trained on', parseSize)
    .option(
      '--base-size <HxW>',
      'size of the image whose features the windows span (default: 1.5 times the training size)',
      parseSize,
    )
    .option('--json', 'print the report as JSON')
    .addHelpText('after', '\nExample:\n  tlsc convert hinet.onnx -o hinet.local.onnx --train-size 256x256')
    .action((model: string, options: Options) =>
      perform(
        options,
        async (signal) => {
          const { trainSize, baseSize } = options;
          const result = await convert(model, { trainSize, signal, ...(baseSize && { baseSize }) });
          await writeFileAtomic(options.output, result.model);
          return result.report;
        },
        (report) => show(model, options.output, report),
      ),
    );
}
