// Nodes put into a model that hand out what is asked of its values.
import { create } from '@bufbuild/protobuf';
import { GraphProtoSchema, NodeProtoSchema, TensorProtoSchema, ValueInfoProtoSchema } from 'onnx-buf';
import { encodeModel, type Model, withNodes } from './model.js';
import {
  DataType,
  labelOf,
  makeNode,
  makeTensorInfo,
  type NodeProto,
  shallowCopy,
  type TensorProto,
} from './proto.js';

/** What these compute is no tensor. */
const sequences: readonly string[] = [
  'SequenceConstruct',
  'SequenceEmpty',
  'SequenceInsert',
  'SequenceErase',
  'SplitToSequence',
  'SequenceMap',
  'Optional',
];

/** Values that are no tensors, going by what computes them. */
export function shapeless(nodes: readonly NodeProto[]): Set<string> {
  const found = new Set<string>();
  for (const { opType, input, output } of nodes)
    if (sequences.includes(opType) || (opType === 'Identity' && found.has(input[0] ?? '')))
      for (const value of output) found.add(value);
  return found;
}

/**
 * The value whose probe ONNX Runtime has refused because it is no tensor; undefined for other errors. Functions and branches give such,
 * too: "Type 'seq(tensor(float))' of input parameter (s) of operator (Shape) in node () is invalid."
 */
export function withoutShape(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const [, value] =
    /input parameter \((.*?)\) of operator \((?:Shape|Reshape|Identity)\) in node \(\)/s.exec(
      error.message,
    ) ?? [];
  return value;
}

/** Outputs by the values that are asked about: a shape, the numbers, or something of the same type. */
export interface Probes {
  /** In the order of the values. */
  readonly nodes: readonly NodeProto[];
  readonly constants: readonly TensorProto[];
  readonly shapes: ReadonlyMap<string, string>;
  readonly values: ReadonlyMap<string, string>;
  readonly types: ReadonlyMap<string, string>;
}

/** A beginning that no name in the model has. */
function freePrefix(names: readonly string[]): string {
  let prefix = 'tlsc_probe_';
  while (names.some((name) => name.startsWith(prefix))) prefix = `tlsc_${prefix}`;
  return prefix;
}

/** The shapes of all values of the main graph, but for those of `without`, the types and the numbers of some. */
export function probesOf(
  { graph }: Model,
  { typed, valued }: Readonly<Record<'typed' | 'valued', readonly string[]>>,
  without: ReadonlySet<string>,
): Probes {
  const computed = graph.node.flatMap((node) => node.output);
  const names = [...graph.input.map(({ name }) => name), ...computed].filter(
    (name) => name !== '' && !without.has(name),
  );
  const constants = graph.initializer.map(({ name }) => name);
  const known = new Set([...constants, ...names]);
  const prefix = freePrefix([...known, ...computed]);
  const [all, none] = [`${prefix}all`, `${prefix}none`];
  const asking = new Map([...known].map((name): [string, NodeProto[]] => [name, []]));
  const ask = (
    values: readonly string[],
    what: string,
    make: (value: string, output: string) => NodeProto[],
  ) =>
    new Map(
      values.map((value) => {
        const output = `${prefix}${what}_of_${value}`;
        asking.set(value, [...(asking.get(value) ?? []), ...make(value, output)]);
        return [value, output];
      }),
    );
  const shapes = ask(names, 'shape', (value, output) => [makeNode('Shape', [value], [output])]);
  // None of its elements are of its type. As an output itself it would be kept until all is done.
  const types = ask(
    typed.filter((value) => known.has(value)),
    'type',
    (value, output) => [
      makeNode('Slice', [`${output}_in_row`, none, none], [output]),
      makeNode('Reshape', [value, all], [`${output}_in_row`]),
    ],
  );
  const values = ask(valued, 'value', (value, output) => [makeNode('Identity', [value], [output])]);
  const integer = (name: string, number: bigint) =>
    create(TensorProtoSchema, { name, dataType: DataType.INT64, dims: [1n], int64Data: [number] });
  return {
    nodes: [...asking.values()].flat(),
    constants: [integer(all, -1n), integer(none, 0n)],
    shapes,
    values,
    types,
  };
}

/** ONNX Runtime names the node that fails: each must have a name that messages can use. */
function named(node: NodeProto): NodeProto {
  if (node.name !== '') return node;
  const copy = shallowCopy(NodeProtoSchema, node);
  copy.name = labelOf(node);
  return copy;
}

/**
 * The bytes of a model whose outputs are those of the probes. ONNX Runtime orders nodes by what the last of those that nobody reads of
 * needs, then the one before: with the probes of the first nodes last, each is asked as soon as its value is there, and no value stays
 * for longer than in a plain run.
 */
export function withProbes(model: Model, { nodes, constants, shapes, values, types }: Probes): Uint8Array {
  const probed = withNodes(model, [...model.graph.node.map(named), ...[...nodes].reverse()]);
  const graph = shallowCopy(GraphProtoSchema, probed.graph);
  graph.initializer = [...graph.initializer, ...constants];
  graph.output = [
    ...[...shapes.values()].map((name) => makeTensorInfo(name, DataType.INT64, [undefined])),
    ...[...types.values(), ...values.values()].map((name) => create(ValueInfoProtoSchema, { name })),
  ];
  probed.graph = graph;
  return encodeModel(probed);
}
