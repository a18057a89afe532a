// Layers on vectors, as 1×1 convolutions of planes of them.
import type { Graph } from '../graph/graph.js';
import { floatOf, intOf, intsOf, isOnnxDomain, type NodeProto, type TensorProto } from '../graph/proto.js';
import { showSize } from '../size.js';
import type { Refusal } from './rule.js';
import { isWeights, makeWeights, weightsOf } from './weights.js';

export interface Linear {
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

/** The constants of a Gemm or MatMul; a refusal, which follows 'whose', where they are none, or no matrix. */
export function readLinear(graph: Graph, node: NodeProto): Linear | Refusal {
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

/** New initializers with the kernel and, where there is one, the bias of the 1×1 Conv that multiplies as `linear` does. */
export function toConvParameters(graph: Graph, linear: Linear): string[] {
  const kernel = kernelOf({ ...linear, weight: graph.withValues(linear.weight) });
  const constants = [kernel];
  if (linear.bias) {
    const bias = graph.withValues(linear.bias);
    constants.push(offsetsOf(bias, linear.beta, Number(kernel.dims[0])));
  }
  return constants.map((tensor) => graph.addInitializer(tensor));
}
