// Instance normalization in windows, of all channels or of the first, and LeakyRelu behind it, in standard ONNX.
import type { FunctionProto } from '../graph/proto.js';
import { Body, type BodyOptions } from './body.js';

function normalized(body: Body, value: string, fast: boolean): string {
  const ints = (name: string) => ({ [name]: { reference: name, type: 'ints' } as const });
  return body.call('LocalInstanceNormalization', [value, 'scale', 'B'], {
    ...ints('kernel_shape'),
    epsilon: { reference: 'epsilon', type: 'float' },
    ...(fast && ints('max_stride')),
  });
}

/** The first channels, as many as there are scales, normalized, and the others. */
function halfNormalized(body: Body, fast: boolean): string {
  const count = body.op('Shape', ['scale']);
  const all = body.slice(body.op('Shape', ['X']), body.ints(1), body.ints(2), 0);
  const first = body.slice('X', body.ints(0), count, 1);
  const others = body.slice('X', count, all, 1);
  return body.op('Concat', [normalized(body, first, fast), others], { axis: 1 });
}

function leakyRelu(name: string, ofHalf: boolean) {
  return ({ opset, type, fast }: BodyOptions): FunctionProto => {
    const body = new Body(type);
    const value = ofHalf ? halfNormalized(body, fast) : normalized(body, 'X', fast);
    body.op('LeakyRelu', [value], { alpha: { reference: 'alpha', type: 'float' } });
    const attributes = ['kernel_shape', 'epsilon', 'alpha', ...(fast ? ['max_stride'] : [])];
    return body.toFunction(name, ['X', 'scale', 'B'], attributes, opset);
  };
}

export const normalizationLeakyReluFunctions = {
  LocalInstanceNormalizationLeakyRelu: leakyRelu('LocalInstanceNormalizationLeakyRelu', false),
  LocalHalfInstanceNormalizationLeakyRelu: leakyRelu('LocalHalfInstanceNormalizationLeakyRelu', true),
} as const;
