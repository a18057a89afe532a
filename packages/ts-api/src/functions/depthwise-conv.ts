import type { FunctionProto } from '../graph/proto.js';
import { Body, type BodyOptions } from './body.js';

/** What comes of the first half of the channels before it is multiplied with the second; undefined without a gate. */
type Activation = ((body: Body, half: string) => string) | undefined;

function depthwiseFunction(
  name: string,
  { opset, type }: BodyOptions,
  activation: Activation,
): FunctionProto {
  const body = new Body(type);
  const attributes = { group: { reference: 'group', type: 'int' }, pads: [1, 1, 1, 1] } as const;
  const convolved = body.op('Conv', ['X', 'W', 'B'], attributes);
  if (activation) {
    const [first, second] = body.halves(convolved, 1, opset);
    body.op('Mul', [activation(body, first), second]);
  }
  return body.toFunction(name, ['X', 'W', 'B'], ['group'], opset);
}

/** half · Φ(half), Φ that of the normal distribution. */
function gelu(body: Body, half: string): string {
  const number = (value: number) =>
    body.toTypeOfX(body.op('Constant', [], { value_float: { float: value } }));
  const error = body.op('Erf', [body.op('Div', [half, number(Math.SQRT2)])]);
  const product = body.op('Mul', [half, body.op('Add', [error, number(1)])]);
  return body.op('Mul', [product, number(0.5)]);
}

/** DepthwiseConv(X, W, B; group) in standard ONNX. */
export function depthwiseConvFunction(options: BodyOptions): FunctionProto {
  return depthwiseFunction('DepthwiseConv', options, undefined);
}

/** DepthwiseConvGate(X, W, B; group), likewise. */
export function depthwiseConvGateFunction(options: BodyOptions): FunctionProto {
  return depthwiseFunction('DepthwiseConvGate', options, (_, half) => half);
}

/** DepthwiseConvGeluGate(X, W, B; group), likewise. */
export function depthwiseConvGeluGateFunction(options: BodyOptions): FunctionProto {
  return depthwiseFunction('DepthwiseConvGeluGate', options, gelu);
}
