import type { FunctionProto } from '../graph/proto.js';
import { Body, type BodyOptions } from './body.js';
import { localMeansOf } from './local-means.js';
import { deviationOf, perChannel } from './normalization.js';

/**
 * LocalGroupNormalization(X, scale, B; kernel_shape, epsilon, num_groups) in standard ONNX. The channels of a group are
 * averaged first, so that windows slide over one plane per group. It has no fast mode.
 */
export function localGroupNormalizationFunction({ opset, type }: BodyOptions): FunctionProto {
  const body = new Body(type);
  const shape = body.op('Shape', ['X']);
  const sides = body.slice(shape, body.ints(2), body.ints(4), 0);
  const groups = body.op('Mul', [body.ints(1), body.attribute('num_groups', 'int')]); // of one element, not of rank 0
  const channels = body.op('Div', [body.slice(shape, body.ints(1), body.ints(2), 0), groups]);
  // [N, groups, channels of a group, H, W]; 0 is the N of what is reshaped.
  const grouped = (value: string, count: string) =>
    body.op('Reshape', [value, body.op('Concat', [body.ints(0), groups, count, sides], { axis: 0 })]);
  const meanOfChannels = (value: string, keepdims: number) =>
    opset < 18
      ? body.op('ReduceMean', [value], { axes: [2], keepdims })
      : body.op('ReduceMean', [value, body.ints(2)], { keepdims });

  const x = grouped(body.toFloat64('X'), channels);
  // Variance does not change when a constant is taken off; near zero, the mean of squares keeps its digits.
  const corners = body.slice(body.slice(x, body.ints(0), body.ints(1), 3), body.ints(0), body.ints(1), 4);
  const shifted = body.op('Sub', [x, meanOfChannels(corners, 1)]);
  const means = localMeansOf(body, 'X', false);
  const meanOf = (value: string) => means.pad(means.valid(meanOfChannels(value, 0)));
  const mean = meanOf(shifted);
  const deviation = deviationOf(body, mean, meanOf(body.op('Mul', [shifted, shifted])));
  const [ofGroup = '', deviationOfGroup = ''] = [mean, deviation].map((value) =>
    grouped(value, body.ints(1)),
  );
  const normalized = body.op('Div', [body.op('Sub', [shifted, ofGroup]), deviationOfGroup]);
  const scaled = body.op('Mul', [body.op('Reshape', [normalized, shape]), perChannel(body, 'scale')]);
  body.toTypeOfX(body.op('Add', [scaled, perChannel(body, 'B')]));
  return body.toFunction(
    'LocalGroupNormalization',
    ['X', 'scale', 'B'],
    ['kernel_shape', 'epsilon', 'num_groups'],
    opset,
  );
}
