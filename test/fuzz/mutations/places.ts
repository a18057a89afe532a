// Where in a model something can be changed.
import { type DescMessage, fromBinary, type MessageShape, toBinary } from '@bufbuild/protobuf';
import type {
  AttributeProto,
  FunctionProto,
  GraphProto,
  ModelProto,
  NodeProto,
  TensorProto,
  TypeProto,
  ValueInfoProto,
} from 'onnx-buf';
import type { Random } from '../random.js';

/** Changes a model where it likes; does nothing where there is nothing that it could change. */
export type Mutation = (model: ModelProto, random: Random) => void;

/** What has nodes: a graph or the body of a function. */
export type Body = GraphProto | FunctionProto;

export function subgraphsOf({ attribute }: NodeProto): GraphProto[] {
  return attribute.flatMap(({ g, graphs }) => (g ? [g, ...graphs] : graphs));
}

function graphsIn(body: Body): GraphProto[] {
  return body.node.flatMap(subgraphsOf).flatMap((graph) => [graph, ...graphsIn(graph)]);
}

/** The graph of the model, and those that nodes carry. */
export function graphsOf({ graph, functions }: ModelProto): GraphProto[] {
  return [...(graph ? [graph, ...graphsIn(graph)] : []), ...functions.flatMap(graphsIn)];
}

export function bodiesOf(model: ModelProto): Body[] {
  return [...graphsOf(model), ...model.functions];
}

export function nodesOf(model: ModelProto): NodeProto[] {
  return bodiesOf(model).flatMap(({ node }) => node);
}

export function attributesOf(model: ModelProto): AttributeProto[] {
  const defaults = model.functions.flatMap(({ attributeProto }) => attributeProto);
  return [...nodesOf(model).flatMap(({ attribute }) => attribute), ...defaults];
}

export function tensorsOf(model: ModelProto): TensorProto[] {
  const constants = attributesOf(model).flatMap(({ t, tensors }) => (t ? [t, ...tensors] : tensors));
  return [...graphsOf(model).flatMap(({ initializer }) => initializer), ...constants];
}

export function infosOf(model: ModelProto): ValueInfoProto[] {
  const declared = bodiesOf(model).flatMap(({ valueInfo }) => valueInfo);
  return [...graphsOf(model).flatMap(({ input, output }) => [...input, ...output]), ...declared];
}

export function typesOf(model: ModelProto): TypeProto[] {
  return infosOf(model).flatMap(({ type }) => type ?? []);
}

/** The names of all values, each as often as it is written. */
export function valuesOf(model: ModelProto): string[] {
  const written = graphsOf(model).flatMap(({ initializer, input }) => [...initializer, ...input]);
  return [
    ...written.map(({ name }) => name),
    ...nodesOf(model).flatMap(({ input, output }) => [...input, ...output]),
  ];
}

/** A copy with all that is inside; unlike `clone` it takes values that a field must not have, and any depth. */
export function copyOf<S extends DescMessage>(schema: S, message: MessageShape<S>): MessageShape<S> {
  return fromBinary(schema, toBinary(schema, message), { recursionLimit: 10_000 });
}
