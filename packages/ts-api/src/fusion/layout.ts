// Where ONNX Runtime has its own blocked layout of images: an operator of ours there would make it go back and forth.
import { isOnnxDomain } from '../graph/proto.js';
import type { FusionContext } from './context.js';

/** What takes up the layout that a convolution has left its result in. */
const handingOn = new Set([
  'Add',
  'AveragePool',
  'BatchNormalization',
  'Clip',
  'Concat',
  'GlobalAveragePool',
  'GlobalMaxPool',
  'HardSigmoid',
  'LeakyRelu',
  'MaxPool',
  'Mul',
  'Relu',
  'Resize',
  'Sigmoid',
  'Sum',
  'Tanh',
  'Upsample',
]);

/** As far as is looked; beyond, a convolution is left to ONNX Runtime. */
const most = 4096;

/** Whether all that comes of a value goes into convolutions of ONNX Runtime's, which would have it in their own layout. */
export function isForConvolutions({ graph }: FusionContext, value: string): boolean {
  const seen = new Set([value]);
  for (const one of seen) {
    if (seen.size > most) return true;
    if (graph.isOutput(one)) return false;
    for (const { domain, opType, output } of graph.consumers(one)) {
      if (isOnnxDomain(domain) && opType === 'Conv') continue;
      if (!isOnnxDomain(domain) || !handingOn.has(opType)) return false;
      for (const next of output) seen.add(next);
    }
  }
  return true;
}

/** Whether a value is laid out as ONNX has it: nothing hands it the result of a convolution of ONNX Runtime's. */
export function isPlain({ graph }: FusionContext, value: string): boolean {
  const seen = new Set([value]);
  for (const one of seen) {
    if (seen.size > most) return false;
    const node = graph.producer(one);
    if (!node || !isOnnxDomain(node.domain)) continue;
    if (node.opType === 'Conv') return false;
    if (handingOn.has(node.opType)) for (const input of node.input) seen.add(input);
  }
  return true;
}
