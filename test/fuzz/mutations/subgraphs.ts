// If, Loop and Scan around nodes, in each other, and taking what lies outside.
import { create } from '@bufbuild/protobuf';
import {
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  TensorProto_DataType as DataType,
  type GraphProto,
  GraphProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  TensorProtoSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  ValueInfoProtoSchema,
} from 'onnx-buf';
import type { Random } from '../random.js';
import { type Body, bodiesOf, copyOf, graphsOf, type Mutation, nodesOf, subgraphsOf } from './places.js';

const info = (name: string) => create(ValueInfoProtoSchema, { name });

function scalarInfo(name: string, elemType: DataType) {
  const value = create(TypeProto_TensorSchema, { elemType, shape: { dim: [] } });
  return create(ValueInfoProtoSchema, {
    name,
    type: create(TypeProtoSchema, { value: { case: 'tensorType', value } }),
  });
}

function graphOf(
  name: string,
  node: NodeProto,
  inputs: GraphProto['input'] = [],
  outputs: readonly string[] = node.output,
) {
  return create(GraphProtoSchema, {
    name,
    node: [copyOf(NodeProtoSchema, node)],
    input: inputs,
    output: outputs.map(info),
  });
}

const graphAttribute = (name: string, g: GraphProto) =>
  create(AttributeProtoSchema, { name, type: AttributeType.GRAPH, g });

function constantNode(
  name: string,
  value: { dataType: DataType; int32Data?: number[]; int64Data?: bigint[]; floatData?: number[] },
): NodeProto {
  const t = create(TensorProtoSchema, value);
  return create(NodeProtoSchema, {
    opType: 'Constant',
    output: [name],
    attribute: [create(AttributeProtoSchema, { name: 'value', type: AttributeType.TENSOR, t })],
  });
}

/** Something for the other branch; what has graphs itself is not written twice, or it would double with each level. */
function twinOf(node: NodeProto): NodeProto {
  if (subgraphsOf(node).length === 0) return node;
  return constantNode(node.output[0] ?? '', { dataType: DataType.FLOAT, floatData: [1] });
}

function wrapIf(body: Body, at: number, node: NodeProto, random: Random): void {
  const condition = `condition_${random.below(1000)}`;
  const other = random.chance(0.8) ? node : random.pick(body.node);
  const branches = [graphOf('a', node), graphOf('b', twinOf(other))];
  if (random.chance(0.2)) branches.pop();
  const attribute = branches.map((graph, i) =>
    graphAttribute(i === 0 ? 'then_branch' : 'else_branch', graph),
  );
  body.node[at] = create(NodeProtoSchema, {
    opType: 'If',
    input: [condition],
    output: [...node.output],
    attribute,
  });
  body.node.splice(at, 0, constantNode(condition, { dataType: DataType.BOOL, int32Data: [random.below(2)] }));
}

function wrapLoop(body: Body, at: number, node: NodeProto, random: Random): void {
  const count = `count_${random.below(1000)}`;
  const inputs = [scalarInfo('i', DataType.INT64), scalarInfo('go', DataType.BOOL)];
  const graph = graphOf('body', node, inputs, ['go', ...node.output]);
  if (random.chance(0.3)) graph.output.splice(random.below(graph.output.length), 1);
  if (random.chance(0.3)) graph.input.splice(random.below(graph.input.length), 1);
  body.node[at] = create(NodeProtoSchema, {
    opType: 'Loop',
    input: [count, ''],
    output: [...node.output],
    attribute: [graphAttribute('body', graph)],
  });
  const int64Data = [random.pick([0n, 1n, 3n, -1n, 1000n])];
  body.node.splice(at, 0, constantNode(count, { dataType: DataType.INT64, int64Data }));
}

function wrapScan(body: Body, at: number, node: NodeProto, random: Random): void {
  const [first = ''] = node.input;
  const graph = graphOf('body', node, [info(random.chance(0.5) ? first : 'slice')]);
  const i = BigInt(random.pick([0, 1, 1, 1, 2, -1]));
  const attribute = [
    graphAttribute('body', graph),
    create(AttributeProtoSchema, { name: 'num_scan_inputs', type: AttributeType.INT, i }),
  ];
  body.node[at] = create(NodeProtoSchema, {
    opType: 'Scan',
    input: [first],
    output: [...node.output],
    attribute,
  });
}

const wrap: Mutation = (model, random) => {
  const body = random.any(bodiesOf(model).filter(({ node }) => node.length > 0));
  if (!body) return;
  const times = random.chance(0.05) ? 1 + random.below(60) : 1;
  for (let i = 0; i < times; i++) {
    const at = times > 1 ? body.node.length - 1 : random.below(body.node.length);
    const node = body.node[at];
    if (node) random.pick([wrapIf, wrapIf, wrapLoop, wrapScan])(body, at, node, random);
  }
};

/** A graph inside a graph by the names of the one around. */
const copyInside: Mutation = (model, random) => {
  const inner = random.any(nodesOf(model).flatMap(subgraphsOf));
  const outer = random.any(graphsOf(model));
  if (!inner || !outer) return;
  // A copy: the one around holds the one inside.
  const { node, initializer, input, output } = copyOf(GraphProtoSchema, outer);
  const copies: readonly (() => void)[] = [
    () => inner.node.push(...node.filter((one) => subgraphsOf(one).length === 0).slice(0, 1)),
    () => inner.initializer.push(...initializer.slice(0, 1)),
    () => inner.input.push(...input.slice(0, 1)),
    () => inner.output.push(...output.slice(0, 1)),
  ];
  random.pick(copies)();
};

export const subgraphMutations: readonly Mutation[] = [wrap, wrap, copyInside];
