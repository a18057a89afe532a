import type { ModelProto } from 'onnx-buf';
import { oddText } from './oddities.js';
import { bodiesOf, graphsOf, infosOf, type Mutation, nodesOf, tensorsOf, valuesOf } from './places.js';

/** A place where a name stands. */
interface Slot {
  readonly get: () => string;
  readonly set: (name: string) => void;
}

function inList(list: string[]): Slot[] {
  return list.map((_, i) => ({
    get: () => list[i] ?? '',
    set: (name) => {
      list[i] = name;
    },
  }));
}

function inField<K extends string>(owner: { [key in K]: string }, field: K): Slot {
  return {
    get: () => owner[field],
    set: (name) => {
      owner[field] = name as (typeof owner)[K];
    },
  };
}

function valueSlots(model: ModelProto): Slot[] {
  return [
    ...nodesOf(model).flatMap(({ input, output }) => [...inList(input), ...inList(output)]),
    ...model.functions.flatMap(({ input, output }) => [...inList(input), ...inList(output)]),
    ...[...infosOf(model), ...tensorsOf(model)].map((owner) => inField(owner, 'name')),
  ];
}

function otherSlots(model: ModelProto): Slot[] {
  return [
    ...nodesOf(model).flatMap((node) => [inField(node, 'name'), inField(node, 'overload')]),
    ...graphsOf(model).map((graph) => inField(graph, 'name')),
    ...model.functions.flatMap((one) => [
      inField(one, 'name'),
      inField(one, 'domain'),
      inField(one, 'overload'),
    ]),
    inField(model, 'producerName'),
    inField(model, 'domain'),
  ];
}

/** A value by the name of another. */
const confuse: Mutation = (model, random) => {
  const name = random.any(valuesOf(model));
  if (name !== undefined) random.any(valueSlots(model))?.set(name);
};

const oddValue: Mutation = (model, random) => {
  random.any(valueSlots(model))?.set(oddText(random));
};

const oddOther: Mutation = (model, random) => {
  random.any(otherSlots(model))?.set(oddText(random));
};

/** Everywhere, so that the graph still hangs together. */
const renameValue: Mutation = (model, random) => {
  const old = random.any(valuesOf(model));
  const name = oddText(random);
  for (const slot of valueSlots(model)) if (slot.get() === old) slot.set(name);
};

const sameNodeNames: Mutation = (model, random) => {
  const body = random.any(bodiesOf(model));
  for (const node of body?.node ?? []) node.name = 'same';
};

export const nameMutations: readonly Mutation[] = [
  confuse,
  confuse,
  confuse,
  oddValue,
  oddOther,
  renameValue,
  sameNodeNames,
];
