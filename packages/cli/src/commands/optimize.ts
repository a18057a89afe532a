import { type OptimizeReport, optimize, type Size, writeModel } from '@tlsc/api';
import { Command } from 'commander';
import { identityOf } from '../destinations.js';
import { fusedLines } from '../fused.js';
import { parseSize } from '../parse.js';
import { type OutputOptions, perform } from '../perform.js';
import { showSize } from '../table.js';

interface Options extends OutputOptions {
  readonly output: string;
  readonly size?: Size;
}

interface Result extends OptimizeReport {
  /** What was written, the model last. */
  readonly files: readonly string[];
}

async function optimizeFile(model: string, options: Options, signal: AbortSignal): Promise<Result> {
  const { output, size } = options;
  const optimized = await optimize(model, { signal, ...(size && { size }) });
  return { ...optimized.report, files: await writeModel(optimized, output, { signal }) };
}

function show(model: string, { fused, check, files }: Result): void {
  const [written] = files.slice(-1);
  if (!check) {
    console.log(`${model} has nothing that could be fused. ${written} is a copy.`);
    return;
  }
  for (const line of fusedLines(fused)) console.log(line);
  const difference = Math.max(check.native, check.portable).toExponential(1);
  console.log(
    `Largest difference from ${model} on noise of ${showSize(check.size)}: ${difference}. Written to ${written}; it runs in any ONNX Runtime.`,
  );
}

export function optimizeCommand(): Command {
  const command = new Command('optimize')
    .description('Make a model faster that is to keep its global statistics, or has none.')
    .argument('<model>', 'the ONNX file')
    .requiredOption('-o, --output <file>', 'where the optimized model goes (required)')
    .option(
      '--size <HxW>',
      "size of the image on which it is looked at and compared (default: the model's own, else 256x256)",
      parseSize,
    )
    .option('--json', 'print what was fused as JSON')
    .addHelpText(
      'after',
      '\nconvert does the same besides making statistics local.\n\nExample:\n  tlsc optimize restormer.onnx -o restormer.fast.onnx',
    );
  return command.action((model: string, options: Options) => {
    if (identityOf(model) === identityOf(options.output))
      command.error(`error: ${options.output} would overwrite the model`);
    return perform(
      options,
      (signal) => optimizeFile(model, options, signal),
      (result) => show(model, result),
    );
  });
}
