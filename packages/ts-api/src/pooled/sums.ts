// Sums over planes that are divided by the number of pixels later on are means; other numbers that follow the size of the image have no
// place beside what is local.
import type { Graph } from '../graph/graph.js';
import { isOnnxDomain, type NodeProto } from '../graph/proto.js';
import { sizeNumbers } from '../graph/size-numbers.js';
import type { RuleContext } from '../rewrite/rule.js';
import { isWeights, weightsOf } from '../rewrite/weights.js';
import { pick } from './axes.js';
import type { Start } from './starts.js';

/** What may lie between a sum and its division: it changes no number. */
const handing = new Set(['Cast', 'Flatten', 'Identity', 'Reshape', 'Squeeze', 'Transpose', 'Unsqueeze']);

/** Whether a node hands on its numbers as they are; an Expand does where there is nothing to spread over. */
function handsOn({ growth }: RuleContext, { opType, input, output }: NodeProto): boolean {
  if (opType !== 'Expand') return handing.has(opType);
  const [before, after] = [input, output].map(([value = '']) => growth.lengths(value));
  return before?.join() === after?.join();
}

/** Values whose numbers tell whether sums are divided by the number of pixels: those that meet anything but sizes. */
export function numbersAskedOf(graph: Graph): string[] {
  const numbers = sizeNumbers(graph);
  return [...numbers].filter((value) =>
    graph
      .consumers(value)
      .some(
        ({ opType, output }) =>
          ['Div', 'Mul', 'Add', 'Sub', 'Pow'].includes(opType) && !numbers.has(output[0] ?? ''),
      ),
  );
}

/** How little a number may change from one size to the other: n / (n - 1) does, of as many pixels as images have. */
const unnoticed = 1e-3;

/** Whether a value is worked out of the size of the image, and is another at another size. */
export function growsInNumber(context: RuleContext, numbers: ReadonlySet<string>, value: string): boolean {
  if (!numbers.has(value)) return false;
  const [first, second] = context.growth.numbers(value);
  if (first === undefined || second === undefined) return true;
  return !(Math.abs(first / second - 1) < unnoticed);
}

/** A division or multiplication by one number. */
interface Scaling {
  readonly node: NodeProto;
  /** The number, and whether it multiplies. */
  readonly by: string;
  readonly multiplies: boolean;
}

/** The divisions and multiplications by one number that a value goes through, one after the other, and nothing else that changes it. */
function scalingsAfter(context: RuleContext, start: NodeProto): Scaling[] {
  const { graph } = context;
  const scalings: Scaling[] = [];
  let [value = ''] = start.output;
  for (;;) {
    const [node, ...others] = graph.consumers(value);
    if (!node || others.length > 0 || graph.isOutput(value) || !isOnnxDomain(node.domain)) return scalings;
    const by = node.input.find((name) => name !== value) ?? '';
    if (node.opType === 'Div' && node.input[0] === value) scalings.push({ node, by, multiplies: false });
    else if (node.opType === 'Mul') scalings.push({ node, by, multiplies: true });
    else if (node.input[0] !== value || !handsOn(context, node)) return scalings;
    [value = ''] = node.output;
  }
}

/** The numbers that a divisor is at both sizes of the image; one where it is constant. */
function numbersOf({ graph, growth }: RuleContext, value: string): readonly number[] {
  const tensor = graph.constant(value);
  const constant = tensor && isWeights(tensor) ? weightsOf(graph.withValues(tensor)) : undefined;
  if (constant) return constant.length === 1 ? [constant[0] as number, constant[0] as number] : [];
  return growth.numbers(value);
}

/** How many elements a start sums over at each of the two sizes; of a norm, the root of that. */
function countsOf({ growth }: RuleContext, { image, axes, plane, places, kind }: Start): number[] {
  const sides = growth.lengths(image);
  const others = places.filter((i) => !plane.includes(i as never));
  const rest = pick(axes, others).reduce((product, { size }) => product * size, 1);
  const counts = ([0, 1] as const).map((at) =>
    plane.reduce((product, axis) => product * (sides[axis]?.[at] ?? 0), rest),
  );
  return kind === 'norm' ? counts.map(Math.sqrt) : counts;
}

const sums: readonly string[] = ['sum', 'sum of squares', 'sum of magnitudes', 'norm'];

/**
 * The nodes that divide the sum of the start by the number of elements that it sums over, or a norm by its root, together; undefined
 * where none do.
 */
export function divisionsAfter(context: RuleContext, start: Start): readonly NodeProto[] | undefined {
  if (!sums.includes(start.kind)) return undefined;
  const counts = countsOf(context, start);
  // Halves have eleven digits, and a reciprocal is rounded twice.
  const error = context.types.get(start.node.input[0] ?? '') === 'float16' ? 2 ** -9 : 1e-5;
  const near = (number: number, at: number) => Math.abs(number / (counts[at] ?? 0) - 1) < error;
  const nodes: NodeProto[] = [];
  let divisors = [1, 1];
  let isConstant = true;
  for (const { node, by, multiplies } of scalingsAfter(context, start.node)) {
    const numbers = numbersOf(context, by);
    if (numbers.length < 2) return undefined;
    nodes.push(node);
    isConstant &&= context.graph.constant(by) !== undefined;
    divisors = divisors.map((one, at) =>
      multiplies ? one / (numbers[at] as number) : one * (numbers[at] as number),
    );
    // A constant is the number of pixels at the size that the model was traced at.
    if (isConstant ? divisors.some(near) : divisors.every(near)) return nodes;
  }
  return undefined;
}
