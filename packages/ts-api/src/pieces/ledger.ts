// Photos that are restored at the same time share what memory there is.
import { onAbort } from '../abort.js';
import { throwIfAborted } from '../errors.js';

/** What photos under way may take, and who waits for some of it. */
let granted = 0;
const waiting = new Set<() => void>();

/** In bytes, of all that are under way. */
export function grantedMemory(): number {
  return granted;
}

/** Notes that a photo may take so many bytes; to be called when it has ended. */
export function grantMemory(bytes: number): () => void {
  granted += bytes;
  return () => {
    granted -= bytes;
    for (const wake of waiting) wake();
  };
}

/** Resolves when one of them has ended. Rejects with ERR_ABORTED. */
export async function nextGrantEnds(signal: AbortSignal | undefined): Promise<void> {
  throwIfAborted(signal);
  let stopListening = () => {};
  let wake = () => {};
  await new Promise<void>((resolve) => {
    wake = resolve;
    waiting.add(wake);
    stopListening = onAbort(signal, resolve);
  });
  waiting.delete(wake);
  stopListening();
  throwIfAborted(signal);
}
