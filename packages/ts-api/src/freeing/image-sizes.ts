// A model that was exported for images of one size often works for all: the size is then written on its inputs and outputs and in
// notes on the values between, and nowhere else.
import { create } from '@bufbuild/protobuf';
import { TensorShapeProto_DimensionSchema } from 'onnx-buf';
import { inputsOf, isFloat, planeOf, type Shape, tensorTypeOf } from '../graph/inputs.js';
import type { Model } from '../graph/model.js';
import { type GraphProto, subgraphsOf, type ValueInfoProto } from '../graph/proto.js';
import { type ImageLayout, layoutOf } from '../session/image-layout.js';
import type { Size } from '../size.js';

interface Candidate {
  readonly input: ValueInfoProto;
  readonly plane: Shape;
  readonly layout: ImageLayout;
}

function isFixed(plane: Shape): boolean {
  return plane.every((side) => typeof side === 'number');
}

function areaOf(plane: Shape): number {
  return plane.reduce<number>((area, side) => area * Number(side), 1);
}

/** The image inputs: those whose size is free, at least on one side; where there are none, those of the largest plane. */
function imagesOf(model: Model): Candidate[] {
  const candidates = inputsOf(model).flatMap((input) => {
    const { elemType = 0, shape } = tensorTypeOf(input) ?? {};
    const isImage = isFloat(elemType) && shape?.length === 4;
    return isImage ? [{ input, plane: planeOf(shape), layout: layoutOf(shape) }] : [];
  });
  const free = candidates.filter(({ plane }) => !isFixed(plane));
  if (free.length > 0) return free;
  const largest = Math.max(...candidates.map(({ plane }) => areaOf(plane)));
  return candidates.filter(({ plane }) => areaOf(plane) === largest);
}

/** Gives an axis the name, or none. */
function setFree(value: ValueInfoProto, axis: number, name: string | undefined): void {
  if (value.type?.value.case !== 'tensorType') return;
  const { shape } = value.type.value.value;
  if (!shape) return;
  const dimension = {
    value: name === undefined ? { case: undefined } : { case: 'dimParam' as const, value: name },
  };
  shape.dim[axis] = create(TensorShapeProto_DimensionSchema, dimension);
}

function forgetShapesOf(values: readonly ValueInfoProto[]): void {
  for (const { type } of values) if (type?.value.case === 'tensorType') delete type.value.value.shape;
}

/** Drops what is noted of the shapes between input and output, in branches, too; types stay. */
function forgetShapes(graph: GraphProto, inner = false): void {
  forgetShapesOf(inner ? [...graph.valueInfo, ...graph.output] : graph.valueInfo);
  for (const node of graph.node) for (const branch of subgraphsOf(node)) forgetShapes(branch, true);
}

/** Outputs that are images as large as the input are said to be just that; all that may depend on the size is left free. */
function freeOutput(output: ValueInfoProto, plane: Shape, names: readonly string[]): void {
  const { shape = [] } = tensorTypeOf(output) ?? {};
  const isImage = shape.length === 4;
  const { rows, columns } = layoutOf(shape);
  for (const [axis, side] of shape.entries()) {
    const at = [rows, columns].indexOf(axis as 2);
    if (typeof side !== 'number' || (isImage && at < 0)) continue;
    const spatial = isImage && side === plane[at];
    setFree(output, axis, spatial ? names[at] : undefined);
  }
}

function freeNames(model: Model): string[] {
  const shapes = [...model.graph.input, ...model.graph.output].map(
    (value) => tensorTypeOf(value)?.shape ?? [],
  );
  const taken = new Set(shapes.flat());
  return ['height', 'width'].map((name) => (taken.has(name) ? `image_${name}` : name));
}

/**
 * Makes height and width of the model's images free where they are fixed, and says what they were; undefined, and the model as it
 * was, where they are free already. Whether anything in the graph depends on them is for others to find out.
 */
export function freeImageSizes(model: Model): Size | undefined {
  const images = imagesOf(model).filter(({ plane }) => plane.some((side) => typeof side === 'number'));
  const [first] = images;
  if (!first) return undefined;
  const [height = 0, width = 0] = first.plane;
  const names = freeNames(model);
  for (const { input, plane, layout } of images) {
    const axes = [layout.rows, layout.columns];
    for (const [i, side] of plane.entries())
      if (typeof side === 'number') setFree(input, axes[i] ?? 0, names[i]);
  }
  forgetShapes(model.graph);
  for (const { valueInfo } of model.functions) forgetShapesOf(valueInfo);
  for (const output of model.graph.output) freeOutput(output, first.plane, names);
  // Of a side that was free anything will do.
  return [Number(isFixed([height]) ? height : width), Number(isFixed([width]) ? width : height)];
}
