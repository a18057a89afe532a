import {
  floatOf,
  intOf,
  intsOf,
  isOnnxDomain,
  makeNode,
  type NodeProto,
  type TensorProto,
} from '../graph/proto.js';
import { ChannelParameters } from '../rewrite/channel-parameters.js';
import { constantIn, filled, isAll, typeOf } from './constants.js';
import { type Fusion, type FusionContext, isImage, isReadBy, namesake, onlyReader } from './context.js';
import { gateBehind } from './gates.js';
import { isForConvolutions, isPlain } from './layout.js';
import { isFused } from './operators.js';

const norms: Readonly<Record<string, 'LayerNorm' | 'VarianceNorm' | undefined>> = {
  ChannelLayerNormalization: 'LayerNorm',
  ChannelVarianceNormalization: 'VarianceNorm',
};

/** The weights, [K, C, 1, 1], of a convolution of single pixels, all of them; undefined for any other node. */
function weightsOfPixels(context: FusionContext, node: NodeProto): TensorProto | undefined {
  if (node.opType !== 'Conv' || !isOnnxDomain(node.domain) || intOf(node, 'group', 1) !== 1) return undefined;
  const tensor = constantIn(context, node.input[1] ?? '');
  const [, , height, width, ...more] = tensor?.dims ?? [];
  const isOfPixels = height === 1n && width === 1n && more.length === 0;
  const takesAll = isAll(intsOf(node, 'strides'), 1) && isAll(intsOf(node, 'pads'), 0);
  return isOfPixels && takesAll ? tensor : undefined;
}

/** The attention that is there for this convolution alone. */
function attentionBefore(context: FusionContext, node: NodeProto): NodeProto | undefined {
  const [image = ''] = node.input;
  const attention = context.graph.producer(image);
  const isAttention =
    attention && isFused(attention) && /^(Local)?TransposedAttention$/.test(attention.opType);
  return isAttention && isReadBy(context, image, [node]) ? attention : undefined;
}

/** The normalization over channels that is there for this convolution alone. */
function normBefore(context: FusionContext, node: NodeProto): NodeProto | undefined {
  const [image = ''] = node.input;
  const norm = context.graph.producer(image);
  return norm && isFused(norm) && norms[norm.opType] && isReadBy(context, image, [node]) ? norm : undefined;
}

/** What is added to the result of a convolution, and what that is multiplied with before. */
interface Sum {
  readonly node: NodeProto;
  readonly residual: string;
  /** One factor for each output, or one for all. */
  readonly gamma: { readonly value: string; readonly dims: readonly number[] } | undefined;
}

function otherInput({ input }: NodeProto, value: string): string {
  return input.find((one) => one !== value) ?? value;
}

/** A constant of one number for each of `outputs` channels, or of one for all. */
function factorOf(context: FusionContext, value: string, outputs: number): Sum['gamma'] {
  const tensor = constantIn(context, value);
  const dims = tensor?.dims.map(Number) ?? [];
  const isOne = dims.length <= 4 && dims.every((side) => side === 1);
  // The third from the last, as broadcasting has it.
  const isByChannel =
    (dims.length === 3 || dims.length === 4) &&
    dims.every((side, i) => side === (dims.length - i === 3 ? outputs : 1));
  return tensor && (isOne || isByChannel) ? { value, dims: isOne ? [1] : dims } : undefined;
}

function sumBehind(context: FusionContext, result: string, outputs: number): Sum | undefined {
  const { looks } = context;
  const product = onlyReader(context, result, 'Mul');
  const gamma = product && factorOf(context, otherInput(product, result), outputs);
  const value = gamma ? (product?.output[0] ?? '') : result;
  const node = onlyReader(context, value, 'Add');
  const residual = node ? otherInput(node, value) : value;
  const isAlike = looks.every((look) => look.get(residual)?.join() === look.get(result)?.join());
  return node && residual !== value && isAlike && isImage(context, residual)
    ? { node, residual, gamma }
    : undefined;
}

/** What stands around a convolution that one operator does together with it. */
function around(context: FusionContext, node: NodeProto, outputs: number) {
  const [result = ''] = node.output;
  const norm = normBefore(context, node);
  const before = norm ? norms[norm.opType] : undefined;
  const gate = before === 'VarianceNorm' ? undefined : gateBehind(context, result);
  if (gate?.kind === 'product') return { norm, before, behind: 'Gate', last: gate.node } as const;
  const sum = norm ? undefined : sumBehind(context, result, outputs);
  if (sum) return { norm, before, behind: 'Add', last: sum.node, sum } as const;
  return { norm, before, behind: '', last: node } as const;
}

/** A convolution of single pixels, with the normalization in front of it, or the gate or the sum behind it, if there is one. */
export function pointwiseConv(context: FusionContext, node: NodeProto): Fusion | undefined {
  const { graph } = context;
  const tensor = weightsOfPixels(context, node);
  const [image = '', weights = '', bias = ''] = node.input;
  const [result = ''] = node.output;
  if (!tensor || !isImage(context, image)) return undefined;
  const outputs = Number(tensor.dims[0]);
  const found = around(context, node, outputs);
  const { norm, before = '', behind, last } = found;
  // Where nothing is won by doing more at once, ONNX Runtime's own may be in the better place.
  const isOnItsOwn = !norm && behind === '';
  if (isOnItsOwn && isForConvolutions(context, result)) return undefined;
  if ((isOnItsOwn || behind === 'Add') && !isPlain(context, image)) return undefined;
  const attention = behind === 'Add' ? attentionBefore(context, node) : undefined;
  const operator = `${attention ? attention.opType : before}PointwiseConv${behind}`;
  const type = typeOf(tensor);
  return {
    operator,
    type,
    rewrite() {
      const [source = image, ...affine] = norm?.input ?? attention?.input.slice(0, 2) ?? [];
      const ownBias = bias || filled(context, tensor, 0, outputs, `${result}_bias`);
      const input = [source, ...affine, weights, ownBias];
      if (found.behind === 'Add') {
        const { gamma, residual } = found.sum;
        const parameters = new ChannelParameters(graph, last, type, outputs);
        const factors = gamma ? parameters.of(gamma.value, gamma.dims) : { values: Array(outputs).fill(1) };
        input.push(parameters.toValue(factors, `${result}_gamma`), residual);
      }
      const attributes = norm ? { epsilon: { float: floatOf(norm, 'epsilon', 1e-5) } } : {};
      const noted = namesake(node, last);
      const made = makeNode(operator, input, last.output, { domain: 'tlsc', name: noted.name, attributes });
      if (attention) {
        made.input.push(...attention.input.slice(2));
        made.attribute = attention.attribute;
      }
      graph.replace(last, made, noted);
      return made;
    },
  };
}
