// Attention between channels, of the plane or in windows, in standard ONNX.
import type { FunctionProto } from '../graph/proto.js';
import { Body, type BodyOptions } from './body.js';
import { placeInput } from './window-tiles.js';

/** An image, or its windows, and the same as rows of pixels: windows × heads × channels of a head × pixels. */
interface Rows {
  readonly windows: string;
  readonly rows: string;
}

function rowsOf(body: Body, image: string, heads: string, isLocal: boolean): Rows {
  const kernel = { kernel_shape: { reference: 'kernel_shape', type: 'ints' } } as const;
  const windows = isLocal ? body.call('LocalWindowPartition', [image, placeInput], kernel) : image;
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

/** What attention makes of the pixels: in windows, the mean of what these make of theirs. */
function attended(body: Body, opset: number, isLocal: boolean): string {
  const heads = body.op('Shape', ['temperature']);
  const [queries, keys, values] = body.parts('X', 3, 1, opset).map((image) => ({
    image,
    ...rowsOf(body, image, heads, isLocal),
  })) as [Rows, Rows, Rows & { image: string }];
  const upright = body.op('Transpose', [normalized(body, keys, opset)], { perm: [0, 1, 3, 2] });
  const scores = body.op('MatMul', [normalized(body, queries, opset), upright]);
  const temperature = body.op('Reshape', [body.toFloat32('temperature'), body.ints(-1, 1, 1)]);
  const attention = body.op('Softmax', [body.op('Mul', [scores, temperature])], { axis: -1 });
  const rows = body.op('MatMul', [body.fromFloat32(attention), values.rows]);
  const windows = body.op('Reshape', [rows, body.op('Shape', [values.windows])]);
  return isLocal ? body.call('LocalWindowMerge', [windows, values.image, placeInput]) : windows;
}

/** TransposedAttention(X, temperature; epsilon), or with windows LocalTransposedAttention(X, temperature, place; kernel_shape, epsilon). */
function transposedAttention(isLocal: boolean, { opset, type }: BodyOptions): FunctionProto {
  const body = new Body(type);
  attended(body, opset, isLocal);
  return toFunction(body, 'TransposedAttention', ['X', 'temperature'], isLocal, opset);
}

/** The same with the convolution behind it, and what that is added to. */
function transposedAttentionPointwiseConvAdd(isLocal: boolean, { opset, type }: BodyOptions): FunctionProto {
  const body = new Body(type);
  const convolved = body.op('Conv', [attended(body, opset, isLocal), 'W', 'B']);
  const gamma = body.op('Reshape', ['gamma', body.ints(1, -1, 1, 1)]);
  body.op('Add', [body.op('Mul', [convolved, gamma]), 'R']);
  const input = ['X', 'temperature', 'W', 'B', 'gamma', 'R'];
  return toFunction(body, 'TransposedAttentionPointwiseConvAdd', input, isLocal, opset);
}

function toFunction(body: Body, name: string, input: readonly string[], isLocal: boolean, opset: number) {
  return isLocal
    ? body.toFunction(`Local${name}`, [...input, placeInput], ['kernel_shape', 'epsilon'], opset)
    : body.toFunction(name, input, ['epsilon'], opset);
}

export const transposedAttentionFunctions = {
  TransposedAttention: transposedAttention.bind(undefined, false),
  TransposedAttentionPointwiseConvAdd: transposedAttentionPointwiseConvAdd.bind(undefined, false),
  LocalTransposedAttention: transposedAttention.bind(undefined, true),
  LocalTransposedAttentionPointwiseConvAdd: transposedAttentionPointwiseConvAdd.bind(undefined, true),
} as const;
