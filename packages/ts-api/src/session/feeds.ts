import type { NativeInput, NativeValueInfo } from '@tlsc/core-native';
import type { Tensor } from 'onnxruntime-common';
import { invalidArgument, TlscError } from '../errors.js';
import { toInput } from './locations.js';

/** Input tensors by name. */
export type Feeds = Readonly<Record<string, Tensor>>;

export function showShape(shape: readonly (number | string)[]): string {
  return `[${shape.map((side) => (side === '' ? '?' : side)).join(', ')}]`;
}

function mismatch(name: string, expected: string, received: string): TlscError {
  const message = `input ${name} must be ${expected}, not ${received}`;
  return new TlscError('ERR_INPUT_MISMATCH', message, { parameter: name, expected, received });
}

/** Without sides it is a scalar, or the model does not say: ONNX Runtime tells the two apart, but does not tell. */
function fits(shape: readonly (number | string)[], dims: readonly number[]): boolean {
  if (shape.length === 0) return true;
  return (
    shape.length === dims.length &&
    shape.every((side, axis) => typeof side === 'string' || side === dims[axis])
  );
}

/** By its looks: a Tensor of another copy of onnxruntime-common is as good. */
export function isTensor(value: unknown): value is Tensor {
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
  return toInput(name, tensor, (place) => mismatch(name, "in CPU memory or a session's output", place));
}

/** Throws ERR_INPUT_MISMATCH, the input named, unless the feeds are exactly what the model takes, with or without what it can do without. */
export function toNativeInputs(
  needed: readonly NativeValueInfo[],
  optional: readonly NativeValueInfo[],
  feeds: Feeds,
): NativeInput[] {
  if (typeof feeds !== 'object' || feeds === null)
    throw invalidArgument('feeds', 'an object of tensors by name', feeds);
  const infos = [...needed, ...optional.filter(({ name }) => Object.hasOwn(feeds, name))];
  for (const name of Object.keys(feeds)) {
    if (infos.some((info) => info.name === name)) continue;
    const names = needed.map((info) => info.name).join(', ');
    throw new TlscError('ERR_INPUT_MISMATCH', `the model has no input ${name}; its inputs are ${names}`, {
      parameter: name,
      expected: names,
      received: name,
    });
  }
  return infos.map((info) => toNative(info, feeds[info.name]));
}
