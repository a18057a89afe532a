import { loadBinding, type NativeSession, type NativeSessionOptions } from './binding.js';

export type {
  NativeInput,
  NativeProvider,
  NativeRun,
  NativeSession,
  NativeSessionOptions,
  NativeTensor,
  NativeValueInfo,
  TensorData,
} from './binding.js';
export { isNativeError, type NativeError, type NativeErrorCode, nativeErrorCodes } from './errors.js';
export { findOperators, findRuntime } from './paths.js';

/** Loads the model on a thread of the addon. Rejects with a `NativeError`. */
export async function createSession(options: NativeSessionOptions): Promise<NativeSession> {
  return loadBinding().createSession(options);
}
