import { setImmediate } from 'node:timers/promises';
import { throwIfAborted } from '../errors.js';

/** Values in a slice: less than a millisecond of work. */
const sliceLength = 2 ** 17;

/**
 * Calls `work` for consecutive ranges that cover 0..length and lets the event loop turn between them, so that other requests
 * of a server are not held up by a photo of many megapixels. Rejects with ERR_ABORTED after the range at hand.
 */
export async function inSlices(
  length: number,
  work: (begin: number, end: number) => void,
  signal?: AbortSignal,
): Promise<void> {
  for (let begin = 0; begin < length; begin += sliceLength) {
    if (begin > 0) await setImmediate();
    throwIfAborted(signal);
    work(begin, Math.min(length, begin + sliceLength));
  }
}
