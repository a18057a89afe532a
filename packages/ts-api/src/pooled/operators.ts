// What each operator makes of a pooled value.
import { isOnnxDomain } from '../graph/proto.js';
import type { Refusal } from '../rewrite/rule.js';
import {
  alongAxis,
  concat,
  gather,
  layerNormalization,
  quantize,
  reduce,
  slice,
  softmax,
  split,
} from './along-axes.js';
import { batchNormalization, convolution, einsum, linear } from './channels.js';
import { elementwise, unary } from './pointwise.js';
import { broadcasting, unary as unaryOperators } from './pointwise-operators.js';
import { repeat, reshape, shapeStep, transpose } from './reshaping.js';
import { notPointwise, type Situation, type Step, type StepOf } from './step.js';

function all(names: Iterable<string>, step: StepOf): [string, StepOf][] {
  return [...names].map((name) => [name, step]);
}

const steps: ReadonlyMap<string, StepOf> = new Map([
  ...all(unaryOperators, unary),
  ...all(broadcasting, elementwise),
  ...all('And Equal Greater GreaterOrEqual Less LessOrEqual Mod Or Where Xor'.split(' '), elementwise),
  ...all(['Flatten', 'Reshape', 'Squeeze', 'Unsqueeze'], reshape),
  ...all(['Expand', 'Resize', 'Tile', 'Upsample'], repeat),
  ...all(['Gemm', 'MatMul'], linear),
  ...all(['Hardmax', 'LogSoftmax', 'Softmax'], softmax),
  ...all(['LayerNormalization', 'RMSNormalization'], layerNormalization),
  ...all(['DequantizeLinear', 'QuantizeLinear'], quantize),
  ...all(
    'ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare'.split(
      ' ',
    ),
    reduce,
  ),
  ['BatchNormalization', batchNormalization],
  ['Concat', concat],
  ['Conv', convolution],
  ['Einsum', einsum],
  ['Gather', gather],
  ['LpNormalization', alongAxis],
  ['Shape', shapeStep],
  ['Slice', slice],
  ['Split', split],
  ['Transpose', transpose],
]);

export function stepOf(situation: Situation): Step | Refusal {
  const { context, node } = situation;
  const step = isOnnxDomain(node.domain) ? steps.get(node.opType) : undefined;
  // The mask of a Dropout, say, has the shape of the mean, and nobody follows it.
  const more = node.opType === 'Split' ? [] : node.output.slice(1);
  if (!step || more.some((name) => context.graph.isUsed(name))) return notPointwise(situation);
  return step(situation);
}
