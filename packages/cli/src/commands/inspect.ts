import { type Explanation, type Inspection, inspect, type Size, type ValueDescription } from '@tlsc/api';
import { Command } from 'commander';
import { fusedLines } from '../fused.js';
import { networkLines } from '../network.js';
import { parseSize } from '../parse.js';
import { type OutputOptions, perform } from '../perform.js';
import { showSize, showWindow, table } from '../table.js';
import { warn } from '../warn.js';

interface Options extends OutputOptions {
  readonly trainSize?: Size;
  readonly explain?: string;
}

function showValues(kind: string, values: readonly ValueDescription[]): string[] {
  return values.map(
    ({ name, type, shape }) => `${kind} ${name}: ${type} [${shape.map((side) => side || '?').join(', ')}]`,
  );
}

function showStatistics({
  statistics,
  localOperators,
  fusedOperators,
  converted,
  measuredAt,
}: Inspection): string[] {
  const lines: string[] = [];
  if (converted) {
    const { version, trainSize, baseSize, sites } = converted;
    const sizes = `training size ${showSize(trainSize)} and base size ${showSize(baseSize)}`;
    lines.push(`converted by tlsc ${version} for ${sizes}, ${sites.length} sites`);
  }
  if (localOperators.length > 0) {
    const rows = localOperators.map(({ node, operator, window, maxStride }) => [
      node,
      operator,
      window ? showWindow(window, maxStride) : '-',
    ]);
    lines.push('', table(['local operator', 'kind', 'window'], rows));
  }
  if (fusedOperators.length > 0) lines.push('', ...fusedLines(fusedOperators));
  if (statistics.length > 0) {
    const rows = statistics.map(({ node, opType, operator, featureSize, reason }) => [
      node,
      opType,
      featureSize ? showSize(featureSize) : '-',
      operator ?? `nothing: ${reason}`,
    ]);
    const measured = `feature size at ${showSize(measuredAt)}`;
    const last = converted ? 'left global; could become' : 'would become';
    lines.push('', table(['global statistic', 'operator', measured, last], rows));
  }
  if (statistics.length === 0 && localOperators.length === 0)
    lines.push('no global statistics: nothing to convert');
  return lines;
}

function showExplanation({ node, opType, verdicts }: Explanation): void {
  console.log(`${node} (${opType})\n`);
  const concerned = verdicts.filter(({ outcome }) => outcome !== 'passes');
  const others = verdicts.filter(({ outcome }) => outcome === 'passes');
  const rows = [...concerned, ...others].map(({ rule, outcome, reason }) => [rule, outcome, reason]);
  console.log(table(['rule', 'verdict', 'because'], rows));
}

function show(inspection: Inspection): void {
  warn(inspection.warnings);
  if (inspection.explanation) {
    showExplanation(inspection.explanation);
    return;
  }
  const { producer, opset, irVersion, inputs, outputs } = inspection;
  const lines = [
    `opset ${opset}, IR version ${irVersion}${producer && `, made by ${producer}`}`,
    ...showValues('input', inputs),
    ...showValues('output', outputs),
    ...networkLines(inspection),
    ...showStatistics(inspection),
  ];
  console.log(lines.join('\n'));
}

export function inspectCommand(): Command {
  return new Command('inspect')
    .description('Say what a model is, which global statistics it has and what would become of each.')
    .argument('<model>', 'the ONNX file')
    .option(
      '--train-size <HxW>',
      "size at which shapes are measured (default: the model's own, else 256x256)",
      parseSize,
    )
    .option('--explain <node>', 'say of one node what each rule makes of it, and why')
    .option('--json', 'print the findings as JSON')
    .addHelpText('after', '\nExample:\n  tlsc inspect hinet.onnx')
    .action((model: string, options: Options) => {
      const { json: _, ...asked } = options;
      return perform(options, (signal) => inspect(model, { ...asked, signal }), show);
    });
}
