import type { ModelDescription } from '@tlsc/api';
import { version } from '../version.js';
import { datatypeOf } from './datatypes.js';

export interface TensorMetadata {
  readonly name: string;
  readonly datatype: string;
  /** -1 of sides that are free. */
  readonly shape: readonly number[];
}

function describe(values: ModelDescription['inputMetadata']): TensorMetadata[] {
  return values.map((value) =>
    value.isTensor
      ? {
          name: value.name,
          datatype: datatypeOf(value.type),
          shape: value.shape.map((side) => (typeof side === 'number' ? side : -1)),
        }
      : { name: value.name, datatype: 'SEQUENCE', shape: [] },
  );
}

/** As the protocol has it; there is one version of each model, which has no name. */
export function modelMetadata(name: string, { inputMetadata, outputMetadata }: ModelDescription) {
  return {
    name,
    platform: 'onnx_onnxv1',
    inputs: describe(inputMetadata),
    outputs: describe(outputMetadata),
  };
}

export const serverMetadata = { name: 'tlsc', version, extensions: ['binary_tensor_data'] };
