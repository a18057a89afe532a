import { describeCuda, findRuntime } from '@tlsc/core-native';
import type { InferenceSession } from './inference-session.js';

/**
 * The bytes that are left of the machine's memory, or of its container's; for a session on a card those of the card, of several the
 * smallest one's.
 */
export async function availableMemory({ executionProviders }: InferenceSession): Promise<number> {
  if (!executionProviders.includes('cuda')) return process.availableMemory();
  const { devices } = await describeCuda(findRuntime());
  return Math.min(...devices.map(({ memory }) => memory));
}
