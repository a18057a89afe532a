// The mean of (x - mean(x))² is a variance: its local form is not the mean of what local means have been taken off.
import { isOnnxDomain, type NodeProto } from '../graph/proto.js';
import type { RuleContext } from '../rewrite/rule.js';
import { isWeights, weightsOf } from '../rewrite/weights.js';
import type { Start } from './starts.js';

type WithGraph = Pick<RuleContext, 'graph'>;

function producerOf(
  { graph }: WithGraph,
  value: string,
  ...opTypes: readonly string[]
): NodeProto | undefined {
  const node = graph.producer(graph.originOf(value));
  return node && isOnnxDomain(node.domain) && opTypes.includes(node.opType) ? node : undefined;
}

/** What `value` is the square of. */
function squared(context: WithGraph, value: string): string | undefined {
  const node = producerOf(context, value, 'Mul', 'Pow');
  const [base = '', other = ''] = node?.input ?? [];
  if (node?.opType === 'Mul') return base === other ? base : undefined;
  const tensor = node && context.graph.constant(other);
  const power = tensor && isWeights(tensor) ? [...weightsOf(context.graph.withValues(tensor))] : [];
  return power.length === 1 && power[0] === 2 ? base : undefined;
}

/** The two operands of a difference, also where it is written as a sum with what is negated. */
function difference(context: WithGraph, value: string): readonly [string, string] | undefined {
  const node = producerOf(context, value, 'Sub', 'Add');
  const [a = '', b = ''] = node?.input ?? [];
  if (node?.opType === 'Sub') return [a, b];
  for (const [whole, taken] of [
    [a, b],
    [b, a],
  ] as const) {
    const [negated] = (node && producerOf(context, taken, 'Neg')?.input) ?? [];
    if (negated !== undefined) return [whole, negated];
  }
  return undefined;
}

/** Whether it is a mean, be it written as a sum that is divided. */
function isAverage({ kind, divisions }: Start): boolean {
  return kind === 'mean' || (kind === 'sum' && divisions !== undefined);
}

/** What it takes the mean of the squares of. */
function baseOf(context: WithGraph, start: Start): string | undefined {
  if (isAverage(start)) return squared(context, start.image);
  return start.kind === 'sum of squares' && start.divisions ? start.image : undefined;
}

/**
 * A mean as the variance that it is, where what it takes the mean of are the squares of what is left of an image when `meanOf`, its mean
 * over the same axes, is taken off; undefined where it is none.
 */
export function varianceAt(
  context: WithGraph,
  start: Start,
  meanOf: (value: string) => Start | undefined,
): Start | undefined {
  if (start.first) return undefined;
  const base = baseOf(context, start);
  const parts = base === undefined ? undefined : difference(context, base);
  // The square of a difference is that of its negative.
  for (const [image, taken] of parts ? [parts, [parts[1], parts[0]] as const] : []) {
    const mean = meanOf(taken);
    const isAlike = mean?.image === image && mean.places.toSorted().join() === start.places.toSorted().join();
    if (mean && isAverage(mean) && isAlike) return { ...start, kind: 'variance', image, mean };
  }
  return undefined;
}
