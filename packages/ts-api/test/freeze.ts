// What an exporter makes of a network that it traces at one size: all that follows from shapes is a constant.
import { create } from '@bufbuild/protobuf';
import { TensorProtoSchema, ValueInfoProtoSchema } from 'onnx-buf';
import { Graph } from '../src/graph/graph.js';
import { encodeModel, type Model } from '../src/graph/model.js';
import { DataType, type NodeProto, subgraphsOf, type ValueInfoProto } from '../src/graph/proto.js';
import { trialFeeds } from '../src/graph/trial-feeds.js';
import { layoutOf } from '../src/session/image-layout.js';
import { InferenceSession } from '../src/session/inference-session.js';
import type { Size } from '../src/size.js';

/** The nodes whose results follow from shapes and constants alone. */
function shapeNodes({ graph }: Model): NodeProto[] {
  const known = new Set(['', ...graph.initializer.map(({ name }) => name)]);
  return graph.node.filter((node) => {
    const follows =
      node.opType === 'Shape' || (node.opType !== 'Constant' && node.input.every((name) => known.has(name)));
    if (subgraphsOf(node).length > 0 || !(follows || node.opType === 'Constant')) return false;
    for (const name of node.output) known.add(name);
    return node.opType !== 'Constant';
  });
}

function fix(input: ValueInfoProto, size: Size): void {
  if (input.type?.value.case !== 'tensorType') return;
  const dims = input.type.value.value.shape?.dim ?? [];
  const { rows, columns } = layoutOf(
    dims.map(({ value }) => (value.case === 'dimValue' ? Number(value.value) : '')),
  );
  for (const [axis, side] of [
    [0, 1],
    [rows, size[0]],
    [columns, size[1]],
  ] as const) {
    const dim = dims[axis];
    if (dim) dim.value = { case: 'dimValue', value: BigInt(side) };
  }
}

/** Freezes the model to images of this size, in place. */
export async function freeze(model: Model, size: Size): Promise<void> {
  const nodes = shapeNodes(model);
  const names = nodes.flatMap(({ output }) => output).filter((name) => name !== '');
  const { output } = model.graph;
  const added = names.filter((name) => !output.some((one) => one.name === name));
  model.graph.output = [...output, ...added.map((name) => create(ValueInfoProtoSchema, { name }))];
  const session = await InferenceSession.create(encodeModel(model), { graphOptimizationLevel: 'disabled' });
  model.graph.output = output;
  const values = await session.run(await trialFeeds(model, size, 'model'), names);
  await session.release();
  const gone = new Set(nodes);
  model.graph.node = model.graph.node.filter((node) => !gone.has(node));
  const read = new Set(model.graph.node.flatMap(({ input }) => input));
  for (const name of names) {
    const tensor = values[name];
    if (!tensor || !read.has(name)) continue;
    const dims = tensor.dims.map(BigInt);
    const { buffer, byteOffset, byteLength } = tensor.data as BigInt64Array;
    const types: Readonly<Record<string, DataType>> = {
      bool: DataType.BOOL,
      float32: DataType.FLOAT,
      int32: DataType.INT32,
      int64: DataType.INT64,
    };
    const rawData = new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength).slice();
    const dataType = types[tensor.type] ?? DataType.UNDEFINED;
    model.graph.initializer.push(create(TensorProtoSchema, { name, dims, dataType, rawData }));
  }
  // What only led to them.
  const graph = new Graph(model.graph);
  for (const node of [...graph.nodes].reverse())
    if (!node.output.some((name) => graph.isUsed(name))) graph.removeIfUnused(node);
  model.graph.valueInfo = [];
  for (const input of model.graph.input) fix(input, size);
}
