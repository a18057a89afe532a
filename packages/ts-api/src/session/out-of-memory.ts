// Runs that find no memory, in words that help.
import { isNativeError, type NativeError, type NativeInput } from '@tlsc/core-native';
import { TlscError } from '../errors.js';
import { showShape } from './feeds.js';

export function isOutOfMemory(error: unknown): error is NativeError {
  return isNativeError(error) && error.code === 'ERR_OUT_OF_MEMORY';
}

/** '1.2 GB' */
export function showBytes(bytes: number): string {
  const units = ['bytes', 'KB', 'MB', 'GB', 'TB', 'PB'];
  const unit = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), units.length - 1);
  return `${Number((bytes / 1000 ** unit).toPrecision(3))} ${units[unit]}`;
}

/** What the allocation that failed was of, where ONNX Runtime tells: "requested buffer of size 1234". */
function wantedIn(message: string): string {
  const size = /buffer of size (\d+)/.exec(message)?.[1];
  return size === undefined ? '' : `: ${showBytes(Number(size))} more were to be allocated`;
}

/** Names what was fed and what to do; ONNX Runtime's own words are the cause. */
export function outOfMemory(
  cause: NativeError,
  inputs: readonly NativeInput[],
  limit: number | undefined,
): TlscError {
  const fed = inputs.map(({ name, type, dims }) => `${name} ${type} ${showShape(dims)}`).join(', ');
  const limited = limit === undefined ? '' : `, which may take ${showBytes(limit)}`;
  const message = `out of memory in a run on ${fed}${limited}${wantedIn(cause.message)}; run smaller images, or fewer at once`;
  return new TlscError('ERR_OUT_OF_MEMORY', message, { cause });
}
