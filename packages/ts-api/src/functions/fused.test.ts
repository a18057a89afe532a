// The fused operators against their definition, alone: on the kernels, and by their portable bodies in every opset that changes them.
import { describe, expect, it } from 'vitest';
import { type Evaluation, evaluateOperator } from '../../test/evaluate-operator.js';
import {
  channelNorm,
  depthwise,
  gated,
  largestDifference,
  localChannelAttention,
  localInstanceNorm,
  noise,
  pointwise,
} from '../../test/reference.js';
import { makeNode, type NodeProto } from '../graph/proto.js';

const scale = [1.5, -0.5, 2, 1];
const bias = [0.1, 0.2, -0.3, 0];
const epsilon = 1e-3;
const x = noise([2, 4, 9, 13]);
const w = noise([4, 1, 3, 3], 7);

function norm(operator: string, input: readonly string[]): NodeProto {
  const attributes = { epsilon: { float: epsilon } };
  return makeNode(operator, ['x', ...input], ['y'], { domain: 'tlsc', attributes });
}

/** Six outputs of four channels. */
const square = noise([6, 4, 1, 1], 3);
const bias6 = [0.3, -0.1, 0, 0.2, 1, -0.5];
const gamma = [0.5, -1, 0.1, 0, 2, 1];
const residual = noise([2, 6, 9, 13], 11);
const outputs = (values: Float64Array | Float32Array) =>
  pointwise(values, x.dims, [...(square.data as Float32Array)], bias6);
const sixChannels = [2, 6, 9, 13];

function pixelConv(operator: string, before: readonly string[], behind: readonly string[] = []): NodeProto {
  const attributes = before.length > 0 ? { epsilon: { float: epsilon } } : {};
  const input = ['x', ...before, 'square', 'bias6', ...behind];
  return makeNode(operator, input, ['y'], { domain: 'tlsc', attributes });
}

/** Queries, keys and values of two heads, in windows that overlap. */
const qkv = noise([2, 12, 9, 13], 5);
const temperature = [1.5, 3];
const bias2 = [-0.25, 0.5];
const window = [6, 8] as const;
const attended = localChannelAttention(qkv, temperature, window);

const attendedWhole = localChannelAttention(qkv, temperature, [9, 13]);

function attention(operator: string, behind: readonly string[] = []): NodeProto {
  const isLocal = operator.startsWith('Local');
  const attributes = { ...(isLocal && { kernel_shape: window }), epsilon: { float: 1e-12 } };
  const input = ['qkv', 'temperature', ...behind, ...(isLocal ? ['place'] : [])];
  return makeNode(operator, input, ['y'], { domain: 'tlsc', attributes });
}

function leaky(operator: string, ...parameters: readonly string[]): NodeProto {
  const attributes = { kernel_shape: window, epsilon: { float: epsilon }, alpha: { float: 0.25 } };
  return makeNode(operator, ['x', ...parameters], ['y'], { domain: 'tlsc', attributes });
}

/** The first so many channels normalized in windows, and LeakyRelu of all. */
function leakyNorm(count: number): Float64Array {
  const scales = count === 4 ? scale : [...temperature, 0, 0];
  const biases = count === 4 ? bias : [...bias2, 0, 0];
  const normalized = localInstanceNorm(x, scales, biases, window, epsilon);
  return normalized.map((value, i) => {
    const own = Math.floor(i / (9 * 13)) % 4 < count ? value : (x.data[i] as number);
    return own < 0 ? 0.25 * own : own;
  });
}

function added(values: Float64Array | Float32Array): Float64Array {
  return Float64Array.from(
    values,
    (value, i) => (residual.data[i] as number) + (gamma[Math.floor(i / (9 * 13)) % 6] as number) * value,
  );
}

function conv(operator: string): NodeProto {
  return makeNode(operator, ['x', 'w', 'bias'], ['y'], { domain: 'tlsc', attributes: { group: 4 } });
}

/** By the series of Abramowitz and Stegun 7.1.5, which converges everywhere. */
function erf(z: number): number {
  let [term, sum] = [z, z];
  for (let n = 1; n < 200; n++) {
    term *= (-z * z) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

const convolved = depthwise(x, w, bias);
const gelu = (value: number) => 0.5 * value * (1 + erf(value / Math.SQRT2));
const operators = [
  {
    node: norm('ChannelLayerNormalization', ['scale', 'bias']),
    expected: channelNorm(x, scale, bias, epsilon),
  },
  {
    node: norm('ChannelVarianceNormalization', ['scale']),
    expected: channelNorm(x, scale, undefined, epsilon),
  },
  { node: conv('DepthwiseConv'), expected: convolved },
  { node: conv('DepthwiseConvGate'), expected: gated(convolved, x.dims, (value) => value) },
  { node: conv('DepthwiseConvGeluGate'), expected: gated(convolved, x.dims, gelu) },
  { node: pixelConv('PointwiseConv', []), expected: outputs(x.data as Float32Array) },
  {
    node: pixelConv('PointwiseConvGate', []),
    expected: gated(outputs(x.data as Float32Array), sixChannels, (value) => value),
  },
  {
    node: pixelConv('PointwiseConvAdd', [], ['gamma', 'r']),
    expected: added(outputs(x.data as Float32Array)),
  },
  { node: leaky('LocalInstanceNormalizationLeakyRelu', 'scale', 'bias'), expected: leakyNorm(4) },
  { node: leaky('LocalHalfInstanceNormalizationLeakyRelu', 'temperature', 'bias2'), expected: leakyNorm(2) },
  { node: attention('TransposedAttention'), expected: attendedWhole },
  {
    node: attention('TransposedAttentionPointwiseConvAdd', ['square', 'bias6', 'gamma', 'r']),
    expected: added(outputs(attendedWhole)),
  },
  { node: attention('LocalTransposedAttention'), expected: attended },
  {
    node: attention('LocalTransposedAttentionPointwiseConvAdd', ['square', 'bias6', 'gamma', 'r']),
    expected: added(outputs(attended)),
  },
  {
    node: pixelConv('LayerNormPointwiseConv', ['scale', 'bias']),
    expected: outputs(channelNorm(x, scale, bias, epsilon)),
  },
  {
    node: pixelConv('LayerNormPointwiseConvGate', ['scale', 'bias']),
    expected: gated(outputs(channelNorm(x, scale, bias, epsilon)), sixChannels, (value) => value),
  },
  {
    node: pixelConv('VarianceNormPointwiseConv', ['scale']),
    expected: outputs(channelNorm(x, scale, undefined, epsilon)),
  },
];

async function errorOf(
  { node, expected }: (typeof operators)[number],
  kind: 'native' | 'portable',
  evaluation: Evaluation,
): Promise<number> {
  const all = { x, w, square, r: residual, qkv };
  const images = Object.fromEntries(Object.entries(all).filter(([name]) => node.input.includes(name)));
  const constants = { scale, bias, bias2, bias6, gamma, temperature };
  const numbers = { place: [0, 0, 0, 0] };
  return largestDifference(
    await evaluateOperator(node, images, kind, { ...evaluation, constants, numbers }),
    Float32Array.from(expected),
  );
}

describe.each(operators)('$node.opType', (operator) => {
  it('is as defined on the kernels', async () => {
    expect(await errorOf(operator, 'native', {})).toBeLessThan(2e-6);
  });

  it.each([12, 13, 17, 18, 20, 22])('is as defined by its body in opset %i', async (opset) => {
    expect(await errorOf(operator, 'portable', { opset })).toBeLessThan(5e-6);
  });

  // 2^-11 of values up to 4, of convolutions a few times.
  it('is as defined in float16, as far as that goes', async () => {
    expect(await errorOf(operator, 'native', { type: 'float16' })).toBeLessThan(2e-2);
    for (const body of ['float16', 'mixed'] as const)
      expect(await errorOf(operator, 'portable', { type: 'float16', body })).toBeLessThan(2e-2);
  });

  it('is as defined by a body for tensors of both types', async () => {
    expect(await errorOf(operator, 'portable', { body: 'mixed' })).toBeLessThan(5e-6);
  });
});
