// The networks that methods take, each loaded once, one at a time.
import { convert, InferenceSession, type Photo, restore, type Size, type ValueOptions } from '@tlsc/api';
import type { Plan } from '../options.js';
import type { Method } from './method.js';
import { restoreTiles } from './tiles.js';

/** What restores photos by one method. */
export interface Restorer {
  restore(photo: Photo): Promise<Photo>;
  release(): Promise<void>;
}

export interface Network {
  readonly file: string;
  readonly plan: Plan;
}

/** The model with local statistics of a base size. */
export async function convertFor({ file, plan }: Network, baseSize: Size, fast: boolean) {
  const { trainSize, values, signal } = plan;
  return convert(file, { ...values, trainSize, baseSize, fast, ...(signal && { signal }) });
}

async function sessionFor(network: Network, method: Method): Promise<InferenceSession> {
  if (method.kind !== 'local') return InferenceSession.create(network.file);
  const { model, externalDataFolder } = await convertFor(network, method.baseSize, method.fast);
  return InferenceSession.create(model, { externalDataFolder });
}

export async function restorerFor(network: Network, method: Method): Promise<Restorer> {
  if (method.kind === 'input') return { restore: async (photo) => photo, release: async () => {} };
  const { output, values, signal } = network.plan;
  const session = await sessionFor(network, method);
  const options = { ...(values as ValueOptions), ...(output && { output }), ...(signal && { signal }) };
  const whole = (photo: Photo) => restore(session, photo, options);
  return {
    restore: method.kind === 'patches' ? (photo) => restoreTiles(photo, method, whole) : whole,
    release: () => session.release(),
  };
}
