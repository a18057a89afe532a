import type { FunctionProto } from '../graph/proto.js';
import { Body, type BodyOptions } from './body.js';

function meanOfChannels(body: Body, value: string, opset: number): string {
  return opset < 18
    ? body.op('ReduceMean', [value], { axes: [1], keepdims: 1 })
    : body.op('ReduceMean', [value, body.ints(1)], { keepdims: 1 });
}

/** X, X less its mean over the channels, and what either is multiplied with to be normalized, in float32. */
function partsOf(body: Body, opset: number) {
  const x = body.toFloat32('X');
  const centred = body.op('Sub', [x, meanOfChannels(body, x, opset)]);
  const variance = meanOfChannels(body, body.op('Mul', [centred, centred]), opset);
  const deviation = body.op('Sqrt', [body.op('Add', [variance, body.attribute('epsilon', 'float')])]);
  return { x, centred, factor: body.op('Reciprocal', [deviation]) };
}

/** A per-channel parameter, [C], as float32 of shape [1, C, 1, 1]. */
function perChannel(body: Body, value: string): string {
  return body.toFloat32(body.op('Reshape', [value, body.ints(1, -1, 1, 1)]));
}

/** X normalized over its channels, in float32, with this scale and shift; without a shift its mean is not taken off. */
export function normalizedOverChannels(
  body: Body,
  opset: number,
  scale: string,
  shift: string | undefined,
): string {
  const { x, centred, factor } = partsOf(body, opset);
  const normalized = body.op('Mul', [shift === undefined ? x : centred, factor]);
  const scaled = body.op('Mul', [normalized, perChannel(body, scale)]);
  return shift === undefined ? scaled : body.op('Add', [scaled, perChannel(body, shift)]);
}

/**
 * ChannelLayerNormalization(X, scale, B; epsilon) in standard ONNX. In float32, as networks have it: few values are summed, and the body must
 * not take longer than what it stands for.
 */
export function channelLayerNormalizationFunction({ opset, type }: BodyOptions): FunctionProto {
  const body = new Body(type);
  body.fromFloat32(normalizedOverChannels(body, opset, 'scale', 'B'));
  return body.toFunction('ChannelLayerNormalization', ['X', 'scale', 'B'], ['epsilon'], opset);
}

/** ChannelVarianceNormalization(X, scale; epsilon), likewise. */
export function channelVarianceNormalizationFunction({ opset, type }: BodyOptions): FunctionProto {
  const body = new Body(type);
  body.fromFloat32(normalizedOverChannels(body, opset, 'scale', undefined));
  return body.toFunction('ChannelVarianceNormalization', ['X', 'scale'], ['epsilon'], opset);
}
