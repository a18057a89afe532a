// Nodes, their inputs and outputs: dropped, swapped, doubled, in circles.
import { NodeProtoSchema } from 'onnx-buf';
import type { Random } from '../random.js';
import { bodiesOf, copyOf, graphsOf, type Mutation, nodesOf, valuesOf } from './places.js';

function disturb<T>(list: T[], random: Random): void {
  const at = random.below(list.length);
  const [one, other] = [list[at], list[random.below(list.length)]];
  if (one === undefined || other === undefined) return;
  const changes: readonly (() => void)[] = [
    () => list.splice(at, 1),
    () => list.push(one),
    () => list.splice(at, 0, other),
    () => list.reverse(),
    () => list.splice(0),
    () => list.pop(),
  ];
  random.pick(changes)();
}

const inputsOfNode: Mutation = (model, random) => {
  const node = random.any(nodesOf(model));
  if (node) disturb(node.input, random);
};

const outputsOfNode: Mutation = (model, random) => {
  const node = random.any(nodesOf(model));
  if (node) disturb(node.output, random);
};

const leaveOut: Mutation = (model, random) => {
  const node = random.any(nodesOf(model));
  const list = node && (random.chance(0.5) ? node.input : node.output);
  if (list && list.length > 0) list[random.below(list.length)] = '';
};

const addInput: Mutation = (model, random) => {
  const value = random.any(valuesOf(model)) ?? '';
  random.any(nodesOf(model))?.input.push(value);
};

const addOutput: Mutation = (model, random) => {
  random.any(nodesOf(model))?.output.push(random.chance(0.2) ? '' : `more_${random.below(100)}`);
};

const circle: Mutation = (model, random) => {
  const body = random.any(bodiesOf(model));
  const at = random.below(body?.node.length ?? 0);
  const [node, later] = [body?.node[at], random.any(body?.node.slice(at) ?? [])];
  if (node && later?.output[0] !== undefined)
    node.input[random.below(node.input.length + 1)] = later.output[0];
};

const nodes: Mutation = (model, random) => {
  const body = random.any(bodiesOf(model));
  if (body) disturb(body.node, random);
};

const copyNode: Mutation = (model, random) => {
  const body = random.any(bodiesOf(model));
  const node = random.any(body?.node ?? []);
  if (!body || !node) return;
  const copy = copyOf(NodeProtoSchema, node);
  if (random.chance(0.7)) copy.output = copy.output.map((name) => `${name}_copy`);
  body.node.push(copy);
};

const ends: Mutation = (model, random) => {
  const graph = random.any(graphsOf(model));
  if (!graph) return;
  const lists = [graph.input, graph.output, graph.initializer, graph.valueInfo] as const;
  disturb(random.pick(lists) as unknown[], random);
};

const functionEnds: Mutation = (model, random) => {
  const one = random.any(model.functions);
  if (one)
    disturb(
      random.pick([one.input, one.output, one.attribute, one.opsetImport] as const) as unknown[],
      random,
    );
};

export const wireMutations: readonly Mutation[] = [
  inputsOfNode,
  outputsOfNode,
  leaveOut,
  addInput,
  addOutput,
  circle,
  nodes,
  copyNode,
  ends,
  functionEnds,
];
