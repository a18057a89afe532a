import { TlscError } from '../errors.js';
import type { Restorer } from '../image/restorer.js';
import type { InferenceSession } from '../session/inference-session.js';

/** A function of a network, which is one output of a session, that is called once for each; errors are not kept. */
export function remembered<T>(
  find: (restorer: Restorer, colours: 1 | 3) => Promise<T>,
): (restorer: Restorer, colours: 1 | 3) => Promise<T> {
  const known = new WeakMap<InferenceSession, Map<string, Promise<T>>>();
  return async (restorer, colours) => {
    const { session, output, decoding } = restorer;
    const outputs = known.get(session) ?? new Map<string, Promise<T>>();
    known.set(session, outputs);
    for (;;) {
      const finding = outputs.get(output) ?? find(restorer, colours);
      outputs.set(output, finding);
      try {
        return await finding;
      } catch (error) {
        if (outputs.get(output) === finding) outputs.delete(output);
        // Whoever has begun it may have been aborted; those who wait for it have not.
        const isOthers =
          error instanceof TlscError && error.code === 'ERR_ABORTED' && !decoding.signal?.aborted;
        if (!isOthers) throw error;
      }
    }
  };
}
