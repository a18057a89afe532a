import {
  type CudaDescription,
  loadBinding,
  type NativeSession,
  type NativeSessionOptions,
  type NativeTensor,
  type OperatorsDescription,
  type RuntimeDescription,
} from './binding.js';

export type {
  CudaDescription,
  CudaDevice,
  NativeDeviceTensor,
  NativeInput,
  NativeLocation,
  NativeOutputRequest,
  NativeProvider,
  NativeRun,
  NativeSession,
  NativeSessionOptions,
  NativeTensor,
  NativeValueInfo,
  OperatorsDescription,
  RuntimeDescription,
  TensorData,
} from './binding.js';
export {
  isNativeError,
  type NativeError,
  type NativeErrorCode,
  nativeError,
  nativeErrorCodes,
} from './errors.js';
export { findOperators, findRuntime, type OperatorsPlatform } from './paths.js';

/** Loads the model on a thread of the addon. Rejects with a `NativeError`. */
export async function createSession(options: NativeSessionOptions): Promise<NativeSession> {
  return loadBinding().createSession(options);
}

/** A copy in ordinary memory of the tensor behind a handle. Rejects with a `NativeError`. */
export async function download(handle: object): Promise<NativeTensor> {
  return loadBinding().download(handle);
}

/** Frees the tensor behind a handle once no run reads it. Idempotent. */
export function dispose(handle: object): void {
  loadBinding().dispose(handle);
}

/** What the ONNX Runtime library of this file is. Rejects with a `NativeError`. */
export async function describeRuntime(path: string): Promise<RuntimeDescription> {
  return loadBinding().describeRuntime(path);
}

/** What the operator library of this file is. Rejects with a `NativeError`. */
export async function describeOperators(path: string): Promise<OperatorsDescription> {
  return loadBinding().describeOperators(path);
}

/** What of CUDA this machine has for the ONNX Runtime library of this file. Rejects with a `NativeError`. */
export async function describeCuda(runtimePath: string): Promise<CudaDescription> {
  return loadBinding().describeCuda(runtimePath);
}
