// What a converted model says about its conversion, in its custom metadata.
import { create } from '@bufbuild/protobuf';
import { type ModelProto, StringStringEntryProtoSchema } from 'onnx-buf';
import { type Size, showSize } from './size.js';

const trainSizeKey = 'tlsc.train_size';
const baseSizeKey = 'tlsc.base_size';

/** The sizes that a model was converted with. */
export interface ConversionSizes {
  readonly trainSize: Size;
  readonly baseSize: Size;
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
