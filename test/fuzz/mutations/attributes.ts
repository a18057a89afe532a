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
import { attributesOf, type Mutation, nodesOf, tensorsOf } from './places.js';

const names =
  `axis axes keepdims kernel_shape pads strides dilations group auto_pad ceil_mode count_include_pad epsilon num_groups perm
to value value_int value_ints value_float value_floats value_string value_strings sparse_value alpha beta mode nearest_mode
coordinate_transformation_mode cubic_coeff_a antialias blocksize output_shape output_padding num_outputs split new_axis
keep_aspect_ratio_policy noop_with_empty_axes allowzero largest sorted exclusive reverse batch_dims equation then_branch
else_branch body num_scan_inputs scan_input_axes scan_output_axes scan_input_directions scan_output_directions start end dtype
k_value detect_negative fmod direction hidden_size activations p size bias storage_order sampling_ratio spatial_scale
output_height output_width axis_w axis_h max_stride padding stash_type scale num_heads q_num_heads kv_num_heads qk_matmul_output_mode
softcap transA transB transBatchA window_size onesided inverse block_size output_dtype saturate offset no_such_attribute`.split(
    /\s+/,
  );

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

function oddTensor(random: Random) {
  const dims = Array.from({ length: random.below(5) }, () => oddSide(random));
  return create(TensorProtoSchema, {
    dims,
    dataType: random.below(27),
    int64Data: several(random, oddNumber),
    floatData: several(random, oddFloat),
  });
}

export function oddAttribute(random: Random): AttributeProto {
  const attribute = create(AttributeProtoSchema, { name: random.pick(names) });
  fill(attribute, random);
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
  random.any(nodesOf(model))?.attribute.push(oddAttribute(random));
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
