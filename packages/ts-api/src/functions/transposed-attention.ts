// Attention between channels in windows, in standard ONNX.
import type { FunctionProto } from '../graph/proto.js';
import { Body, type BodyOptions } from './body.js';
import { placeInput } from './window-tiles.js';

const parameters = ['kernel_shape', 'epsilon'];

/** An image's windows, and the same as rows of pixels: windows × heads × channels of a head × pixels. */
interface Rows {
  readonly windows: string;
  readonly rows: string;
}

function rowsOf(body: Body, image: string, heads: string): Rows {
  const kernel = { kernel_shape: { reference: 'kernel_shape', type: 'ints' } } as const;
  const windows = body.call('LocalWindowPartition', [image, placeInput], kernel);
  const channels = body.slice(body.op('Shape', [image]), body.ints(1), body.ints(2), 0);
  const parts = [body.ints(0), heads, body.op('Div', [channels, heads]), body.ints(-1)];
  return { windows, rows: body.op('Reshape', [windows, body.op('Concat', parts, { axis: 0 })]) };
}

/** Rows divided by their lengths, which are at least epsilon, in float32. */
function normalized(body: Body, { rows }: Rows, opset: number): string {
  const value = body.toFloat32(rows);
  const length =
    opset < 18
      ? body.op('ReduceL2', [value], { axes: [-1], keepdims: 1 })
      : body.op('ReduceL2', [value, body.ints(-1)], { keepdims: 1 });
  return body.op('Div', [value, body.op('Max', [length, body.attribute('epsilon', 'float')])]);
}

/** The mean of what the windows make of their pixels. */
function attended(body: Body, opset: number): string {
  const heads = body.op('Shape', ['temperature']);
  const [queries, keys, values] = body.parts('X', 3, 1, opset).map((image) => ({
    image,
    ...rowsOf(body, image, heads),
  })) as [Rows, Rows, Rows & { image: string }];
  const upright = body.op('Transpose', [normalized(body, keys, opset)], { perm: [0, 1, 3, 2] });
  const scores = body.op('MatMul', [normalized(body, queries, opset), upright]);
  const temperature = body.op('Reshape', [body.toFloat32('temperature'), body.ints(-1, 1, 1)]);
  const attention = body.op('Softmax', [body.op('Mul', [scores, temperature])], { axis: -1 });
  const rows = body.op('MatMul', [body.fromFloat32(attention), values.rows]);
  const windows = body.op('Reshape', [rows, body.op('Shape', [values.windows])]);
  return body.call('LocalWindowMerge', [windows, values.image, placeInput]);
}

/** LocalTransposedAttention(X, temperature, place; kernel_shape, epsilon). */
function localTransposedAttention({ opset, type }: BodyOptions): FunctionProto {
  const body = new Body(type);
  attended(body, opset);
  const input = ['X', 'temperature', placeInput];
  return body.toFunction('LocalTransposedAttention', input, parameters, opset);
}

/** The same with the convolution behind it, and what that is added to. */
function localTransposedAttentionPointwiseConvAdd({ opset, type }: BodyOptions): FunctionProto {
  const body = new Body(type);
  const convolved = body.op('Conv', [attended(body, opset), 'W', 'B']);
  const gamma = body.op('Reshape', ['gamma', body.ints(1, -1, 1, 1)]);
  body.op('Add', [body.op('Mul', [convolved, gamma]), 'R']);
  const input = ['X', 'temperature', 'W', 'B', 'gamma', 'R', placeInput];
  return body.toFunction('LocalTransposedAttentionPointwiseConvAdd', input, parameters, opset);
}

export const transposedAttentionFunctions = {
  LocalTransposedAttention: localTransposedAttention,
  LocalTransposedAttentionPointwiseConvAdd: localTransposedAttentionPointwiseConvAdd,
} as const;
