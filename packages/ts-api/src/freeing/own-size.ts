// A model that was freed must be what it was at the size that it was exported for.
import { TlscError } from '../errors.js';
import { encodeModel, type Model } from '../graph/model.js';
import { paintNoise } from '../graph/noise.js';
import { trialFeeds } from '../graph/trial-feeds.js';
import { firstThatRuns, type TrialValues, trialValuesOf } from '../graph/trial-values.js';
import { InferenceSession, type Outputs } from '../session/inference-session.js';
import { modeFor } from '../session/many-nodes.js';
import { type Size, showSize } from '../size.js';
import { compare } from '../verification/compare.js';

/** Roundings of sums in another order; float16 has three digits. */
const tolerance = 1e-3;

/** What the model makes of noise of this size. */
async function outputsOf(
  model: Model,
  size: Size,
  name: string,
  choices: readonly TrialValues[],
  signal?: AbortSignal,
): Promise<{ outputs: Outputs; values: TrialValues }> {
  const { externalDataFolder } = model;
  const mode = modeFor(model.graph.node.length);
  const options = { ...mode, operators: 'portable', externalDataFolder, logSeverityLevel: 4 } as const;
  const session = await InferenceSession.create(encodeModel(model), options);
  try {
    return await firstThatRuns(choices, async (values) => {
      const feeds = await trialFeeds(model, size, name, paintNoise, values);
      return { outputs: await session.run(feeds, signal ? { signal } : {}), values };
    });
  } finally {
    await session.release();
  }
}

/**
 * Throws ERR_UNSUPPORTED_MODEL where two models give different outputs for images of this size. Outputs that are no floats are not
 * compared.
 */
export async function checkOwnSize(
  original: Model,
  freed: Model,
  size: Size,
  name: string,
  signal?: AbortSignal,
): Promise<void> {
  const { outputs, values } = await outputsOf(original, size, name, trialValuesOf(original, size), signal);
  const { outputs: others } = await outputsOf(freed, size, name, [values], signal);
  const floats = Object.fromEntries(
    Object.entries(outputs).filter(([, { type }]) => type === 'float32' || type === 'float16'),
  );
  if ((await compare(floats, others)) < tolerance) return;
  const message = `${name} was exported for images of ${showSize(size)}, and does not give what it did there when it is freed of that; export it with dynamic height and width`;
  throw new TlscError('ERR_UNSUPPORTED_MODEL', message);
}
