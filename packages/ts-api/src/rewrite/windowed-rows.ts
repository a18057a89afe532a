// Puts windows in the place of the images that are laid in rows.
import type { Graph } from '../graph/graph.js';
import { makeNode, type NodeProto } from '../graph/proto.js';
import type { Size } from '../size.js';
import type { Raising, RowRegion } from './row-region.js';

interface RowShape {
  /** What is reshaped, and the shape that it had when its images were whole. */
  readonly value: string;
  readonly before: readonly number[];
  /** Which of the axes it is given is the pixels, from the first. */
  readonly pixelAxis: number | undefined;
  /** Of the windows, any of them. */
  readonly windows: string;
}

/** Has `node` reshape to what it had reshaped whole images to, whatever the size of the windows and their number. */
function reshapeTo(graph: Graph, node: NodeProto, after: readonly number[], row: RowShape): void {
  const { value, before, pixelAxis, windows } = row;
  const sides = after.map((side, axis) => (axis === pixelAxis ? -1 : side));
  const name = `${windows}_shape`;
  // 0 keeps the number of windows; where it comes to more or fewer rows in front, that follows from the rest.
  const shape =
    before[0] === after[0]
      ? graph.addIntegers(name, [0, ...sides.slice(1)])
      : rowsInFront(graph, node, sides.slice(1), windows);
  graph.replace(node, makeNode('Reshape', [value, shape], node.output, { name: node.name }));
}

/** [-1, …], a -1 in the rest being the pixels of a window, computed of the windows. */
function rowsInFront(graph: Graph, node: NodeProto, rest: readonly number[], windows: string): string {
  const name = `${windows}_shape`;
  const at = rest.indexOf(-1);
  if (at < 0) return graph.addIntegers(name, [-1, ...rest]);
  const front = graph.addIntegers(name, [-1, ...rest.slice(0, at)]);
  const area = graph.insertBefore(node, name, 'ReduceProd', [sidesOf(graph, node, windows, 2, 4)]);
  const parts = [front, area];
  if (at < rest.length - 1) parts.push(graph.addIntegers(name, rest.slice(at + 1)));
  return graph.insertBefore(node, name, 'Concat', parts, { attributes: { axis: 0 } });
}

function sidesOf(graph: Graph, node: NodeProto, windows: string, from: number, to: number): string {
  const name = `${windows}_shape`;
  const [begin = '', end = ''] = [from, to].map((axis) => graph.addIntegers(`${windows}_axis`, [axis]));
  return graph.insertBefore(node, name, 'Slice', [
    graph.insertBefore(node, name, 'Shape', [windows]),
    begin,
    end,
  ]);
}

/** Has `node` merge windows, made of rows, to an image of so many channels, which may be fewer than the windows had. */
function merge(
  graph: Graph,
  { node, rows, like }: Raising,
  windows: string,
  channels: readonly number[],
): void {
  const [image = ''] = node.output;
  const [own = 0, laid = 0] = channels;
  const wanted = (value: string, base: string): string => {
    if (own === laid) return graph.insertBefore(node, base, 'Shape', [value]);
    const parts = [
      sidesOf(graph, node, value, 0, 1),
      graph.addIntegers(base, [own]),
      sidesOf(graph, node, value, 2, 4),
    ];
    return graph.insertBefore(node, base, 'Concat', parts, { attributes: { axis: 0 } });
  };
  const merged = graph.insertBefore(node, `${image}_windows`, 'Reshape', [
    rows,
    wanted(windows, `${image}_shape`),
  ]);
  const ints = (value: number) => graph.addIntegers(`${image}_channels`, [value]);
  const whole =
    own === laid
      ? like
      : graph.insertBefore(node, `${image}_like`, 'Slice', [like, ints(0), ints(own), ints(1)]);
  graph.replace(
    node,
    makeNode('LocalWindowMerge', [merged, whole], node.output, { domain: 'tlsc', name: node.name }),
  );
}

/** Cuts each image that is laid in rows into windows, and merges the windows that are made of rows. */
export function runInWindows(region: RowRegion, window: Size): void {
  const { graph, shapes } = region.context;
  const shapeOf = (value = '') => shapes.get(value) ?? [];
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
    const after = shapeOf(node.output[0]);
    reshapeTo(graph, node, after, {
      value: windows,
      before: shapeOf(image),
      pixelAxis: after.length - 1,
      windows,
    });
  }
  const [anyWindows = ''] = windowsOf.values();
  for (const { node, pixelAxis } of region.reshapes) {
    const [value = ''] = node.input;
    const before = shapeOf(value);
    reshapeTo(graph, node, shapeOf(node.output[0]), { value, before, pixelAxis, windows: anyWindows });
  }
  for (const raising of region.raisings) {
    const channels = [raising.node.output[0], raising.like].map((value) => shapeOf(value)[1] ?? 0);
    merge(graph, raising, windowsOf.get(raising.like) ?? '', channels);
  }
}
