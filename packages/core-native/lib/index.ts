import {
  type CudaDescription,
  loadBinding,
  type NativeImage,
  type NativeImageCopy,
  type NativeImageLayout,
  type NativeImageMap,
  type NativeImageSummary,
  type NativeImageTarget,
  type NativeLoad,
  type NativeModel,
  type NativeSessionOptions,
  type NativeTensor,
  type OperatorsDescription,
  type RuntimeDescription,
  type TensorData,
} from './binding.js';

export type {
  CudaDescription,
  CudaDevice,
  NativeDeviceTensor,
  NativeImage,
  NativeImageCopy,
  NativeImageLayout,
  NativeImageMap,
  NativeImageRegion,
  NativeImageSummary,
  NativeImageTarget,
  NativeInput,
  NativeLoad,
  NativeLocation,
  NativeModel,
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
export { findOperators, findRuntime } from './libraries.js';
export type { OperatorsPlatform } from './platforms.js';

/** Loads the model on a thread of the addon. Throws a `NativeError`, or rejects with one. */
export function createSession(options: NativeSessionOptions): NativeLoad {
  return loadBinding().createSession(options);
}

/** Whether ONNX Runtime, and whoever else reads the model, can be handed it without harm. Rejects with a `NativeError`. */
export async function checkModel(model: NativeModel): Promise<void> {
  return loadBinding().checkModel(model);
}

/** Memory for `copyImage` to write to, its values whatever they are. Throws a `NativeError`. */
export function allocateImage(layout: NativeImageLayout): TensorData {
  return loadBinding().allocateImage(layout);
}

/** A file as memory for `copyImage` to read; `Binding` says how. Throws a `NativeError`. */
export function mapFile(path: string): Uint8Array {
  return loadBinding().mapFile(path);
}

/** Copies an image into another layout, its pixels mapped on the way; `Binding` says how. Rejects with a `NativeError`. */
export async function copyImage(
  source: NativeImage,
  map: NativeImageMap,
  target: NativeImageTarget,
  summarizes = false,
): Promise<NativeImageCopy> {
  return loadBinding().copyImage(source, map, target, summarizes);
}

/** What `copyImage` would sum up of what it writes. Rejects with a `NativeError`. */
export async function summarizeImage(
  source: NativeImage,
  map: NativeImageMap,
  target: NativeImageLayout,
): Promise<NativeImageSummary> {
  return loadBinding().summarizeImage(source, map, target);
}

/** Takes the memory of the addon's behind an array away from JavaScript, at once. */
export function discard(array: TensorData): void {
  loadBinding().discard(array);
}

/** Gives what alpha hides the colours around it, in place. Rejects with a `NativeError`. */
export async function fillHidden(
  planes: Omit<NativeImage, 'isHandedOver'>,
  alpha: TensorData,
): Promise<void> {
  return loadBinding().fillHidden(planes, alpha);
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
