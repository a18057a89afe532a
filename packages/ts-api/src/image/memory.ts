import { isOutOfMemory, TlscError } from '../errors.js';

/** An error of memory that `cause` says has run out for `what`. */
export function outOfMemory(what: string, cause: unknown): TlscError {
  const message = `there is no memory for ${what}; take a smaller photo, or fewer at once`;
  return new TlscError('ERR_OUT_OF_MEMORY', message, { cause });
}

/** Does `work`, which needs memory for `what`. Rejects with ERR_OUT_OF_MEMORY where there is none. */
export async function withMemoryFor<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw !(error instanceof TlscError) && isOutOfMemory(error) ? outOfMemory(what, error) : error;
  }
}
