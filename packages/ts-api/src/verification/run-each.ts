import { throwIfAborted } from '../errors.js';
import type { LoadedModel } from '../graph/model.js';
import { paintNoise } from '../graph/noise.js';
import { trialFeeds } from '../graph/trial-feeds.js';
import type { TrialValues } from '../graph/trial-values.js';
import { InferenceSession, type Outputs } from '../session/inference-session.js';
import { modeFor } from '../session/many-nodes.js';
import type { Size } from '../size.js';

interface Runs {
  readonly operators: 'native' | 'portable';
  readonly sizes: readonly Size[];
  readonly values: TrialValues;
  readonly signal: AbortSignal | undefined;
}

/** The outputs for noise of each size. One session at a time, so that a check needs no more memory than a run. */
export async function runEach(
  { bytes, model, name }: LoadedModel,
  { operators, sizes, values, signal }: Runs,
): Promise<Outputs[]> {
  throwIfAborted(signal);
  const { externalDataFolder } = model;
  const mode = modeFor(model.graph.node.length);
  const session = await InferenceSession.create(bytes, { ...mode, operators, externalDataFolder });
  try {
    const outputs: Outputs[] = [];
    for (const size of sizes) {
      const feeds = await trialFeeds(model, size, name, paintNoise, values);
      outputs.push(await session.run(feeds, signal ? { signal } : {}));
    }
    return outputs;
  } finally {
    await session.release();
  }
}
