// Networks as text, for the messages of failures.
import { type AttributeProto, AttributeProto_AttributeType as AttributeType } from 'onnx-buf';
import type { NodeProto } from '../../src/graph/proto.js';
import type { Generated } from './plan.js';

function showValue({ type, i, f, ints, s, t }: AttributeProto): string {
  if (type === AttributeType.INTS) return `[${ints}]`;
  if (type === AttributeType.FLOAT) return `${f}`;
  if (type === AttributeType.STRING) return new TextDecoder().decode(s);
  return t ? `[${t.dims}] ${t.int64Data}` : `${i}`;
}

function showNode({ opType, name, input, output, attribute }: NodeProto): string {
  const attributes = attribute.map((one) => `${one.name}=${showValue(one)}`);
  return `${output.join(', ')} = ${opType}(${[input.join(', '), ...attributes].join('; ')}) ${name}`;
}

/** The network, a line for each constant and node, with the shapes that its values have at the training size. */
export function showNetwork(
  { graph, network, trainSize, baseSize, sizes }: Generated,
  shapes: ReadonlyMap<string, readonly number[]>,
): string {
  const shapesOf = ({ output }: NodeProto) => output.map((name) => `[${shapes.get(name) ?? '?'}]`).join(' ');
  return [
    JSON.stringify(network.style),
    `train ${trainSize}, base ${baseSize}, images ${sizes.map((one) => `[${one}]`).join(' ')}`,
    ...graph.initializer.map(({ name, dims, int64Data }) => `${name}: [${dims}] ${int64Data}`.trimEnd()),
    ...graph.node.map((node) => `${showNode(node).trimEnd()}  -> ${shapesOf(node)}`),
  ].join('\n  ');
}
