import { type Size, type Verification, verify } from '@tlsc/api';
import { Command } from 'commander';
import { parseSize } from '../parse.js';
import { type OutputOptions, perform } from '../perform.js';
import { showSize, table } from '../table.js';

interface Options extends OutputOptions {
  readonly fullSize?: Size;
}

/** Whether nothing is wrong but that the models could not be compared. */
export function isUnknown({ selfCheck, wrongWindows, wrongEpsilons }: Verification): boolean {
  return selfCheck === undefined && wrongWindows.length === 0 && wrongEpsilons.length === 0;
}

export function showVerification(verification: Verification): void {
  const { selfCheck, fullSize, wrongWindows, wrongEpsilons, tolerance, passed } = verification;
  const scientific = (value: number) => value.toExponential(1);
  const rows = selfCheck
    ? [
        ['original and native', showSize(selfCheck.size), scientific(selfCheck.native)],
        ['original and portable', showSize(selfCheck.size), scientific(selfCheck.portable)],
      ]
    : [];
  if (fullSize)
    rows.push(['native and portable', showSize(fullSize.size), scientific(fullSize.nativeToPortable)]);
  console.log(table(['compared', 'image', 'largest difference'], rows));
  console.log();
  if (!selfCheck) {
    console.log(
      'At no image size does every window cover its plane: nothing to compare with the original at.',
    );
  }
  for (const node of wrongWindows)
    console.log(`${node} has a window that its conversion sizes do not call for.`);
  for (const node of wrongEpsilons) console.log(`${node} has another epsilon than in the original.`);
  const bound = `${scientific(tolerance)} of the output's largest value (or of 1, if that is less)`;
  if (passed) console.log('Passed.');
  else if (isUnknown(verification)) console.log('NOT COMPARED with the original, and so not passed.');
  else {
    console.log(`FAILED: differences may reach ${bound}, windows and epsilons must be right,`);
    console.log('and the converted model must come from this original.');
  }
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
        showVerification,
      );
    });
}
