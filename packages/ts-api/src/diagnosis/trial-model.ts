// The smallest model with a local operator and, since that takes libraries of its own, a convolution: the means of 2×2 windows
// of a plane of 4×4 values, times 1.
import { create } from '@bufbuild/protobuf';
import { ModelProtoSchema, OperatorSetIdProtoSchema, TensorProtoSchema } from 'onnx-buf';
import { Tensor } from 'onnxruntime-common';
import { domain, domainVersion } from '../functions/body.js';
import { localAveragePoolFunction } from '../functions/local-average-pool.js';
import { encodeModel, type Model } from '../graph/model.js';
import { DataType, makeNode, makeTensorInfo } from '../graph/proto.js';

const opset = 17;
const side = 4;
const window = 2;
const length = side - window + 1;

export function trialModel(): Uint8Array {
  const attributes = { kernel_shape: [window, window], replicate: 0 };
  const model = create(ModelProtoSchema, {
    irVersion: 8n,
    opsetImport: [
      create(OperatorSetIdProtoSchema, { domain: '', version: BigInt(opset) }),
      create(OperatorSetIdProtoSchema, { domain, version: domainVersion }),
    ],
    functions: [localAveragePoolFunction({ opset, type: 'float32', fast: false })],
    graph: {
      name: 'trial',
      node: [
        makeNode('LocalAveragePool', ['x'], ['means'], { domain, attributes }),
        makeNode('Conv', ['means', 'one'], ['y']),
      ],
      initializer: [
        create(TensorProtoSchema, {
          name: 'one',
          dataType: DataType.FLOAT,
          dims: [1n, 1n, 1n, 1n],
          floatData: [1],
        }),
      ],
      input: [makeTensorInfo('x', DataType.FLOAT, [1, 1, side, side])],
      output: [makeTensorInfo('y', DataType.FLOAT, [1, 1, length, length])],
    },
  });
  return encodeModel(model as Model);
}

/** 0, 1, 2, … in rows. */
export function trialInput(): Tensor {
  return new Tensor(
    'float32',
    Float32Array.from({ length: side * side }, (_, i) => i),
    [1, 1, side, side],
  );
}

/** Whether these are the means of the windows: that of the window with the corner (i, j) is 2.5 + 4i + j. */
export function isTrialOutput(values: ArrayLike<unknown>): boolean {
  const means = Array.from(
    { length: length ** 2 },
    (_, k) => 2.5 + side * Math.floor(k / length) + (k % length),
  );
  return (
    values.length === means.length && means.every((mean, k) => Math.abs(mean - Number(values[k])) < 1e-4)
  );
}
