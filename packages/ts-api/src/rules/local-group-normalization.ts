import { floatOf, intOf, isOnnxDomain, makeNode, type NodeProto } from '../graph/proto.js';
import { ChannelParameters } from '../rewrite/channel-parameters.js';
import { findGroupedNormalization, findReshaping, type GroupedNormalization } from '../rewrite/regrouping.js';
import {
  featureSizeOf,
  imageTypeOf,
  isOfFixedSize,
  type Match,
  type Refusal,
  type Rule,
  type RuleContext,
  shapeOf,
} from '../rewrite/rule.js';
import { showSize } from '../size.js';
import { localInstanceNormalization } from './local-instance-normalization.js';

const operator = 'LocalGroupNormalization';

/** The parameters of the operator go by channel since opset 21, and by group before. */
function checkParameters(context: RuleContext, node: NodeProto, groups: number): Refusal | undefined {
  const channels = context.shapes.get(node.input[0] ?? '')?.[1];
  for (const value of node.input.slice(1)) {
    const dims = shapeOf(context, value) ?? [];
    if (dims.length === 1 && (dims[0] === groups || dims[0] === channels)) continue;
    return { reason: `its parameter ${value} has ${showSize(dims)} values, not ${groups} or ${channels}` };
  }
  return undefined;
}

/** The match of a normalization, by its operator or written out around the node. */
function match(
  context: RuleContext,
  node: NodeProto,
  normalization: GroupedNormalization,
): Match | Refusal | undefined {
  const { graph, shapes } = context;
  const { image, groups, last } = normalization;
  if (isOfFixedSize(context, image)) return undefined;
  const type = imageTypeOf(context, node, image);
  if (typeof type === 'object') return type;
  const [, channels = 0] = shapes.get(image) ?? [];
  const [, own = '', shift = ''] = node.input;
  return {
    featureSize: featureSizeOf(context, node, image),
    operators: [operator],
    type,
    exactOnly: true,
    rewrite({ window }) {
      const parameters = new ChannelParameters(graph, last, type, channels);
      const of = (value: string) => parameters.of(value, shapeOf(context, value) ?? []);
      let [scale, bias] = [of(own), of(shift)];
      if (normalization.scale !== undefined) {
        const factor = of(normalization.scale);
        [scale, bias] = [parameters.multiply(scale, factor), parameters.multiply(bias, factor)];
      }
      if (normalization.shift !== undefined) bias = parameters.add(bias, of(normalization.shift));
      const name = last.output[0] ?? '';
      const cast = (value: string, by: NodeProto | undefined) => {
        const attributes = { to: intOf(by ?? node, 'to', 0) };
        return by ? graph.insertBefore(last, value, 'Cast', [value], { attributes }) : value;
      };
      const input = [
        cast(image, normalization.to),
        parameters.toValue(scale, `${name}_scale`),
        parameters.toValue(bias, `${name}_bias`),
      ];
      const attributes = {
        kernel_shape: window,
        epsilon: { float: floatOf(node, 'epsilon', 1e-5) },
        num_groups: groups,
      };
      // It goes by the name of the normalization, where that has one.
      const noted = node.name === '' ? last : node;
      const { back } = normalization;
      const output = back ? [graph.freeName(name)] : last.output;
      const made = makeNode(operator, input, output, { domain: 'tlsc', name: noted.name, attributes });
      if (!back) {
        graph.replace(last, made, noted);
        return;
      }
      graph.insert(last, made);
      const options = { name: last.name, attributes: { to: intOf(back, 'to', 0) } };
      graph.replace(last, makeNode('Cast', output, last.output, options));
    },
  };
}

/** GroupNormalization, and its exported form around an InstanceNormalization of a reshaped image. */
export const localGroupNormalization: Rule = {
  name: 'local-group-normalization',
  seeks: 'GroupNormalization, and InstanceNormalization of a reshaped image',
  isCertain: () => true,

  recognizes(graph, node) {
    if (!isOnnxDomain(node.domain)) return false;
    if (node.opType === 'GroupNormalization') return true;
    return node.opType === 'InstanceNormalization' && findReshaping(graph, node) !== undefined;
  },

  check(context, node) {
    if (node.opType === 'GroupNormalization') {
      const groups = intOf(node, 'num_groups', 0);
      const [image = ''] = node.input;
      const none = { scale: undefined, shift: undefined };
      return (
        checkParameters(context, node, groups) ?? match(context, node, { image, groups, ...none, last: node })
      );
    }
    const found = findGroupedNormalization(context, node);
    // What a Reshape made may be images like any others.
    if (!found) return localInstanceNormalization.check(context, node);
    return 'reason' in found ? found : match(context, node, found);
  },
};
