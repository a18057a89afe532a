import type { NativeInput, NativeTensor, NativeValueInfo, TensorData } from '@tlsc/core-native';
import { Tensor } from 'onnxruntime-common';
import { invalidArgument, TlscError } from '../errors.js';
import { float16Tensor, withoutFloat16Array } from './float16.js';

/** Input tensors by name. */
export type Feeds = Readonly<Record<string, Tensor>>;

export function showShape(shape: readonly (number | string)[]): string {
  return `[${shape.map((side) => (side === '' ? '?' : side)).join(', ')}]`;
}

function mismatch(name: string, expected: string, received: string): TlscError {
  const message = `input ${name} must be ${expected}, not ${received}`;
  return new TlscError('ERR_INPUT_MISMATCH', message, { parameter: name, expected, received });
}

function fits(shape: readonly (number | string)[], dims: readonly number[]): boolean {
  return (
    shape.length === dims.length &&
    shape.every((side, axis) => typeof side === 'string' || side === dims[axis])
  );
}

/** By its looks: a Tensor of another copy of onnxruntime-common is as good. */
function isTensor(value: unknown): value is Tensor {
  return (
    typeof value === 'object' &&
    value !== null &&
    'type' in value &&
    'dims' in value &&
    'data' in value &&
    Array.isArray(value.dims)
  );
}

function toNative(info: NativeValueInfo, tensor: unknown): NativeInput {
  const { name, shape } = info;
  if (!isTensor(tensor)) throw mismatch(name, 'a Tensor', tensor === undefined ? 'missing' : typeof tensor);
  if (info.type === '' || tensor.type === 'string') {
    throw new TlscError('ERR_UNSUPPORTED_MODEL', `input ${name} is not a tensor of numbers`, {
      parameter: name,
    });
  }
  if (tensor.type !== info.type) throw mismatch(name, info.type, tensor.type);
  if (!fits(shape, tensor.dims)) throw mismatch(name, `of shape ${showShape(shape)}`, showShape(tensor.dims));
  if (tensor.location !== 'cpu') throw mismatch(name, 'in CPU memory', `in ${tensor.location} memory`);
  return { name, type: tensor.type, dims: tensor.dims, data: withoutFloat16Array(tensor.data) as TensorData };
}

/** Throws ERR_INPUT_MISMATCH, the input named, unless the feeds are exactly what the model takes. */
export function toNativeInputs(infos: readonly NativeValueInfo[], feeds: Feeds): NativeInput[] {
  if (typeof feeds !== 'object' || feeds === null)
    throw invalidArgument('feeds', 'an object of tensors by name', feeds);
  for (const name of Object.keys(feeds)) {
    if (infos.some((info) => info.name === name)) continue;
    const names = infos.map((info) => info.name).join(', ');
    throw new TlscError('ERR_INPUT_MISMATCH', `the model has no input ${name}; its inputs are ${names}`, {
      parameter: name,
      expected: names,
      received: name,
    });
  }
  return infos.map((info) => toNative(info, feeds[info.name]));
}

export function fromNativeTensor({ type, data, dims }: NativeTensor): Tensor {
  if (type === 'float16') return float16Tensor(data as Uint16Array, dims);
  return new Tensor(type as 'float32', data as Float32Array, dims);
}
