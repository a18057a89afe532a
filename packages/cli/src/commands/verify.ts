import { type Size, type Verification, verify } from '@tlsc/api';
import { Command } from 'commander';
import { parseSize } from '../parse.js';
import { type OutputOptions, perform } from '../perform.js';
import { showSize, table } from '../table.js';

interface Options extends OutputOptions {
  readonly fullSize?: Size;
}

const scientific = (value: number) => value.toExponential(1);

/** Why a model in which nothing is wrong has not passed all the same. */
function showUnproven({ selfCheck }: Verification): void {
  if (selfCheck)
    console.log('NOTHING PROVEN, and so not passed: no output shows what the local operators do.');
  else console.log('NOT COMPARED with the original, and so not passed.');
}

function showBlind(blindSites: readonly string[]): void {
  if (blindSites.length === 0) return;
  console.log(
    'No output shows anything of these, so that nothing is proven of them; they may have no effect:',
  );
  for (const node of blindSites) console.log(`  ${node}`);
}

export function showVerification(verification: Verification): void {
  const { selfCheck, fullSize, wrongWindows, wrongEpsilons, missingSites } = verification;
  const { blindSites, fed, tolerance, faulty, passed } = verification;
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
  for (const { input, values } of fed) console.log(`Input ${input} was fed ${values}.`);
  for (const node of wrongWindows)
    console.log(`${node} has a window that its conversion sizes do not call for.`);
  for (const node of wrongEpsilons) console.log(`${node} has another epsilon than in the original.`);
  for (const node of missingSites) console.log(`${node} was made local, and is not local any more.`);
  showBlind(blindSites);
  const bound = `${scientific(tolerance)} of the output's largest value (or of 1, if that is less)`;
  if (passed) console.log(blindSites.length > 0 ? 'Passed. Of those above nothing is proven.' : 'Passed.');
  else if (!faulty) showUnproven(verification);
  else {
    console.log(`FAILED: differences may reach ${bound}, windows and epsilons must be right,`);
    console.log('what was made local must be so, and the converted model must come from this original.');
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
      'size of the image on which the kernels and the bodies are compared, larger than the base size (default: 720x1280)',
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
