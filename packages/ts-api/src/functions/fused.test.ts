// The fused operators against their definition, alone: on the kernels, and by their portable bodies in every opset that changes them.
import { describe, expect, it } from 'vitest';
import { type Evaluation, evaluateOperator } from '../../test/evaluate-operator.js';
import { channelNorm, depthwise, gated, largestDifference, noise } from '../../test/reference.js';
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
];

async function errorOf(
  { node, expected }: (typeof operators)[number],
  kind: 'native' | 'portable',
  evaluation: Evaluation,
): Promise<number> {
  const images = node.opType.includes('Conv') ? { x, w } : { x };
  const constants = { scale, bias };
  return largestDifference(
    await evaluateOperator(node, images, kind, { ...evaluation, constants }),
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
    expect(await errorOf(operator, 'native', { type: 'float16' })).toBeLessThan(1e-2);
    for (const body of ['float16', 'mixed'] as const)
      expect(await errorOf(operator, 'portable', { type: 'float16', body })).toBeLessThan(1e-2);
  });

  it('is as defined by a body for tensors of both types', async () => {
    expect(await errorOf(operator, 'portable', { body: 'mixed' })).toBeLessThan(5e-6);
  });
});
