// The portable bodies against the definition, alone: a model of one node, without the operator library.
import { create } from '@bufbuild/protobuf';
import { OperatorSetIdProtoSchema } from 'onnx-buf';
import type { Tensor } from 'onnxruntime-common';
import { describe, expect, it } from 'vitest';
import { buildModel, floats } from '../../test/build-model.js';
import { largestDifference, localInstanceNorm, noise, windowMeans } from '../../test/reference.js';
import { encodeModel } from '../graph/model.js';
import { makeNode, type NodeProto } from '../graph/proto.js';
import { InferenceSession } from '../session/inference-session.js';
import { functions } from './index.js';

const scale = [1.5, -0.5, 2];
const bias = [0.1, 0.2, -0.3];
const epsilon = 1e-3;

async function evaluate(
  node: NodeProto,
  x: Tensor,
  opset: number,
  operators: 'native' | 'portable',
): Promise<Float32Array> {
  const initializer = [floats('scale', [3], scale), floats('bias', [3], bias)];
  const model = buildModel({ node: [node], initializer }, { opset });
  model.opsetImport.push(create(OperatorSetIdProtoSchema, { domain: 'tlsc', version: 1n }));
  const make = functions[node.opType];
  if (make) model.functions.push(make(opset));
  const session = await InferenceSession.create(encodeModel(model), { operators, logSeverityLevel: 3 });
  const { y } = await session.run({ x });
  await session.release();
  return y?.data as Float32Array;
}

function pool(window: readonly number[]): NodeProto {
  return makeNode('LocalAveragePool', ['x'], ['y'], { domain: 'tlsc', attributes: { kernel_shape: window } });
}

function normalization(window: readonly number[]): NodeProto {
  const attributes = { kernel_shape: window, epsilon: { float: epsilon } };
  return makeNode('LocalInstanceNormalization', ['x', 'scale', 'bias'], ['y'], {
    domain: 'tlsc',
    attributes,
  });
}

/** Plane and window: odd, even, one pixel, window as large as the plane, larger in one direction, larger in both. */
const sizes = [
  { plane: [13, 18], window: [5, 4] },
  { plane: [12, 17], window: [1, 1] },
  { plane: [9, 7], window: [9, 7] },
  { plane: [9, 7], window: [8, 6] },
  { plane: [9, 30], window: [40, 8] },
  { plane: [31, 6], window: [7, 7] },
  { plane: [5, 4], window: [64, 64] },
  { plane: [1, 1], window: [3, 3] },
  { plane: [1, 20], window: [2, 6] },
] as const;

describe.each(['native', 'portable'] as const)('%s operators', (operators) => {
  it.each(sizes)('pool $plane over $window as defined', async ({ plane, window }) => {
    const x = noise([2, 3, ...plane]);
    expect(
      largestDifference(await evaluate(pool(window), x, 17, operators), windowMeans(x, window)),
    ).toBeLessThan(1e-6);
  });

  it.each(sizes)('normalize $plane over $window as defined', async ({ plane, window }) => {
    const x = noise([2, 3, ...plane]);
    const y = await evaluate(normalization(window), x, 17, operators);
    expect(
      largestDifference(y, localInstanceNorm(x, scale, bias, window, Math.fround(epsilon))),
    ).toBeLessThan(1e-5);
  });

  it.each([12, 13, 14, 15, 16, 18, 19, 20, 21, 22])('work in a model of opset %d', async (opset) => {
    const x = noise([1, 3, 11, 14]);
    expect(
      largestDifference(await evaluate(pool([4, 5]), x, opset, operators), windowMeans(x, [4, 5])),
    ).toBeLessThan(1e-6);
    const y = await evaluate(normalization([4, 5]), x, opset, operators);
    expect(
      largestDifference(y, localInstanceNorm(x, scale, bias, [4, 5], Math.fround(epsilon))),
    ).toBeLessThan(1e-5);
  });

  it.each([0.5, 5])('keep the digits of a faint texture around %d', async (level) => {
    const x = noise([1, 3, 60, 80]);
    for (let i = 0; i < x.data.length; i++)
      (x.data as Float32Array)[i] = level + 0.02 * (x.data[i] as number);
    const y = await evaluate(normalization([24, 24]), x, 17, operators);
    expect(
      largestDifference(y, localInstanceNorm(x, scale, bias, [24, 24], Math.fround(epsilon))),
    ).toBeLessThan(1e-5);
  });

  it('take an empty batch', async () => {
    expect(await evaluate(pool([3, 3]), noise([0, 3, 8, 8]), 17, operators)).toHaveLength(0);
  });
});
