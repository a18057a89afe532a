// Layers on flattened means, [N, C], as layers on planes, [N, C, 1, 1], which the local means are.
import type { Graph } from '../graph/graph.js';
import {
  floatOf,
  intOf,
  intsOf,
  isOnnxDomain,
  labelOf,
  makeNode,
  type NodeProto,
  type TensorProto,
} from '../graph/proto.js';
import { showSize } from '../size.js';
import type { Refusal } from './rule.js';
import { isWeights, makeWeights, weightsOf, withDims } from './weights.js';

/** Does nothing to a node that has been edited before: a branch may have several means. */
export type Edit = () => void;

interface Linear {
  readonly weight: TensorProto;
  /** Whether the weight is [outputs, inputs], as a Conv has it. */
  readonly transposed: boolean;
  readonly bias: TensorProto | undefined;
  readonly alpha: number;
  readonly beta: number;
}

function dimsOf(tensor: TensorProto): number[] {
  return tensor.dims.map(Number);
}

/** The constant that an input of a layer is. */
function constantOf(graph: Graph, value: string, what: string): TensorProto | Refusal {
  const tensor = graph.constant(value);
  if (!tensor) return { reason: `${what} ${value} is not a constant` };
  return isWeights(tensor) ? tensor : { reason: `${what} ${value} is neither float32 nor float16` };
}

/** The matrix that a Transpose turns over on the way to `value`: exporters keep the weights as torch.nn.Linear does. */
function turnedInto(graph: Graph, value: string): string | undefined {
  const node = graph.producer(graph.originOf(value));
  if (node?.opType !== 'Transpose' || !isOnnxDomain(node.domain)) return undefined;
  const turns = (intsOf(node, 'perm') ?? [1, 0]).join() === '1,0';
  return turns ? node.input[0] : undefined;
}

function readLinear(graph: Graph, node: NodeProto): Linear | Refusal {
  const [, value = ''] = node.input;
  const turned = turnedInto(graph, value);
  const weight = constantOf(graph, turned ?? value, 'weight');
  if ('reason' in weight) return weight;
  if (weight.dims.length !== 2)
    return { reason: `weight ${turned ?? value} is ${showSize(dimsOf(weight))}, not a matrix` };
  const transposed = (intOf(node, 'transB', 0) !== 0) !== (turned !== undefined);
  const linear = { weight, transposed, alpha: floatOf(node, 'alpha', 1), beta: floatOf(node, 'beta', 1) };
  const name = node.input[2];
  if (!name) return { ...linear, bias: undefined };
  const bias = constantOf(graph, name, 'bias');
  if ('reason' in bias) return bias;
  const outputs = dimsOf(weight)[transposed ? 0 : 1];
  const dims = dimsOf(bias);
  const count = dims.at(-1) ?? 1;
  if (dims.length <= 2 && dims.slice(0, -1).every((side) => side === 1) && (count === 1 || count === outputs))
    return { ...linear, bias };
  return { reason: `bias ${name} is ${showSize(dims)}, not one value per channel` };
}

/** The weight of a 1×1 Conv that multiplies as `linear` does: [outputs, inputs, 1, 1]. */
function kernelOf({ weight, transposed, alpha }: Linear): TensorProto {
  const values = weightsOf(weight);
  const [rows = 0, columns = 0] = dimsOf(weight);
  const [outputs, inputs] = transposed ? [rows, columns] : [columns, rows];
  const kernel = values.map((_, i) => {
    const [output, input] = [Math.floor(i / inputs), i % inputs];
    return alpha * (values[transposed ? i : input * outputs + output] as number);
  });
  return makeWeights(weight, [outputs, inputs, 1, 1], kernel);
}

/** The bias of that Conv, [outputs]. */
function offsetsOf(bias: TensorProto, beta: number, outputs: number): TensorProto {
  const values = weightsOf(bias);
  const offsets = Float32Array.from(
    { length: outputs },
    (_, i) => beta * (values[i % values.length] as number),
  );
  return makeWeights(bias, [outputs], offsets);
}

function toConv(graph: Graph, node: NodeProto, linear: Linear): void {
  if (!graph.nodes.includes(node)) return;
  const kernel = kernelOf({ ...linear, weight: graph.withValues(linear.weight) });
  const constants = [kernel];
  if (linear.bias) {
    const bias = graph.withValues(linear.bias);
    constants.push(offsetsOf(bias, linear.beta, Number(kernel.dims[0])));
  }
  const input = [node.input[0] ?? '', ...constants.map((tensor) => graph.addInitializer(tensor))];
  graph.replace(node, makeNode('Conv', input, node.output, { name: node.name }));
}

/**
 * What makes a 1×1 Conv of a Gemm or MatMul whose input `value` has this rank; a refusal if its weights are not constant, or it
 * is no layer over the channels.
 */
export function linearToConv(
  graph: Graph,
  node: NodeProto,
  value: string,
  rank: number | undefined,
): Edit | Refusal {
  const refuse = (why: string) => ({ reason: `its mean feeds ${labelOf(node)} (${node.opType}), ${why}` });
  if (node.input.lastIndexOf(value) !== 0) return refuse('which does not treat pixels one by one');
  if (rank !== 2) return refuse(`which multiplies a value of rank ${rank ?? 'unknown'}, not 2 (N×C)`);
  if (intOf(node, 'transA', 0) !== 0) return refuse('which transposes it (transA)');
  const linear = readLinear(graph, node);
  return 'reason' in linear ? refuse(`whose ${linear.reason}`) : () => toConv(graph, node, linear);
}

/** What gives a constant that meets flattened means, [C] or [1, C], its place in planes: [C, 1, 1]. Undefined for other values. */
export function channelsToPlanes(graph: Graph, node: NodeProto, value: string): Edit | undefined {
  const tensor = graph.constant(value);
  const dims = tensor && dimsOf(tensor);
  const [channels, rows = 1, ...more] = dims?.reverse() ?? [];
  if (!tensor || channels === undefined || rows !== 1 || more.length > 0) return undefined;
  return () => {
    if (!graph.nodes.includes(node) || !node.input.includes(value)) return;
    graph.replaceInput(node, value, graph.addInitializer(withDims(tensor, [channels, 1, 1])));
  };
}
