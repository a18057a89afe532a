// The values of constant tensors of either image type, and new constants made of such values.
import { create } from '@bufbuild/protobuf';
import { TensorProtoSchema } from 'onnx-buf';
import { TlscError } from '../errors.js';
import { DataType, shallowCopy, type TensorProto } from '../graph/proto.js';
import { roundToFloat16, widenFloat16 } from '../session/float16.js';
import { showSize } from '../size.js';

/** Whether `weightsOf` can read the tensor. */
export function isWeights({ dataType }: TensorProto): boolean {
  return dataType === DataType.FLOAT || dataType === DataType.FLOAT16;
}

/** A copy: raw data may begin anywhere in the file. */
function rawCopy({ rawData }: TensorProto): ArrayBuffer {
  return new Uint8Array(rawData).buffer;
}

/** The values of a float32 or float16 tensor. Throws ERR_INVALID_MODEL where it does not hold as many as its dimensions say. */
export function weightsOf(tensor: TensorProto): Float32Array {
  const { dataType, dims, floatData, int32Data, name, rawData } = tensor;
  const typed = dataType === DataType.FLOAT ? floatData : int32Data;
  const size = dataType === DataType.FLOAT ? 4 : 2;
  const count = typed.length > 0 ? typed.length : rawData.length / size;
  const expected = dims.reduce((product, side) => product * Number(side), 1);
  if (count !== expected) {
    const message = `constant ${name || 'of a Constant node'}, ${showSize(dims.map(Number))}, holds ${count} values, not ${expected}`;
    throw new TlscError('ERR_INVALID_MODEL', message);
  }
  if (dataType === DataType.FLOAT)
    return typed.length > 0 ? Float32Array.from(typed) : new Float32Array(rawCopy(tensor));
  const bits = typed.length > 0 ? Uint16Array.from(typed) : new Uint16Array(rawCopy(tensor));
  return widenFloat16(bits);
}

/** A tensor with these values, in the element type of `like`: float32, or float16, to which they are rounded. */
export function makeWeights(like: TensorProto, dims: readonly number[], values: Float32Array): TensorProto {
  const { name, dataType } = like;
  const tensor = create(TensorProtoSchema, { name, dataType, dims: dims.map(BigInt) });
  if (dataType === DataType.FLOAT) {
    tensor.rawData = new Uint8Array(Float32Array.from(values).buffer);
  } else {
    tensor.rawData = new Uint8Array(roundToFloat16(values).buffer);
  }
  return tensor;
}

/** The same tensor with other dimensions. */
export function withDims(tensor: TensorProto, dims: readonly number[]): TensorProto {
  const copy = shallowCopy(TensorProtoSchema, tensor);
  copy.dims = dims.map(BigInt);
  return copy;
}
