import type { FunctionProto } from '../graph/proto.js';
import { Body, type BodyOptions } from './body.js';
import { normalizedOverChannels } from './channel-normalization.js';

/** What stands in front of a pointwise convolution, and behind it. */
interface Around {
  readonly before?: 'LayerNorm' | 'VarianceNorm';
  readonly behind?: 'Gate' | 'Add';
}

const parameters = { LayerNorm: ['scale', 'shift'], VarianceNorm: ['scale'] } as const;

function convolved(body: Body, opset: number, before: Around['before']): string {
  if (!before) return body.op('Conv', ['X', 'W', 'B']);
  const shift = before === 'LayerNorm' ? 'shift' : undefined;
  return body.op('Conv', [body.fromFloat32(normalizedOverChannels(body, opset, 'scale', shift)), 'W', 'B']);
}

function pointwiseFunction(name: string, { before, behind }: Around) {
  return ({ opset, type }: BodyOptions): FunctionProto => {
    const body = new Body(type);
    const value = convolved(body, opset, before);
    if (behind === 'Gate') body.op('Mul', body.halves(value, 1, opset));
    if (behind === 'Add') {
      const gamma = body.op('Reshape', ['gamma', body.ints(1, -1, 1, 1)]);
      body.op('Add', [body.op('Mul', [value, gamma]), 'R']);
    }
    const input = [
      'X',
      ...(before ? parameters[before] : []),
      'W',
      'B',
      ...(behind === 'Add' ? ['gamma', 'R'] : []),
    ];
    return body.toFunction(name, input, before ? ['epsilon'] : [], opset);
  };
}

/** Convolutions of single pixels in standard ONNX, by the names of the operators. */
export const pointwiseFunctions = {
  PointwiseConv: pointwiseFunction('PointwiseConv', {}),
  PointwiseConvGate: pointwiseFunction('PointwiseConvGate', { behind: 'Gate' }),
  PointwiseConvAdd: pointwiseFunction('PointwiseConvAdd', { behind: 'Add' }),
  LayerNormPointwiseConv: pointwiseFunction('LayerNormPointwiseConv', { before: 'LayerNorm' }),
  LayerNormPointwiseConvGate: pointwiseFunction('LayerNormPointwiseConvGate', {
    before: 'LayerNorm',
    behind: 'Gate',
  }),
  VarianceNormPointwiseConv: pointwiseFunction('VarianceNormPointwiseConv', { before: 'VarianceNorm' }),
} as const;
