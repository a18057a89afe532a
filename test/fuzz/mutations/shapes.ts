// What a model says of sizes and element types.
import { create } from '@bufbuild/protobuf';
import {
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  type TypeProto,
  TypeProto_MapSchema,
  TypeProto_OptionalSchema,
  TypeProto_SequenceSchema,
  TypeProto_SparseTensorSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
} from 'onnx-buf';
import type { Random } from '../random.js';
import { oddSide, oddText } from './oddities.js';
import { infosOf, type Mutation, tensorsOf, typesOf } from './places.js';

function oddDimension(random: Random) {
  const value = random.chance(0.7)
    ? ({ case: 'dimValue', value: oddSide(random) } as const)
    : ({ case: 'dimParam', value: oddText(random) } as const);
  return create(TensorShapeProto_DimensionSchema, random.chance(0.1) ? {} : { value });
}

const side: Mutation = (model, random) => {
  const { value } = random.any(typesOf(model)) ?? {};
  if (value?.case !== 'tensorType') return;
  const dim = value.value.shape?.dim;
  if (dim) dim[random.below(dim.length + 1)] = oddDimension(random);
};

const rank: Mutation = (model, random) => {
  const { value } = random.any(typesOf(model)) ?? {};
  if (value?.case !== 'tensorType') return;
  const length = random.chance(0.1) ? 300 : random.below(7);
  const dim = Array.from({ length }, () => oddDimension(random));
  if (random.chance(0.2)) delete value.value.shape;
  else value.value.shape = create(TensorShapeProtoSchema, { dim });
};

const tensorSide: Mutation = (model, random) => {
  const tensor = random.any(tensorsOf(model));
  if (tensor) tensor.dims[random.below(tensor.dims.length + 1)] = oddSide(random);
};

const tensorRank: Mutation = (model, random) => {
  const tensor = random.any(tensorsOf(model));
  if (tensor) tensor.dims = Array.from({ length: random.below(7) }, () => oddSide(random));
};

const tensorType: Mutation = (model, random) => {
  const tensor = random.any(tensorsOf(model));
  if (tensor) tensor.dataType = random.chance(0.9) ? random.below(27) : -1;
};

const elementType: Mutation = (model, random) => {
  const { value } = random.any(typesOf(model)) ?? {};
  if (value?.case === 'tensorType')
    value.value.elemType = random.chance(0.9) ? random.below(27) : 2 ** 31 - 1;
};

/** A type around another, or another in its place. */
function oddType(type: TypeProto, random: Random, depth = 0): TypeProto {
  const elemType = depth < 3 && random.chance(0.3) ? oddType(type, random, depth + 1) : type;
  const values: readonly (() => TypeProto['value'])[] = [
    () => ({ case: 'sequenceType', value: create(TypeProto_SequenceSchema, { elemType }) }),
    () => ({ case: 'sequenceType', value: create(TypeProto_SequenceSchema) }),
    () => ({ case: 'optionalType', value: create(TypeProto_OptionalSchema, { elemType }) }),
    () => ({ case: 'optionalType', value: create(TypeProto_OptionalSchema) }),
    () => ({
      case: 'mapType',
      value: create(TypeProto_MapSchema, { keyType: random.below(27), valueType: elemType }),
    }),
    () => ({ case: 'mapType', value: create(TypeProto_MapSchema) }),
    () => ({
      case: 'sparseTensorType',
      value: create(TypeProto_SparseTensorSchema, { elemType: random.below(27) }),
    }),
    () => ({ case: 'tensorType', value: create(TypeProto_TensorSchema) }),
    () => ({ case: undefined }),
  ];
  return create(TypeProtoSchema, {
    value: random.pick(values)(),
    denotation: random.chance(0.2) ? oddText(random) : '',
  });
}

const otherType: Mutation = (model, random) => {
  const info = random.any(infosOf(model));
  if (info) info.type = oddType(info.type ?? create(TypeProtoSchema), random);
};

const noType: Mutation = (model, random) => {
  const info = random.any(infosOf(model));
  if (info) delete info.type;
};

export const shapeMutations: readonly Mutation[] = [
  side,
  side,
  rank,
  tensorSide,
  tensorRank,
  tensorType,
  elementType,
  otherType,
  noType,
];
