// The two sizes of a conversion: the windows that follow from them, and their place in the model's custom metadata.
import { create } from '@bufbuild/protobuf';
import { type ModelProto, StringStringEntryProtoSchema } from 'onnx-buf';
import { type Size, showSize } from './size.js';

const trainSizeKey = 'tlsc.train_size';
const baseSizeKey = 'tlsc.base_size';

/** The sizes that a model was converted with. */
export interface ConversionSizes {
  /** Of the crops that the network was trained on. */
  readonly trainSize: Size;
  /** Of the image whose features the windows span. */
  readonly baseSize: Size;
}

/** The published rule: the plane's size at the training size, scaled by base size over training size, rounded down. */
export function windowFor(featureSize: Size, { trainSize, baseSize }: ConversionSizes): Size {
  const side = (axis: 0 | 1) => Math.floor((featureSize[axis] * baseSize[axis]) / trainSize[axis]);
  return [side(0), side(1)];
}

/** The published bound on what fast mode skips: five rows or columns of the image, in the plane's own. */
export function maxStrideFor(featureSize: Size, { trainSize }: ConversionSizes): Size {
  const side = (axis: 0 | 1) => Math.max(1, Math.floor((5 * featureSize[axis]) / trainSize[axis]));
  return [side(0), side(1)];
}

export function writeSizes(model: ModelProto, { trainSize, baseSize }: ConversionSizes): void {
  for (const [key, size] of [
    [trainSizeKey, trainSize],
    [baseSizeKey, baseSize],
  ] as const) {
    model.metadataProps.push(create(StringStringEntryProtoSchema, { key, value: showSize(size) }));
  }
}

/** Undefined when the model says nothing, or nothing sensible, of a conversion. */
export function readSizes(model: ModelProto): ConversionSizes | undefined {
  const read = (key: string): Size | undefined => {
    const match = model.metadataProps
      .find((entry) => entry.key === key)
      ?.value.match(/^(\d{1,5})x(\d{1,5})$/);
    return match ? [Number(match[1]), Number(match[2])] : undefined;
  };
  const trainSize = read(trainSizeKey);
  const baseSize = read(baseSizeKey);
  return trainSize && baseSize && { trainSize, baseSize };
}
