import { intOf, intsOf, isOnnxDomain, makeNode, type NodeProto, textOf } from '../graph/proto.js';
import { constantIn, filled, isAll, typeOf } from './constants.js';
import { type Fusion, type FusionContext, isImage, namesake } from './context.js';
import { gateBehind } from './gates.js';

const operators = { product: 'DepthwiseConvGate', gelu: 'DepthwiseConvGeluGate' } as const;

/** Whether it pads by one pixel of zeros all around. */
function padsByOne(node: NodeProto): boolean {
  const auto = textOf(node, 'auto_pad');
  if (auto === 'SAME_UPPER' || auto === 'SAME_LOWER') return true;
  const pads = intsOf(node, 'pads');
  return (auto === '' || auto === 'NOTSET') && pads?.length === 4 && isAll(pads, 1);
}

/** A convolution of each channel with 3 × 3 weights of its own, and the gate behind it if there is one. */
export function depthwiseConv(context: FusionContext, node: NodeProto): Fusion | undefined {
  const { graph, looks } = context;
  const [image = '', weights = '', bias = ''] = node.input;
  const [output = ''] = node.output;
  if (node.opType !== 'Conv' || !isOnnxDomain(node.domain) || !isImage(context, image)) return undefined;
  const channels = looks[0]?.get(image)?.[1] ?? 0;
  const tensor = constantIn(context, weights);
  const dims = tensor?.dims.map(Number).join();
  const isDepthwise = intOf(node, 'group', 1) === channels && dims === [channels, 1, 3, 3].join();
  const isPlain = isAll(intsOf(node, 'strides'), 1) && isAll(intsOf(node, 'dilations'), 1) && padsByOne(node);
  if (!tensor || !isDepthwise || !isPlain) return undefined;
  const gate = gateBehind(context, output);
  const last = gate?.node ?? node;
  const operator = gate ? operators[gate.kind] : 'DepthwiseConv';
  return {
    operator,
    type: typeOf(tensor),
    rewrite() {
      const input = [image, weights, bias || filled(context, tensor, 0, channels, `${output}_bias`)];
      const noted = namesake(node, last);
      const options = { domain: 'tlsc', name: noted.name, attributes: { group: channels } };
      const made = makeNode(operator, input, last.output, options);
      graph.replace(last, made, noted);
      return made;
    },
  };
}
