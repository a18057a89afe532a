// What a model takes, by its own word.
import { TlscError } from '../errors.js';
import { type ImageLayout, layoutOf } from '../session/image-layout.js';
import { type Size, showSize } from '../size.js';
import type { Model } from './model.js';
import { DataType, type ValueInfoProto } from './proto.js';

/** A number is a size, a string the name of a free dimension ('' when it has none). */
export type Shape = readonly (number | string)[];

/** Initializers that are listed as inputs (as all were before IR version 4) are not for the caller to feed. */
export function inputsOf({ graph }: Model): ValueInfoProto[] {
  const given = new Set(graph.initializer.map(({ name }) => name));
  return graph.input.filter(({ name }) => !given.has(name));
}

/** What the model says of a tensor; the shape is undefined where it says nothing, the whole where it is no tensor. */
export function tensorTypeOf({ type }: ValueInfoProto): { elemType: number; shape?: Shape } | undefined {
  if (type?.value.case !== 'tensorType') return undefined;
  const { elemType, shape } = type.value.value;
  if (!shape) return { elemType };
  const dims = shape.dim.map(({ value }) => {
    // What is below 0 is a way of some exporters to say that it is free.
    if (value.case === 'dimValue') return value.value < 0n ? '' : Number(value.value);
    return value.value ?? '';
  });
  return { elemType, shape: dims };
}

/** ONNX's name of an element type in lower case ('float', 'float16', …). */
export function typeName(elemType: number): string {
  return (DataType[elemType] ?? 'unknown').toLowerCase();
}

/** An input that takes images of the size that it was looked for with. */
export interface ImageInput {
  readonly name: string;
  readonly elemType: number;
  readonly shape: Shape;
  /** Which of its four axes is which. */
  readonly layout: ImageLayout;
}

/** Height and width of an image of this shape. */
export function planeOf(shape: Shape): readonly [number | string, number | string] {
  const { rows, columns } = layoutOf(shape);
  return [shape[rows] ?? '', shape[columns] ?? ''];
}

export function isFloat(elemType: number): boolean {
  return elemType === DataType.FLOAT || elemType === DataType.FLOAT16;
}

/** The inputs that can take images of this size: of rank 4, float32 or float16, height and width free or just these. */
export function imageInputsOf(model: Model, size: Size): ImageInput[] {
  return inputsOf(model).flatMap((input) => {
    const { elemType = 0, shape } = tensorTypeOf(input) ?? {};
    if (!isFloat(elemType) || shape?.length !== 4) return [];
    const fits = planeOf(shape).every((side, axis) => typeof side === 'string' || side === size[axis]);
    return fits ? [{ name: input.name, elemType, shape, layout: layoutOf(shape) }] : [];
  });
}

/** Height and width of the first input that may be an image, each `otherwise` where it is free. */
export function imageSizeOf(model: Model, otherwise: Size): Size {
  const image = inputsOf(model)
    .map((input) => tensorTypeOf(input)?.shape)
    .find((shape) => shape?.length === 4);
  const [height, width] = image ? planeOf(image) : [];
  const side = (given: number | string | undefined, free: number) =>
    typeof given === 'number' && given > 0 ? given : free;
  return [side(height, otherwise[0]), side(width, otherwise[1])];
}

/** Why the model has no image input for this size. */
export function withoutImages(model: Model, name: string): TlscError {
  const inputs = inputsOf(model).map((input) => ({ name: input.name, ...tensorTypeOf(input) }));
  const refuse = (why: string) => new TlscError('ERR_UNSUPPORTED_MODEL', `${name} ${why}`);
  for (const { name: input, elemType = 0, shape } of inputs) {
    if (shape?.length !== 4) continue;
    if (!isFloat(elemType))
      return refuse(
        `takes ${typeName(elemType)} images (input ${input}); only float and float16 can be handled`,
      );
    return refuse(`only takes images of ${showSize(planeOf(shape) as Size)} (input ${input})`);
  }
  const shown = inputs.map(({ name: input, elemType, shape }) => {
    if (elemType === undefined) return `${input}, no tensor`;
    return shape ? `${input} of rank ${shape.length}` : `${input} of unknown rank`;
  });
  return refuse(`has no input that takes images, N×C×H×W or N×H×W×C; it has ${shown.join('; ') || 'none'}`);
}

/** Before IR version 4 every initializer had to be listed as an input; from it on, one that is listed is no constant. */
export function unlistConstants(model: Model): void {
  if (model.irVersion < 4n) model.graph.input = inputsOf(model);
}
