// Networks of realistic widths, made of the small ones: every channel is there several times over, so that the graph and what it computes
// stay as they were exported, and no weights have to be stored.
import { clone } from '@bufbuild/protobuf';
import {
  TensorProto_DataType as DataType,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  type TensorProto,
} from 'onnx-buf';

/** Red, green and blue: what goes in and comes out stays an image. */
const colours = 3;

/** Each value along one axis so many times in a row: what cuts channels into halves or heads still finds those of one together. */
function repeat(
  values: Float32Array,
  dims: readonly number[],
  axis: number,
  times: number,
): { values: Float32Array<ArrayBuffer>; dims: number[] } {
  const inner = dims.slice(axis + 1).reduce((product, side) => product * side, 1);
  const repeated = new Float32Array(values.length * times);
  for (let from = 0, to = 0; from < values.length; from += inner)
    for (let time = 0; time < times; time++, to += inner)
      repeated.set(values.subarray(from, from + inner), to);
  return { values: repeated, dims: dims.map((side, i) => (i === axis ? side * times : side)) };
}

/** The axes of a constant that are channels; by what reads it, and at which place. */
function channelAxes({ opType }: NodeProto, place: number, dims: readonly number[]): number[] {
  const isWide = (axis: number) => (dims[axis] ?? 1) > 1 && dims[axis] !== colours;
  if ((opType === 'Conv' || opType === 'ConvTranspose') && place === 1) return [0, 1].filter(isWide);
  if (opType === 'Resize') return []; // one scale per axis
  // One value per channel: of a bias, or of a normalization, written as C, C × 1 × 1 or 1 × C × 1 × 1.
  const wide = [...dims.keys()].filter((axis) => (dims[axis] ?? 1) > 1);
  const [axis = -1] = wide;
  const isOfChannels = dims.length === 1 || dims.length === 4;
  return wide.length === 1 && isOfChannels && isWide(axis) ? [axis] : [];
}

/** How many channels in the small network one of the weights sums over. */
function summed({ opType }: NodeProto, place: number, axes: readonly number[]): boolean {
  return (
    place === 1 && (opType === 'Conv' ? axes.includes(1) : opType === 'ConvTranspose' && axes.includes(0))
  );
}

function widenTensor(tensor: TensorProto, node: NodeProto, place: number, times: number): void {
  const dims = tensor.dims.map(Number);
  const axes = channelAxes(node, place, dims);
  if (axes.length === 0 || tensor.dataType !== DataType.FLOAT) return;
  let wide = {
    values:
      tensor.rawData.length > 0
        ? new Float32Array(Uint8Array.from(tensor.rawData).buffer)
        : Float32Array.from(tensor.floatData),
    dims,
  };
  for (const axis of axes) wide = repeat(wide.values, wide.dims, axis, times);
  if (summed(node, place, axes))
    wide.values.forEach((value, i) => {
      wide.values[i] = value / times;
    });
  tensor.dims = wide.dims.map(BigInt);
  tensor.floatData = [];
  tensor.rawData = new Uint8Array(wide.values.buffer);
}

/** A network with so many times the channels between the image that it takes and those that it makes. */
export function widen(model: ModelProto, times: number): ModelProto {
  const wide = clone(ModelProtoSchema, model);
  const graph = wide.graph;
  if (!graph || times === 1) return wide;
  const constants = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]));
  for (const node of graph.node) {
    const value =
      node.opType === 'Constant' ? node.attribute.find(({ name }) => name === 'value')?.t : undefined;
    if (value) constants.set(node.output[0] ?? '', value);
  }
  const done = new Set<string>();
  for (const node of graph.node) {
    for (const [place, name] of node.input.entries()) {
      const tensor = constants.get(name);
      if (!tensor || done.has(name)) continue;
      done.add(name);
      widenTensor(tensor, node, place, times);
    }
    const group = node.attribute.find(({ name }) => name === 'group');
    if (node.opType === 'Conv' && group && group.i > 1n) group.i *= BigInt(times);
  }
  // They say how many channels there were.
  graph.valueInfo = [];
  return wide;
}
