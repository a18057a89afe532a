import { create } from '@bufbuild/protobuf';
import { OperatorSetIdProtoSchema } from 'onnx-buf';
import type { Tensor } from 'onnxruntime-common';
import { expect } from 'vitest';
import type { BodyType } from '../src/functions/body.js';
import { functions } from '../src/functions/index.js';
import { encodeModel } from '../src/graph/model.js';
import { DataType, type NodeProto } from '../src/graph/proto.js';
import { floatsOf, type ImageType, toImageTensor } from '../src/session/image-tensors.js';
import { InferenceSession } from '../src/session/inference-session.js';
import { buildModel, floats, halves, integers, valueInfo } from './build-model.js';

export type Operators = 'native' | 'portable';

export interface Evaluation {
  readonly opset?: number;
  /** Of the tensors. */
  readonly type?: ImageType;
  /** What the body is written for. Default: the tensors' type. */
  readonly body?: BodyType;
  /** Constants of one dimension that the node reads, by name. */
  readonly constants?: Readonly<Record<string, readonly number[]>>;
  /** Those of whole numbers. */
  readonly numbers?: Readonly<Record<string, readonly number[]>>;
}

/** Runs a model of the one node on `images`, with its portable body beside it; the values of its output, y. */
export async function evaluateOperator(
  node: NodeProto,
  images: Readonly<Record<string, Tensor>>,
  operators: Operators,
  { opset = 17, type = 'float32', body = type, constants = {}, numbers = {} }: Evaluation = {},
): Promise<Float32Array> {
  const constant = type === 'float32' ? floats : halves;
  const elemType = type === 'float32' ? DataType.FLOAT : DataType.FLOAT16;
  const feeds: Record<string, Tensor> = {};
  for (const [name, { data, dims }] of Object.entries(images))
    feeds[name] = await toImageTensor(type, data as Float32Array, dims);
  const input = Object.entries(images).map(([name, { dims }]) =>
    valueInfo(
      name,
      dims.map((_, axis) => `${name}${axis}`),
      elemType,
    ),
  );
  const parts = {
    node: [node],
    initializer: [
      ...Object.entries(constants).map(([name, values]) => constant(name, [values.length], values)),
      ...Object.entries(numbers).map(([name, values]) => integers(name, values)),
    ],
    input,
    output: [valueInfo('y', ['n', 'c', 'h', 'w'], elemType)],
  };
  const model = buildModel(parts, { opset });
  model.opsetImport.push(create(OperatorSetIdProtoSchema, { domain: 'tlsc', version: 1n }));
  const fast = node.attribute.some(({ name }) => name === 'max_stride');
  const needed = new Set([node.opType]);
  for (const operator of needed) {
    const made = functions[operator]?.({ opset, type: body, fast });
    if (!made) continue;
    model.functions.push(made);
    // What the body calls.
    for (const { domain, opType } of made.node) if (domain === 'tlsc') needed.add(opType);
  }
  const session = await InferenceSession.create(encodeModel(model), { operators, logSeverityLevel: 3 });
  const { y } = await session.run(feeds);
  await session.release();
  expect(y?.type).toBe(type);
  return (await floatsOf(y as Tensor)) as Float32Array;
}
