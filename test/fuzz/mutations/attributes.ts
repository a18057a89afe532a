import { create } from '@bufbuild/protobuf';
import {
  type AttributeProto,
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  GraphProtoSchema,
  TensorProtoSchema,
} from 'onnx-buf';
import type { Random } from '../random.js';
import { oddFloat, oddNumber, oddSide, oddText } from './oddities.js';
import { attributesOfOperator, contentOf } from './operator-attributes.js';
import { attributesOf, type Mutation, nodesOf, tensorsOf } from './places.js';

const names = [
  ...new Set(Object.values(attributesOfOperator).join(' ').split(' ')),
  'then_branch',
  'body',
  'no_such',
];

function several<T>(random: Random, make: (random: Random) => T): T[] {
  return Array.from({ length: random.below(random.chance(0.1) ? 200 : 9) }, () => make(random));
}

/** Gives an attribute a value of any type. */
function fill(attribute: AttributeProto, random: Random): void {
  const text = () => new TextEncoder().encode(oddText(random));
  const fills: readonly (() => void)[] = [
    () => Object.assign(attribute, { type: AttributeType.INT, i: oddSide(random) }),
    () => Object.assign(attribute, { type: AttributeType.INTS, ints: several(random, oddSide) }),
    () => Object.assign(attribute, { type: AttributeType.FLOAT, f: oddFloat(random) }),
    () => Object.assign(attribute, { type: AttributeType.FLOATS, floats: several(random, oddFloat) }),
    () => Object.assign(attribute, { type: AttributeType.STRING, s: text() }),
    () => Object.assign(attribute, { type: AttributeType.STRINGS, strings: several(random, text) }),
    () => Object.assign(attribute, { type: AttributeType.TENSOR, t: oddTensor(random) }),
    () => Object.assign(attribute, { type: AttributeType.TENSOR, t: undefined }),
    () => Object.assign(attribute, { type: AttributeType.GRAPH, g: create(GraphProtoSchema, { name: 'g' }) }),
    () => Object.assign(attribute, { type: AttributeType.GRAPH, g: undefined }),
  ];
  random.pick(fills)();
}

export function oddTensor(random: Random) {
  const dims = Array.from({ length: random.below(5) }, () => oddSide(random));
  return create(TensorProtoSchema, {
    dims,
    dataType: random.below(27),
    int64Data: several(random, oddNumber),
    floatData: several(random, oddFloat),
  });
}

/** A value of the type that the name calls for. */
function fillRightly(attribute: AttributeProto, random: Random): void {
  const count = 1 + random.below(4);
  const fills = {
    int: () => ({ type: AttributeType.INT, i: oddSide(random) }),
    list: () => ({ type: AttributeType.INTS, ints: Array.from({ length: count }, () => oddSide(random)) }),
    float: () => ({ type: AttributeType.FLOAT, f: oddFloat(random) }),
    text: () => ({ type: AttributeType.STRING, s: new TextEncoder().encode(oddText(random)) }),
    tensor: () => ({ type: AttributeType.TENSOR, t: oddTensor(random) }),
  };
  Object.assign(attribute, fills[contentOf(attribute.name)]());
}

/** Mostly one that the operator has. */
export function oddAttribute(random: Random, opType = ''): AttributeProto {
  const own = Object.hasOwn(attributesOfOperator, opType) ? attributesOfOperator[opType] : undefined;
  const name = random.pick(own && random.chance(0.9) ? own.split(' ') : names);
  const attribute = create(AttributeProtoSchema, { name });
  if (random.chance(0.9)) fillRightly(attribute, random);
  else fill(attribute, random);
  return attribute;
}

const changeValue: Mutation = (model, random) => {
  const attribute = random.any(attributesOf(model));
  if (!attribute) return;
  if (attribute.ints.length > 0 && random.chance(0.8)) {
    attribute.ints[random.below(attribute.ints.length)] = oddSide(random);
    if (random.chance(0.2)) attribute.ints.pop();
    if (random.chance(0.2)) attribute.ints.push(oddSide(random));
  } else if (attribute.type === AttributeType.INT && random.chance(0.8)) attribute.i = oddSide(random);
  else if (attribute.type === AttributeType.FLOAT && random.chance(0.8)) attribute.f = oddFloat(random);
  else fill(attribute, random);
};

const changeType: Mutation = (model, random) => {
  const attribute = random.any(attributesOf(model));
  if (attribute) attribute.type = random.chance(0.9) ? random.below(15) : 1000;
};

const rename: Mutation = (model, random) => {
  const attribute = random.any(attributesOf(model));
  if (attribute) attribute.name = random.chance(0.8) ? random.pick(names) : oddText(random);
};

const add: Mutation = (model, random) => {
  const node = random.any(nodesOf(model));
  if (!node) return;
  const attribute = oddAttribute(random, node.opType);
  node.attribute = [...node.attribute.filter(({ name }) => name !== attribute.name), attribute];
};

const drop: Mutation = (model, random) => {
  const node = random.any(nodesOf(model).filter(({ attribute }) => attribute.length > 0));
  node?.attribute.splice(random.below(node.attribute.length), 1);
};

const duplicate: Mutation = (model, random) => {
  const node = random.any(nodesOf(model).filter(({ attribute }) => attribute.length > 0));
  if (node) node.attribute.push(random.pick(node.attribute));
};

const refer: Mutation = (model, random) => {
  const attribute = random.any(attributesOf(model));
  if (attribute) attribute.refAttrName = random.chance(0.5) ? attribute.name : random.pick(names);
};

const holdTensor: Mutation = (model, random) => {
  const attribute = random.any(attributesOf(model));
  const tensor = random.any(tensorsOf(model));
  if (attribute && tensor) Object.assign(attribute, { type: AttributeType.TENSOR, t: tensor });
};

export const attributeMutations: readonly Mutation[] = [
  changeValue,
  changeValue,
  changeValue,
  changeType,
  rename,
  add,
  add,
  drop,
  duplicate,
  refer,
  holdTensor,
];
