import { type Diagnosis, diagnose, type Machine, type ProviderDiagnosis } from '@tlsc/api';
import { Command } from 'commander';
import { type OutputOptions, perform } from '../perform.js';

const GiB = 2 ** 30;

function showRuntime(runtime: Machine['onnxruntime']): string[] {
  if ('problem' in runtime) return [`ONNX Runtime: ${runtime.problem.message}`];
  const providers = runtime.providers.map((name) => name.replace(/ExecutionProvider$/, ''));
  return [
    `ONNX Runtime ${runtime.version}: ${runtime.file}`,
    `  execution providers that it was built with: ${providers.join(', ')}`,
  ];
}

function showOperators(name: string, operators: Machine['operators']['cpu']): string {
  if ('problem' in operators) return `operators for ${name}: ${operators.problem.message}`;
  return `operators for ${name}: ${operators.target}, ${operators.file}`;
}

function showCuda({ driverVersion, devices }: Machine['cuda']): string[] {
  if (!driverVersion) return [];
  const cards = devices.map(
    ({ name, memory, computeCapability }, id) =>
      `  card ${id}: ${name}, ${(memory / GiB).toFixed(1)} GiB, compute capability ${computeCapability}`,
  );
  return [`NVIDIA's driver runs CUDA up to ${driverVersion}`, ...cards];
}

function showProvider(name: string, provider: ProviderDiagnosis): string {
  if (!provider.works)
    return `${name}: does not work: ${provider.problem.message} (${provider.problem.code})`;
  const how = provider.operators === 'native' ? "tlsc's kernels" : 'function bodies of the model';
  return `${name}: works; local operators run as ${how}`;
}

function show({
  version,
  node,
  platform,
  onnxruntime,
  operators,
  cuda,
  executionProviders,
}: Diagnosis): string {
  return [
    `tlsc ${version}, Node.js ${node}, ${platform}`,
    ...showRuntime(onnxruntime),
    showOperators('the CPU', operators.cpu),
    showOperators('CUDA', operators.cuda),
    ...showCuda(cuda),
    '',
    showProvider('cpu', executionProviders.cpu),
    showProvider('cuda', executionProviders.cuda),
  ].join('\n');
}

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('Say what works on this machine, what is missing and how to get it.')
    .option('--json', 'print the findings as JSON')
    .addHelpText('after', '\nFails where models do not run on the CPU.\n\nExample:\n  tlsc doctor')
    .action((options: OutputOptions) =>
      perform(
        options,
        async () => {
          const diagnosis = await diagnose();
          if (!diagnosis.executionProviders.cpu.works) process.exitCode = 1;
          return diagnosis;
        },
        (diagnosis) => console.log(show(diagnosis)),
      ),
    );
}
