// What inlining may change in a model, said independently of how it is done: everything it computes must be as it was.
import { toBinary } from '@bufbuild/protobuf';
import { NodeProtoSchema, TensorProtoSchema } from 'onnx-buf';
import { encodeModel, type Model } from '../src/graph/model.js';
import { type NodeProto, subgraphsOf, type TensorProto } from '../src/graph/proto.js';
import { trialFeeds } from '../src/graph/trial-feeds.js';
import { floatsOf } from '../src/session/image-tensors.js';
import { InferenceSession, type Outputs } from '../src/session/inference-session.js';
import type { Size } from '../src/size.js';
import { readsOf } from './graph-faults.js';
import { largestDifference } from './reference.js';

function paint(values: Float32Array): void {
  values.forEach((_, i) => {
    values[i] = Math.sin(i * 12.9898) * 0.5 + Math.cos(i * 0.01) * 0.3;
  });
}

/** What the model makes of noise, through ONNX Runtime as it comes. */
async function outputsOf(model: Model, size: Size): Promise<Outputs> {
  const session = await InferenceSession.create(encodeModel(model), {
    operators: 'portable',
    graphOptimizationLevel: 'disabled',
    externalDataFolder: model.externalDataFolder,
    logSeverityLevel: 4,
  });
  const outputs = await session.run(await trialFeeds(model, size, 'the model', paint));
  await session.release();
  return outputs;
}

function isCall(node: NodeProto, { functions }: Model): boolean {
  return functions.some(
    ({ domain, name, overload }) =>
      domain === node.domain && name === node.opType && overload === node.overload,
  );
}

function hasCall(nodes: readonly NodeProto[], model: Model): boolean {
  return nodes.some(
    (node) => isCall(node, model) || subgraphsOf(node).some((inner) => hasCall(inner.node, model)),
  );
}

const keyOfNode = (node: NodeProto) => Buffer.from(toBinary(NodeProtoSchema, node)).toString('latin1');
const keyOfTensor = (tensor: TensorProto) =>
  Buffer.from(toBinary(TensorProtoSchema, tensor)).toString('latin1');

function faultsOfContents(original: Model, inlined: Model): string[] {
  const faults = hasCall(inlined.graph.node, original) ? ['a function is still called'] : [];
  const read = new Set([
    ...inlined.graph.node.flatMap(readsOf),
    ...inlined.graph.output.map(({ name }) => name),
  ]);
  const nodes = new Set(inlined.graph.node.map(keyOfNode));
  for (const node of original.graph.node) {
    const mayChange = hasCall([node], original) || node.opType === 'If';
    const isNeeded = node.output.some((value) => read.has(value));
    if (!mayChange && isNeeded && !nodes.has(keyOfNode(node)))
      faults.push(`node ${node.opType} of ${node.output[0]} has changed`);
  }
  const tensors = new Set(inlined.graph.initializer.map(keyOfTensor));
  for (const tensor of original.graph.initializer)
    if (read.has(tensor.name) && !tensors.has(keyOfTensor(tensor)))
      faults.push(`initializer ${tensor.name} has changed`);
  return faults;
}

/** Everything that inlining has changed and must not: what the model computes, and what was there beside calls and branches. */
export async function faultsOfInlining(original: Model, inlined: Model, size: Size): Promise<string[]> {
  const faults = faultsOfContents(original, inlined);
  const [before, after] = [await outputsOf(original, size), await outputsOf(inlined, size)];
  if (Object.keys(before).join() !== Object.keys(after).join()) faults.push('the outputs are others');
  for (const [name, tensor] of Object.entries(before)) {
    const [expected, values] = [await floatsOf(tensor), after[name] && (await floatsOf(after[name]))];
    const difference = largestDifference(values ?? [], expected ?? []);
    if (!(difference <= 0)) faults.push(`output ${name} differs by ${difference} once functions are inlined`);
  }
  return faults;
}
