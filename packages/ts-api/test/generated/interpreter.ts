// Runs the original network, never the converted one, in float64, its statistics replaced by their local definitions.
import { type GraphProto, integersIn, type NodeProto, type TensorProto } from '../../src/graph/proto.js';
import { weightsOf } from '../../src/rewrite/weights.js';
import {
  definitions,
  imageOf,
  isField,
  type PixelField,
  pixelOf,
  planeOf,
  type Value,
} from './definitions.js';
import type { Statistic } from './network.js';
import { operators, type Values, values } from './operators.js';

/** Height and width of the window of each statistic, in the order that the network has them in. */
export type Windows = readonly (readonly [number, number])[];

export interface Interpretation {
  readonly output: Values;
  /** The shape of each value; of one that is local now, that of a single pixel. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** Height and width of the planes that the statistics are taken over. */
  readonly planes: Windows;
}

function tensorValues(tensor: TensorProto): Values {
  return values(tensor.dims.map(Number), integersIn(tensor) ?? weightsOf(tensor));
}

function constantOf({ attribute: [entry] }: NodeProto): Values {
  if (entry?.t) return tensorValues(entry.t);
  throw new Error('a Constant node without a tensor');
}

function applyToTensors(node: NodeProto, inputs: readonly (Values | undefined)[]): readonly Values[] {
  const operator = operators[node.opType];
  if (!operator) throw new Error(`no operator ${node.opType}`);
  return operator(inputs, node);
}

/** Pixel by pixel; an image that takes part does so with one pixel after the other, and the result is an image. */
function applyToPixels(
  node: NodeProto,
  inputs: readonly (Value | undefined)[],
  { field, isImage }: { field: PixelField; isImage: (index: number) => boolean },
): readonly Value[] {
  const { plane } = field;
  let makesImage = inputs.some((_, index) => isImage(index));
  const pixels = field.pixels.map((_, pixel) => {
    const own = inputs.map((input, index) => {
      if (isField(input)) return input.pixels[pixel];
      return input && isImage(index) ? pixelOf(input, pixel) : input;
    });
    if (node.opType === 'Expand' && own[1]?.data[2] === plane[0] && own[1].data[3] === plane[1]) {
      own[1] = values([4], [...own[1].data.subarray(0, 2), 1, 1]);
      makesImage = true;
    }
    return applyToTensors(node, own);
  });
  return node.output.map((_, i) => {
    const one = { plane, pixels: pixels.map((results) => results[i] as Values) };
    return makesImage ? imageOf(one) : one;
  });
}

function apply(
  node: NodeProto,
  inputs: readonly (Value | undefined)[],
  isConstant: readonly boolean[],
): readonly Value[] {
  const field = inputs.find(isField);
  if (!field) return applyToTensors(node, inputs as readonly (Values | undefined)[]);
  const isImage = (index: number) => {
    const input = inputs[index];
    if (!input || isField(input) || isConstant[index] || input.dims.length !== 4) return false;
    return planeOf(input).join() === field.plane.join();
  };
  return applyToPixels(node, inputs, { field, isImage });
}

function rounded(value: Value, round: (data: Float64Array) => Float64Array): Value {
  if (isField(value)) return { ...value, pixels: value.pixels.map((one) => rounded(one, round) as Values) };
  return { dims: value.dims, data: round(value.data) };
}

/**
 * What the network makes of the image, each statistic with its window, or with that of its whole plane where there are none.
 * `round` is applied to the result of every node, and to what a definition computes on the way to its result.
 */
export function interpret(
  { graph, statistics }: { graph: GraphProto; statistics: readonly Statistic[] },
  image: Values,
  {
    windows,
    round = (data) => data,
  }: { windows?: Windows; round?: (data: Float64Array) => Float64Array } = {},
): Interpretation {
  const known = new Map<string, Value>(
    graph.initializer.map((tensor) => [tensor.name, tensorValues(tensor)]),
  );
  known.set('x', image);
  const constants = new Set(graph.initializer.map(({ name }) => name));
  const producers = new Map(graph.node.flatMap((node) => node.output.map((name) => [name, node])));
  const planes: [number, number][] = statistics.map(() => [0, 0]);

  function evaluateStatistic({ kind, inputs, numbers }: Statistic, index: number): Value {
    const definition = definitions[kind];
    if (!definition) throw new Error(`no definition of ${kind}`);
    const given = inputs.map((name) => valueAt(name) as Values);
    const plane = planeOf(given[0] as Values);
    planes[index] = plane;
    return definition(given, windows?.[index] ?? plane, numbers, round);
  }

  function evaluate(name: string): readonly Value[] {
    const index = statistics.findIndex(({ output }) => output === name);
    if (statistics[index]) return [evaluateStatistic(statistics[index], index)];
    const node = producers.get(name);
    if (!node) throw new Error(`nothing computes ${name}`);
    if (node.opType !== 'Constant')
      return apply(
        node,
        node.input.map(valueAt),
        node.input.map((input) => constants.has(input)),
      );
    constants.add(name);
    return [constantOf(node)];
  }

  /** On demand: the nodes that a statistic is written with are not run. */
  function valueAt(name: string): Value | undefined {
    if (name !== '' && !known.has(name)) {
      const names = producers.get(name)?.output ?? [];
      const results = evaluate(name);
      if (results.length === 1) known.set(name, rounded(results[0] as Value, round));
      else for (const [i, result] of results.entries()) known.set(names[i] as string, rounded(result, round));
    }
    return known.get(name);
  }

  const output = valueAt('y') as Values;
  const shapes = [...known].map(([name, value]) => {
    const { dims = [] } = isField(value) ? (value.pixels[0] ?? {}) : value;
    return [name, dims] as const;
  });
  return { output, shapes: new Map(shapes), planes };
}
