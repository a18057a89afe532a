import { inspect } from 'node:util';
import { isNativeError, type NativeErrorCode, nativeErrorCodes } from '@tlsc/core-native';

const ownErrorCodes = [
  'ERR_INPUT_MISMATCH',
  'ERR_NOT_LOCALIZABLE',
  'ERR_TRAIN_SIZE',
  'ERR_ALREADY_CONVERTED',
  'ERR_NOT_CONVERTED',
  'ERR_IMAGE_NOT_FOUND',
  'ERR_IMAGE_TOO_LARGE',
  'ERR_INVALID_IMAGE',
  'ERR_IMAGE_CHANNELS',
  'ERR_IMPLAUSIBLE_RESULT',
  'ERR_NOT_WRITABLE',
  'ERR_BUSY',
  'ERR_DEADLINE',
] as const;

/** What `TlscError.code` may be; docs/errors.md says what each means and what to do. */
export type ErrorCode = NativeErrorCode | (typeof ownErrorCodes)[number];

export const errorCodes: readonly ErrorCode[] = [...nativeErrorCodes, ...ownErrorCodes];

export interface ErrorDetails {
  /** The option, input or argument at fault. */
  readonly parameter?: string;
  readonly expected?: string;
  readonly received?: string;
  /** In how many seconds it may be worth another try. */
  readonly retryAfter?: number;
  readonly cause?: unknown;
}

/** The one error class of the API: `code` is stable, `message` names the culprit. */
export class TlscError extends Error {
  override readonly name = 'TlscError';
  readonly code: ErrorCode;
  readonly parameter: string | undefined;
  readonly expected: string | undefined;
  readonly received: string | undefined;
  readonly retryAfter: number | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.parameter = details.parameter;
    this.expected = details.expected;
    this.received = details.received;
    this.retryAfter = details.retryAfter;
  }
}

/** An argument that is not what it should be. */
export function invalidArgument(parameter: string, expected: string, received: unknown): TlscError {
  const shown = inspect(received, { depth: 1, breakLength: Number.POSITIVE_INFINITY });
  const message = `${parameter} must be ${expected}, not ${shown}`;
  return new TlscError('ERR_INVALID_ARGUMENT', message, { parameter, expected, received: shown });
}

/** `error` as a `TlscError`, its message led by `context` ('model.onnx'), when it came from the native side. */
export function fromNative(error: unknown, context?: string): unknown {
  if (error instanceof TlscError || !isNativeError(error)) return error;
  const isNamed = context === undefined || error.message.includes(context);
  const message = isNamed ? error.message : `${context}: ${error.message}`;
  const { code, culprit } = error;
  return new TlscError(code, message, { cause: error, ...(culprit !== undefined && { parameter: culprit }) });
}

/** Throws ERR_ABORTED, the signal's reason as its cause, once the signal is aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw aborted(signal);
}

export function aborted(signal: AbortSignal): TlscError {
  return new TlscError('ERR_ABORTED', 'aborted', { cause: signal.reason });
}

/** Whether an error says that memory ran out, in the words of V8 or of libvips and what decodes for it. */
export function isOutOfMemory(error: unknown): boolean {
  const { message } = error as Error;
  return /out of memory|(unable|not able|failed|cannot) to allocate|cannot allocate|array buffer allocation failed|invalid (typed array|array buffer) length/i.test(
    message,
  );
}
