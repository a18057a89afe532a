import { type FreeReport, free, writeModel } from '@tlsc/api';
import { Command } from 'commander';
import { identityOf } from '../destinations.js';
import { type OutputOptions, perform } from '../perform.js';
import { showSize } from '../table.js';

interface Options extends OutputOptions {
  readonly output: string;
}

interface Result extends FreeReport {
  /** What was written, the model last. */
  readonly files: readonly string[];
}

async function freeFile(model: string, { output }: Options, signal: AbortSignal): Promise<Result> {
  const freed = await free(model, { signal });
  return { ...freed.report, files: await writeModel(freed, output, { signal }) };
}

function show(model: string, { size, nodes, files }: Result): void {
  const [written] = files.slice(-1);
  if (!size) {
    console.log(`${model} takes images of any size already. ${written} is a copy.`);
    return;
  }
  for (const node of nodes) console.log(node);
  const held = nodes.length === 1 ? '1 node' : `${nodes.length} nodes`;
  console.log(
    `${model} was exported for images of ${showSize(size)}. ${held} freed of that. Written to ${written}; it takes any size that the network takes.`,
  );
}

export function freeCommand(): Command {
  const command = new Command('free')
    .description('Make a model that was exported for images of one size one for any.')
    .argument('<model>', 'the ONNX file')
    .requiredOption('-o, --output <file>', 'where the freed model goes (required)')
    .option('--json', 'print what was freed as JSON')
    .addHelpText('after', '\nExample:\n  tlsc free nafnet_256.onnx -o nafnet.onnx');
  return command.action((model: string, options: Options) => {
    if (identityOf(model) === identityOf(options.output))
      command.error(`error: ${options.output} would overwrite the model`);
    return perform(
      options,
      (signal) => freeFile(model, options, signal),
      (result) => show(model, result),
    );
  });
}
