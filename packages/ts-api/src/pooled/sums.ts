// Sums over planes that are divided by the number of pixels later on are means.
import { isOnnxDomain, type NodeProto } from '../graph/proto.js';
import type { RuleContext } from '../rewrite/rule.js';
import { isWeights, weightsOf } from '../rewrite/weights.js';
import { pick } from './axes.js';
import type { Start } from './starts.js';

/** What may lie between a sum and its division: it changes no number. */
const handing = new Set(['Cast', 'Flatten', 'Identity', 'Reshape', 'Squeeze', 'Transpose', 'Unsqueeze']);

/** The one node that reads what another hands on, and the value that it reads, through nodes that change no number. */
function readerOf({ graph }: Pick<RuleContext, 'graph'>, start: NodeProto) {
  let [value = ''] = start.output;
  for (;;) {
    const [reader, ...others] = graph.consumers(value);
    if (!reader || others.length > 0 || graph.isOutput(value) || !isOnnxDomain(reader.domain))
      return undefined;
    if (!handing.has(reader.opType)) return { reader, value };
    if (reader.input[0] !== value) return undefined;
    [value = ''] = reader.output;
  }
}

/** A division or multiplication by one number. */
interface Scaling {
  readonly node: NodeProto;
  /** The number, and whether it multiplies. */
  readonly by: string;
  readonly multiplies: boolean;
}

function scalingAfter(context: Pick<RuleContext, 'graph'>, start: NodeProto): Scaling | undefined {
  const found = readerOf(context, start);
  if (!found) return undefined;
  const { reader: node, value } = found;
  const by = node.input.find((name) => name !== value) ?? '';
  if (node.opType === 'Div' && node.input[0] === value) return { node, by, multiplies: false };
  return node.opType === 'Mul' ? { node, by, multiplies: true } : undefined;
}

/** Values whose numbers tell whether sums are divided by the number of pixels. */
export function divisorsAskedOf(graph: RuleContext['graph']): string[] {
  return graph.nodes.flatMap((node) => {
    if (node.opType !== 'ReduceSum' || !isOnnxDomain(node.domain)) return [];
    const scaling = scalingAfter({ graph }, node);
    return scaling && !graph.constant(scaling.by) && graph.producer(scaling.by) ? [scaling.by] : [];
  });
}

/** The numbers that a divisor is at both sizes of the image. */
function numbersOf({ graph, growth }: RuleContext, value: string): readonly number[] {
  const tensor = graph.constant(value);
  const constant = tensor && isWeights(tensor) ? weightsOf(graph.withValues(tensor)) : undefined;
  if (constant) return constant.length === 1 ? [constant[0] as number] : [];
  return growth.numbers(value);
}

/** The node that divides the sum of the start by the number of elements that it sums over; undefined where none does. */
export function divisionAfter(context: RuleContext, start: Start): NodeProto | undefined {
  if (start.kind !== 'sum') return undefined;
  const scaling = scalingAfter(context, start.node);
  if (!scaling) return undefined;
  const sides = context.growth.lengths(start.image);
  const others = start.places.filter((i) => !start.plane.includes(i as never));
  const rest = pick(start.axes, others).reduce((product, { size }) => product * size, 1);
  const counts = ([0, 1] as const).map((at) =>
    start.plane.reduce((product, axis) => product * (sides[axis]?.[at] ?? 0), rest),
  );
  const numbers = numbersOf(context, scaling.by);
  const near = (number: number | undefined, count: number | undefined) =>
    number !== undefined && count !== undefined && Math.abs(number / count - 1) < 1e-5;
  // A constant is the number of pixels at the size that the model was traced at.
  const divides = numbers.some((_, at) => {
    const number = scaling.multiplies ? 1 / (numbers[at] ?? 0) : numbers[at];
    return numbers.length === 1 ? counts.some((count) => near(number, count)) : near(number, counts[at]);
  });
  const all = numbers.every(
    (number, at) => numbers.length === 1 || near(scaling.multiplies ? 1 / number : number, counts[at]),
  );
  return divides && all ? scaling.node : undefined;
}
