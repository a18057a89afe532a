import { checkModel as checkNativeModel } from '@tlsc/core-native';
import { fromNative } from '../errors.js';

/**
 * Whether a model may be read at all: before anything else looks at its bytes. Off the event loop, in time that is linear in the file,
 * weights left out. `folder` is where its external data lies; without one it must have none. Rejects with ERR_INVALID_MODEL,
 * ERR_UNSUPPORTED_MODEL, ERR_MODEL_NOT_FOUND or ERR_INVALID_ARGUMENT, the path in front of the message.
 */
export async function checkModel(
  bytes: Uint8Array,
  folder: string | undefined,
  path?: string | undefined,
): Promise<void> {
  try {
    await checkNativeModel({ model: bytes, externalDataFolder: folder ?? '' });
  } catch (error) {
    throw fromNative(error, path);
  }
}
