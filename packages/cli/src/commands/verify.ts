import { type Size, type Verification, verify } from '@tlsc/api';
import { Command } from 'commander';
import { parseSize } from '../parse.js';
import { type OutputOptions, perform } from '../perform.js';
import { showSize, table } from '../table.js';

interface Options extends OutputOptions {
  readonly fullSize?: Size;
}

function show({ selfCheck, fullSize, wrongWindows, passed }: Verification): string {
  const scientific = (value: number) => value.toExponential(1);
  const rows = selfCheck
    ? [
        ['original and native', showSize(selfCheck.size), scientific(selfCheck.native)],
        ['original and portable', showSize(selfCheck.size), scientific(selfCheck.portable)],
      ]
    : [];
  rows.push(['native and portable', showSize(fullSize.size), scientific(fullSize.nativeToPortable)]);
  return [
    table(['compared', 'image', 'largest difference'], rows),
    '',
    ...(selfCheck
      ? []
      : ['There is no image size at which every window covers its plane; the original was not compared.']),
    ...wrongWindows.map((node) => `${node} has a window that its conversion sizes do not call for.`),
    passed ? 'Passed.' : 'FAILED.',
  ].join('\n');
}

export function verifyCommand(): Command {
  return new Command('verify')
    .description(
      'Check a converted model against the original, on the native kernels and on the portable function bodies.',
    )
    .argument('<model>', 'the original ONNX file')
    .argument('<converted>', 'the converted one')
    .option(
      '--full-size <HxW>',
      'size of the image on which the kernels and the bodies are compared (default: 720x1280)',
      parseSize,
    )
    .option('--json', 'print the differences as JSON')
    .addHelpText('after', '\nExample:\n  tlsc verify hinet.onnx hinet.local.onnx')
    .action((model: string, converted: string, options: Options) => {
      const { fullSize } = options;
      return perform(
        options,
        async (signal) => {
          const verification = await verify(model, converted, { signal, ...(fullSize && { fullSize }) });
          if (!verification.passed) process.exitCode = 1;
          return verification;
        },
        show,
      );
    });
}
