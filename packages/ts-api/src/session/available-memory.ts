import { describeCuda, findRuntime, isNativeError } from '@tlsc/core-native';
import type { InferenceSession } from './inference-session.js';

/**
 * The bytes that are left of the machine's memory, or of its container's. For a session on a card all that the card has, of several the
 * smallest one's; any number where nobody can tell.
 */
export async function availableMemory({ executionProviders }: InferenceSession): Promise<number> {
  if (!executionProviders.includes('cuda')) return process.availableMemory();
  try {
    const { devices } = await describeCuda(findRuntime());
    return Math.min(...devices.map(({ memory }) => memory));
  } catch (error) {
    if (isNativeError(error)) return Number.POSITIVE_INFINITY;
    throw error;
  }
}
