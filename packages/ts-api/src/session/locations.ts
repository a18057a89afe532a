// Tensors that lie elsewhere than in ordinary memory, under onnxruntime's words for it.
import {
  dispose,
  download,
  type NativeDeviceTensor,
  type NativeInput,
  type NativeLocation,
  type NativeSession,
  type NativeTensor,
} from '@tlsc/core-native';
import { Tensor } from 'onnxruntime-common';
import { fromNative, invalidArgument } from '../errors.js';
import { float16Data, withoutFloat16Array } from './float16.js';

/** onnxruntime's names of the places where an output can lie. */
export type OutputLocation = 'cpu' | 'cpu-pinned' | 'gpu-buffer';

/** One for all outputs, or one for each that is named. */
export type OutputLocations = OutputLocation | Readonly<Record<string, OutputLocation>>;

const nativeLocations: Readonly<Record<OutputLocation, NativeLocation>> = {
  cpu: 'cpu',
  'cpu-pinned': 'pinned',
  'gpu-buffer': 'device',
};

const deviceTypes = ['float32', 'float16', 'int32', 'int64', 'uint32', 'uint8', 'bool'] as const;

function checkLocation(value: unknown): asserts value is OutputLocation {
  if (typeof value === 'string' && Object.hasOwn(nativeLocations, value)) return;
  const names = Object.keys(nativeLocations).map((name) => `'${name}'`);
  throw invalidArgument(
    'preferredOutputLocation',
    `one of ${names.join(', ')}, or an object that has outputs as keys and these as values`,
    value,
  );
}

/** Throws ERR_INVALID_ARGUMENT. */
export function toOutputLocations(value: unknown): OutputLocations {
  if (typeof value !== 'object' || value === null) {
    checkLocation(value);
    return value;
  }
  const locations: Record<string, OutputLocation> = {};
  for (const [name, location] of Object.entries(value)) {
    checkLocation(location);
    locations[name] = location;
  }
  return locations;
}

/** Where each output of the session is to lie. Throws ERR_INVALID_ARGUMENT for a name that is no output. */
export function locateOutputs(
  { outputs }: NativeSession,
  locations: OutputLocations,
): ReadonlyMap<string, NativeLocation> {
  const names = outputs.map(({ name }) => name);
  if (typeof locations === 'object') {
    for (const name of Object.keys(locations)) {
      if (names.includes(name)) continue;
      throw invalidArgument('preferredOutputLocation', `of the model's outputs (${names.join(', ')})`, name);
    }
  }
  return new Map(
    outputs.map(({ name, type }) => {
      const wanted = typeof locations === 'object' ? (locations[name] ?? 'cpu') : locations;
      const location = wanted === 'gpu-buffer' && !isDeviceType(type) ? 'cpu' : wanted;
      return [name, nativeLocations[location]];
    }),
  );
}

type DeviceType = (typeof deviceTypes)[number];

function isDeviceType(type: string): type is DeviceType {
  return deviceTypes.some((known) => known === type);
}

/** The array in which onnxruntime-common's tensors hold what came from the native side. */
function dataOf({ type, data }: NativeTensor): Float32Array {
  return (type === 'float16' ? float16Data(data as Uint16Array) : data) as Float32Array;
}

function toTensor(tensor: NativeTensor): Tensor {
  return new Tensor(tensor.type as 'float32', dataOf(tensor), tensor.dims);
}

export function toPinnedTensor(tensor: NativeTensor): Tensor {
  return Tensor.fromPinnedBuffer(tensor.type as 'float32', dataOf(tensor), tensor.dims);
}

/** The buffer of the tensor is the handle; other copies of onnxruntime-common keep it as well. */
function toDeviceTensor({ type, dims, handle }: NativeDeviceTensor): Tensor {
  return Tensor.fromGpuBuffer(handle as Tensor['gpuBuffer'], {
    dataType: type as 'float32',
    dims,
    download: async () => {
      try {
        return dataOf(await download(handle));
      } catch (error) {
        throw fromNative(error);
      }
    },
    dispose: () => dispose(handle),
  });
}

export function fromOutput(output: NativeTensor | NativeDeviceTensor, location: NativeLocation): Tensor {
  if ('handle' in output) return toDeviceTensor(output);
  return location === 'pinned' ? toPinnedTensor(output) : toTensor(output);
}

/** Throws where the tensor lies in a place that sessions cannot read: `refuse` makes the error. */
export function toInput(name: string, tensor: Tensor, refuse: (place: string) => Error): NativeInput {
  const { type, dims, location } = tensor;
  if (location === 'gpu-buffer') return { name, type, dims, handle: tensor.gpuBuffer };
  if (location === 'none') throw refuse('disposed of');
  if (location !== 'cpu' && location !== 'cpu-pinned') throw refuse(`in ${location} memory`);
  return { name, type, dims, data: withoutFloat16Array(tensor.data) as NativeTensor['data'] };
}
