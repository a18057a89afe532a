import { TlscError } from '../errors.js';
import type { InferenceSession } from './inference-session.js';

/** Gives back what runs have left; of a session that was released meanwhile there is nothing. */
export function trim(session: InferenceSession): void {
  try {
    session.trim();
  } catch (error) {
    if (!(error instanceof TlscError)) throw error;
  }
}
