/** The codes of every error this package throws or rejects with; all but the first are native, see src/errors.h. */
export const nativeErrorCodes = [
  'ERR_ADDON_NOT_FOUND',
  'ERR_INVALID_ARGUMENT',
  'ERR_RUNTIME_NOT_FOUND',
  'ERR_OPERATORS_NOT_FOUND',
  'ERR_MODEL_NOT_FOUND',
  'ERR_INVALID_MODEL',
  'ERR_UNSUPPORTED_MODEL',
  'ERR_PROVIDER_UNAVAILABLE',
  'ERR_SESSION_RELEASED',
  'ERR_RUN_FAILED',
  'ERR_OUT_OF_MEMORY',
  'ERR_ABORTED',
] as const;

export type NativeErrorCode = (typeof nativeErrorCodes)[number];

/** An error as the addon makes it: a plain `Error` with a stable `code`. */
export interface NativeError extends Error {
  readonly code: NativeErrorCode;
  /** The option or execution provider at fault, where it is one. */
  readonly culprit?: string;
}

export function isNativeError(value: unknown): value is NativeError {
  return value instanceof Error && nativeErrorCodes.includes((value as NativeError).code);
}

export function nativeError(code: NativeErrorCode, message: string, cause?: unknown): NativeError {
  return Object.assign(new Error(message, { cause }), { code });
}
