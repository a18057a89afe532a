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

/** Inputs that say how large something is to be, or where: what follows the size of the image belongs there. */
const sizeInputs: Readonly<Record<string, readonly number[]>> = {
  ConstantOfShape: [0],
  Expand: [1],
  Reshape: [1],
  Resize: [1, 2, 3],
  Tile: [1],
  Upsample: [1],
};

/** What makes many numbers of one. */
const repeating: readonly string[] = ['Expand', 'Tile'];

/** Where nodes that compute other things read numbers that are worked out of sizes, but for those of sizes. */
export function* numbersRead({ input, opType }: NodeProto, numbers: ReadonlySet<string>): Generator<string> {
  for (const [i, value] of input.entries())
    if (numbers.has(value) && !sizeInputs[opType]?.includes(i)) yield value;
}

/** Values whose numbers tell whether sums are divided by the number of pixels, and whether what they meet follows the image. */
export function numbersAskedOf(graph: Graph): string[] {
  const numbers = sizeNumbers(graph);
  const many = new Set<string>();
  const asked = new Set<string>();
  for (const node of graph.nodes) {
    const isNumber = node.output.every((value) => numbers.has(value));
    if (isNumber && (repeating.includes(node.opType) || node.input.some((value) => many.has(value))))
      for (const value of node.output) many.add(value);
    if (!isNumber) for (const value of numbersRead(node, numbers)) asked.add(value);
  }
  return [...asked].filter((value) => !many.has(value));
}

/** How little a number may change from one size to the other: n / (n - 1) does, of as many pixels as images have. */
const unnoticed = 1e-3;

/** Whether a value that is worked out of the size of the image is another at another size, as far as can be told. */
export function growsInNumber({ looks }: RuleContext, value: string): boolean {
  const [first, ...others] = looks.map(({ values }) => values.get(value));
  const isSame = (number: number, i: number) => {
    const own = first?.[i] ?? Number.NaN;
    return number === own || Math.abs(number / own - 1) < unnoticed;
  };
  return !first || !others.every((other) => other?.length === first.length && other.every(isSame));
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

/** The number that a divisor is each time that the model was looked at; none where it is none, or follows the batch. */
function numbersOf({ graph, looks, batched }: RuleContext, value: string): readonly number[] {
  const tensor = graph.constant(value);
  const constant = tensor && isWeights(tensor) ? weightsOf(graph.withValues(tensor)) : undefined;
  if (constant) return constant.length === 1 ? looks.map(() => constant[0] as number) : [];
  if (batched?.one.values.get(value)?.join() !== batched?.two.values.get(value)?.join()) return [];
  const seen = looks.map(({ values }) => values.get(value));
  return seen.every((one) => one?.length === 1) ? seen.flatMap((one) => one ?? []) : [];
}

/** How many elements a start sums over each time; of a norm, the root of that. */
function countsOf({ looks }: RuleContext, { image, axes, plane, places, kind }: Start): number[] {
  const others = places.filter((i) => !plane.includes(i as never));
  const rest = pick(axes, others).reduce((product, { size }) => product * size, 1);
  const counts = looks.map(({ shapes }) => {
    const sides = shapes.get(image) ?? [];
    return plane.reduce((product, axis) => product * (sides[axis] ?? Number.NaN), rest);
  });
  return kind === 'norm' ? counts.map(Math.sqrt) : counts;
}

const sums: readonly string[] = ['sum', 'sum of squares', 'sum of magnitudes', 'norm'];

/** Divisions in a row, and what they come to each time that the model was looked at. */
interface Divisions {
  readonly nodes: readonly NodeProto[];
  readonly divisors: readonly number[];
}

function nothingYet(looks: number): Divisions {
  return { nodes: [], divisors: Array<number>(looks).fill(1) };
}

function and(
  { nodes, divisors }: Divisions,
  { node, multiplies }: Scaling,
  by: readonly number[],
): Divisions {
  const scaled = divisors.map((one, at) => (multiplies ? one / (by[at] ?? 1) : one * (by[at] ?? 1)));
  return { nodes: [...nodes, node], divisors: scaled };
}

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
  let all = nothingYet(counts.length);
  let computed = all;
  for (const scaling of scalingsAfter(context, start.node)) {
    const numbers = numbersOf(context, scaling.by);
    if (numbers.length === 0) return undefined;
    const isConstant = context.graph.constant(scaling.by) !== undefined;
    all = and(all, scaling, numbers);
    if (!isConstant) computed = and(computed, scaling, numbers);
    // A constant is the number of pixels at the size that the model was traced at.
    if (computed.nodes.length === 0 ? all.divisors.some(near) : all.divisors.every(near)) return all.nodes;
    // Constants besides may be whatever they are.
    if (!isConstant && computed.divisors.every(near)) return computed.nodes;
  }
  return undefined;
}
