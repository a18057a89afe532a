// Moves the weights of models that tests build into files beside them.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { StringStringEntryProtoSchema, TensorProto_DataLocation, TensorProtoSchema } from 'onnx-buf';
import { afterAll } from 'vitest';
import { decodeModel, encodeModel } from '../src/graph/model.js';
import { DataType, type TensorProto } from '../src/graph/proto.js';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A folder that goes when the test file has run. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tlsc-api-'));
  folders.push(folder);
  return folder;
}

export type Entries = Readonly<Record<string, string>>;

/** The tensor, said to lie where the entries say. */
export function external(tensor: TensorProto, entries: Entries): TensorProto {
  const { name, dataType, dims } = tensor;
  const externalData = Object.entries(entries).map(([key, value]) =>
    create(StringStringEntryProtoSchema, { key, value }),
  );
  const dataLocation = TensorProto_DataLocation.EXTERNAL;
  return create(TensorProtoSchema, { name, dataType, dims: [...dims], dataLocation, externalData });
}

function bytesOf({ dataType, floatData, int64Data, rawData }: TensorProto): Uint8Array {
  if (rawData.length > 0) return rawData;
  if (dataType === DataType.FLOAT) return new Uint8Array(Float32Array.from(floatData).buffer);
  return new Uint8Array(BigInt64Array.from(int64Data).buffer);
}

/** A data file in the making. */
export class DataFile {
  readonly #pieces: Uint8Array[] = [];
  #size = 0;

  constructor(readonly location: string) {}

  get bytes(): Uint8Array {
    return Buffer.concat(this.#pieces);
  }

  /** Moves the tensor's values into the file, behind those that are there. */
  take(tensor: TensorProto): TensorProto {
    const bytes = bytesOf(tensor);
    const entries = {
      location: this.location,
      offset: String(this.#size),
      length: String(bytes.length),
    };
    this.#pieces.push(bytes);
    this.#size += bytes.length;
    return external(tensor, entries);
  }
}

/** The same model with its float32 weights in a file of that name. */
export function withExternalWeights(
  bytes: Uint8Array,
  location: string,
): { model: Uint8Array; weights: Uint8Array } {
  const model = decodeModel(bytes, 'the model');
  const file = new DataFile(location);
  model.graph.initializer = model.graph.initializer.map((tensor) =>
    tensor.dataType === DataType.FLOAT ? file.take(tensor) : tensor,
  );
  return { model: encodeModel(model), weights: file.bytes };
}
