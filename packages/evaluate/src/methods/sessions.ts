// The networks that methods take, each loaded once, one at a time.
import { convert, free, InferenceSession, type Photo, restore } from '@tlsc/api';
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
  /** Whether it was exported for images of one size, of which it is freed, as conversion does. */
  readonly isOfOneSize: boolean;
  readonly plan: Plan;
}

async function modelFor({ file, isOfOneSize, plan }: Network, method: Method) {
  const { trainSize, values, choice, signal } = plan;
  if (method.kind === 'local') {
    const { baseSize, fast } = method;
    return convert(file, { ...values, ...choice, trainSize, baseSize, fast, ...(signal && { signal }) });
  }
  if (isOfOneSize) return free(file, signal ? { signal } : {});
  return { model: file, externalDataFolder: undefined };
}

async function sessionFor(network: Network, method: Method): Promise<InferenceSession> {
  const { model, externalDataFolder } = await modelFor(network, method);
  const { signal } = network.plan;
  return InferenceSession.create(model, { externalDataFolder, signal });
}

/** What `restore` is told of a network. */
export function restoreOptions({ output, inputs, values, signal }: Plan) {
  return { ...values, inputs, ...(output && { output }), ...(signal && { signal }) };
}

export async function restorerFor(network: Network, method: Method): Promise<Restorer> {
  if (method.kind === 'input') return { restore: async (photo) => photo, release: async () => {} };
  const session = await sessionFor(network, method);
  const options = restoreOptions(network.plan);
  const whole = (photo: Photo) => restore(session, photo, options);
  return {
    restore: method.kind === 'patches' ? (photo) => restoreTiles(photo, method, whole) : whole,
    release: () => session.release(),
  };
}

/** A method's network, loaded when it is first asked for. */
export class LazyRestorer implements Restorer {
  #loading: Promise<Restorer> | undefined;

  constructor(
    readonly network: Network,
    readonly method: Method,
  ) {}

  async restore(photo: Photo): Promise<Photo> {
    this.#loading ??= restorerFor(this.network, this.method);
    return (await this.#loading).restore(photo);
  }

  async release(): Promise<void> {
    const loaded = await this.#loading?.catch(() => undefined);
    await loaded?.release();
  }
}
