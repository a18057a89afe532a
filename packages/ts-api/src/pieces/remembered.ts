import type { Restorer } from '../image/restorer.js';
import type { InferenceSession } from '../session/inference-session.js';

/** A function of a network, which is one output of a session, that is called once for each; errors are not kept. */
export function remembered<T>(
  find: (restorer: Restorer, colours: 1 | 3) => Promise<T>,
): (restorer: Restorer, colours: 1 | 3) => Promise<T> {
  const known = new WeakMap<InferenceSession, Map<string, Promise<T>>>();
  return async (restorer, colours) => {
    const { session, output } = restorer;
    const outputs = known.get(session) ?? new Map<string, Promise<T>>();
    known.set(session, outputs);
    const finding = outputs.get(output) ?? find(restorer, colours);
    outputs.set(output, finding);
    try {
      return await finding;
    } catch (error) {
      outputs.delete(output); // an abort, or memory that was not there
      throw error;
    }
  };
}
