// Puts windows in the place of the images that are laid in rows.
import { create } from '@bufbuild/protobuf';
import { TensorProtoSchema } from 'onnx-buf';
import type { Graph } from '../graph/graph.js';
import { DataType, makeNode, type NodeProto } from '../graph/proto.js';
import type { Size } from '../size.js';
import type { RowRegion } from './row-region.js';

function addIntegers(graph: Graph, name: string, values: readonly number[]): string {
  const rawData = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
  return graph.addInitializer(
    create(TensorProtoSchema, { name, dataType: DataType.INT64, dims: [BigInt(values.length)], rawData }),
  );
}

/** Has `node` reshape `value` to what it had reshaped an image to, whatever the size of the windows and their number. */
function reshapeTo(graph: Graph, region: RowRegion, node: NodeProto, value: string, windows: string): void {
  const { shapes } = region.context;
  const [rows = 0, ...rest] = shapes.get(node.output[0] ?? '') ?? [];
  const name = `${windows}_shape`;
  // 0 keeps the number of windows; where there are several rows of each in front, it follows from the rest.
  const shape =
    rows === region.batch
      ? addIntegers(graph, name, [0, ...rest.map((side) => (side === region.pixels ? -1 : side))])
      : rowsInFront(graph, node, rest, region.pixels, windows);
  graph.replace(node, makeNode('Reshape', [value, shape], node.output, { name: node.name }));
}

/** [-1, …, pixels], computed of the windows. */
function rowsInFront(
  graph: Graph,
  node: NodeProto,
  rest: readonly number[],
  pixels: number,
  windows: string,
): string {
  const name = `${windows}_shape`;
  if (!rest.includes(pixels)) return addIntegers(graph, name, [-1, ...rest]);
  const front = addIntegers(graph, name, [-1, ...rest.slice(0, -1)]);
  const [begin, end] = [2, 4].map((axis) => addIntegers(graph, `${windows}_axis`, [axis])) as [
    string,
    string,
  ];
  const all = graph.insertBefore(node, name, 'Shape', [windows]);
  const sides = graph.insertBefore(node, name, 'Slice', [all, begin, end]);
  const area = graph.insertBefore(node, name, 'ReduceProd', [sides]);
  return graph.insertBefore(node, name, 'Concat', [front, area], { attributes: { axis: 0 } });
}

/** Cuts each image that is laid in rows into windows, and merges the windows that are made of rows. */
export function runInWindows(region: RowRegion, window: Size): void {
  const { graph } = region.context;
  graph.forgetShapes(region.values());
  for (const expansion of region.expansions) graph.bypass(expansion);
  const windowsOf = new Map<string, string>();
  const ordered = region.layings.toSorted(
    (a, b) => graph.nodes.indexOf(a.node) - graph.nodes.indexOf(b.node),
  );
  for (const { node, image } of ordered) {
    const windows =
      windowsOf.get(image) ??
      graph.insertBefore(node, `${image}_windows`, 'LocalWindowPartition', [image], {
        domain: 'tlsc',
        attributes: { kernel_shape: window },
      });
    windowsOf.set(image, windows);
    reshapeTo(graph, region, node, windows, windows);
  }
  const [anyWindows = ''] = windowsOf.values();
  for (const node of region.reshapes) reshapeTo(graph, region, node, node.input[0] ?? '', anyWindows);
  for (const { node, rows, like } of region.raisings) {
    const [image = ''] = node.output;
    const shape = graph.insertBefore(node, `${image}_shape`, 'Shape', [windowsOf.get(like) ?? '']);
    const merged = graph.insertBefore(node, `${image}_windows`, 'Reshape', [rows, shape]);
    graph.replace(
      node,
      makeNode('LocalWindowMerge', [merged, like], node.output, { domain: 'tlsc', name: node.name }),
    );
  }
}
