import { TlscError } from '../errors.js';
import type { ModelSource } from '../graph/model.js';
import { toRestorer } from '../image/restorer.js';
import { costOf } from '../pieces/cost.js';
import { InferenceSession } from '../session/inference-session.js';
import { trialChannels } from '../session/known-sides.js';
import type { CheckedPoolOptions } from './options.js';
import { type Parallelism, sessionThreads } from './parallelism.js';

/** A session that is released when nobody uses it any more. */
export class PooledModel {
  readonly session: InferenceSession;
  #users = 0;
  #retired = false;

  constructor(session: InferenceSession) {
    this.session = session;
  }

  /** Returns what ends the use. */
  use(): () => void {
    this.#users++;
    return () => {
      this.#users--;
      if (this.#retired && this.#users === 0) void this.session.release();
    };
  }

  /** Lets those who use it end. */
  async retire(): Promise<void> {
    this.#retired = true;
    if (this.#users === 0) await this.session.release();
  }
}

/** A session of as many threads as so many runs at once use. */
export function openSession(
  model: ModelSource,
  options: CheckedPoolOptions['session'],
  way: Parallelism,
  signal: AbortSignal | undefined,
): Promise<InferenceSession> {
  return InferenceSession.create(model, { ...options, intraOpNumThreads: sessionThreads(way), signal });
}

/**
 * Finds out what the first photo would have to wait for: the sides that the network takes, and what memory. Of a model that wants more
 * than a photo nothing can be known before the first comes.
 */
export async function warmUp(session: InferenceSession, signal?: AbortSignal): Promise<void> {
  try {
    const [output = ''] = session.outputNames;
    const restorer = toRestorer(session, { output, ...(signal && { signal }) });
    await costOf(restorer, trialChannels(restorer.input) === 1 ? 1 : 3);
  } catch (error) {
    if (!(error instanceof TlscError) || signal?.aborted) throw error;
  }
}
