// Puts windows in the place of the images that are laid in rows.
import type { Graph } from '../graph/graph.js';
import { intsOf, isOnnxDomain, makeNode, type NodeProto } from '../graph/proto.js';
import type { Size } from '../size.js';
import { imageSidesOf, type LaidImage } from './laid-images.js';
import { placeOf } from './places.js';
import type { Raising, RowRegion } from './row-region.js';
import type { RuleContext } from './rule.js';

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

const toLast = { attributes: { perm: [0, 2, 3, 1] } };
const toFirst = { attributes: { perm: [0, 3, 1, 2] } };

/** What local operators take and give, channels first. */
interface Partition {
  readonly image: string;
  readonly windows: string;
  /** Where the image lies in the one that it is a piece of. */
  readonly place: string;
}

/** The image with its channels first, put in front of `node` where it is not there. */
function channelsFirst(graph: Graph, node: NodeProto, { image, layout }: LaidImage): string {
  if (layout === 'channels first') return image;
  const above = graph.producer(image);
  const [input = ''] = above?.input ?? [];
  const isTurned = above?.opType === 'Transpose' && isOnnxDomain(above.domain);
  if (isTurned && intsOf(above, 'perm')?.join() === toLast.attributes.perm.join()) return input;
  return graph.insertBefore(node, `${image}_first`, 'Transpose', [image], toFirst);
}

function partition(context: RuleContext, node: NodeProto, laid: LaidImage, window: Size): Partition {
  const { graph } = context;
  const image = channelsFirst(graph, node, laid);
  const place = placeOf(context, node, laid);
  const windows = graph.insertBefore(node, `${laid.image}_windows`, 'LocalWindowPartition', [image, place], {
    domain: 'tlsc',
    attributes: { kernel_shape: window },
  });
  return { image, windows, place };
}

/** Has `node` merge windows, made of rows, to an image of so many channels, which may be fewer than the windows had. */
function merge(
  graph: Graph,
  { node, rows, layout }: Raising,
  { image, windows, place }: Partition,
  [own, laid]: readonly [own: number, laid: number],
): void {
  const [output = ''] = node.output;
  const ints = (value: number) => graph.addIntegers(`${output}_channels`, [value]);
  const wanted = (): string => {
    const base = `${output}_shape`;
    if (own === laid && layout === 'channels first')
      return graph.insertBefore(node, base, 'Shape', [windows]);
    const count = sidesOf(graph, node, windows, 0, 1);
    const [channels, plane] = [ints(own), sidesOf(graph, node, windows, 2, 4)];
    const parts = layout === 'channels first' ? [count, channels, plane] : [count, plane, channels];
    return graph.insertBefore(node, base, 'Concat', parts, { attributes: { axis: 0 } });
  };
  const whole =
    own === laid
      ? image
      : graph.insertBefore(node, `${output}_like`, 'Slice', [image, ints(0), ints(own), ints(1)]);
  const made = graph.insertBefore(node, `${output}_windows`, 'Reshape', [rows, wanted()]);
  if (layout === 'channels first') {
    const options = { domain: 'tlsc', name: node.name };
    graph.replace(node, makeNode('LocalWindowMerge', [made, whole, place], node.output, options));
    return;
  }
  const first = graph.insertBefore(node, made, 'Transpose', [made], toFirst);
  const merged = graph.insertBefore(node, `${output}_first`, 'LocalWindowMerge', [first, whole, place], {
    domain: 'tlsc',
  });
  graph.replace(node, makeNode('Transpose', [merged], node.output, { ...toLast, name: node.name }));
}

/** Cuts each image that is laid in rows into windows, and merges the windows that are made of rows. */
export function runInWindows(region: RowRegion, window: Size): void {
  const { graph, shapes } = region.context;
  const shapeOf = (value = '') => shapes.get(value) ?? [];
  graph.forgetShapes(region.values());
  for (const expansion of region.expansions) graph.bypass(expansion);
  const partitions = new Map<string, Partition>();
  const ordered = region.layings.toSorted((a, b) => graph.positionOf(a.node) - graph.positionOf(b.node));
  for (const laying of ordered) {
    const { node, image, layout, pixelAxis } = laying;
    const parts = partitions.get(image) ?? partition(region.context, node, laying, window);
    partitions.set(image, parts);
    const { windows } = parts;
    const value =
      layout === 'channels first'
        ? windows
        : graph.insertBefore(node, `${image}_windows`, 'Transpose', [windows], toLast);
    const row = { value, before: shapeOf(image), pixelAxis, windows };
    reshapeTo(graph, node, shapeOf(node.output[0]), row);
  }
  const [any] = partitions.values();
  for (const { node, pixelAxis } of region.reshapes) {
    const [value = ''] = node.input;
    const row = { value, before: shapeOf(value), pixelAxis, windows: any?.windows ?? '' };
    reshapeTo(graph, node, shapeOf(node.output[0]), row);
  }
  for (const raising of region.raisings) {
    const { node, layout, like } = raising;
    const parts = partitions.get(like.image);
    const own = imageSidesOf(shapeOf(node.output[0]), layout).channels;
    if (parts) merge(graph, raising, parts, [own, imageSidesOf(shapeOf(like.image), like.layout).channels]);
  }
}
