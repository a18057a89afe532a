// Models of the image `x`, raised to another opset: what they compute must not change.
import type { Tensor } from 'onnxruntime-common';
import { expect } from 'vitest';
import { raiseOpset } from '../src/conversion/raise-opset.js';
import type { Shapes } from '../src/graph/measure.js';
import { decodeModel, encodeModel, type Model, opsetOf } from '../src/graph/model.js';
import type { ValueInfoProto } from '../src/graph/proto.js';
import { InferenceSession } from '../src/session/inference-session.js';
import { buildBytes, type GraphParts, valueInfo } from './build-model.js';
import { faultsOf } from './graph-faults.js';
import { largestDifference, noise } from './reference.js';

export const x = noise([2, 4, 6, 8]);

export async function raise(model: Model, opset: number, shapes: Shapes = new Map()): Promise<Model> {
  await raiseOpset(model, opset, 'm.onnx', async () => shapes);
  return decodeModel(encodeModel(model), 'raised');
}

export async function run(model: Model): Promise<Tensor> {
  const session = await InferenceSession.create(encodeModel(model), { logSeverityLevel: 3 });
  const { y } = await session.run({ x });
  await session.release();
  return y as Tensor;
}

/** An output of any rank. */
export function anyOutput(name: string): ValueInfoProto {
  const output = valueInfo(name, []);
  if (output.type?.value.case === 'tensorType') delete output.type.value.value.shape;
  return output;
}

/** A model that shares nothing with `parts`. */
export function build(parts: GraphParts, opset: number): Model {
  const ends = { input: [valueInfo('x', ['n', 4, 'h', 'w'])], output: [anyOutput('y')] };
  return decodeModel(buildBytes({ ...ends, ...parts }, { opset }), 'm');
}

/** Both compute the same from `x`; the raised model, valid, of that opset. */
export async function expectSame(
  parts: GraphParts,
  from: number,
  to: number,
  shapes?: Shapes,
): Promise<Model> {
  const before = await run(build(parts, from));
  const raised = await raise(build(parts, from), to, shapes);
  expect(opsetOf(raised)).toBe(to);
  expect(faultsOf(raised)).toEqual([]);
  const after = await run(raised);
  expect(after.dims).toEqual(before.dims);
  expect(largestDifference(after.data as Float32Array, before.data as Float32Array)).toBeLessThan(1e-6);
  return raised;
}
