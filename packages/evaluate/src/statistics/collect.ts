// What the statistics of a network come to: on crops of the size that it was trained on, on whole photos, and in windows of these.
import {
  InferenceSession,
  type ObservedModel,
  type ObservedSite,
  observe,
  type Photo,
  restore,
  type Size,
  type Tensor,
} from '@tlsc/api';
import { type Network, restoreOptions } from '../methods/sessions.js';
import { cropsOf } from '../methods/tiles.js';
import type { Samples } from './distances.js';

/** Crops that are taken of a photo: some more say little more. */
const mostCrops = 64;

/** What a quantity of a site comes to, each sample of it. */
export interface Seen {
  readonly train: Samples;
  readonly whole: Samples;
  readonly local: Samples;
}

export interface SeenSite extends Pick<ObservedSite, 'node' | 'operator'> {
  readonly mean: Seen;
  readonly deviation: Seen | undefined;
}

/** Samples that more are added to. */
class Collection implements Samples {
  readonly rows: Float32Array[] = [];
  groups = 0;

  add({ data, dims: [count = 0, groups = 0] }: Tensor): void {
    this.groups = groups;
    for (let i = 0; i < count; i++)
      this.rows.push((data as Float32Array).slice(i * groups, (i + 1) * groups));
  }
}

/** By the names of outputs. */
type Collections = ReadonlyMap<string, Collection>;

class Observer {
  private constructor(
    readonly observed: ObservedModel,
    readonly session: InferenceSession,
    readonly network: Network,
  ) {}

  static async load(network: Network, baseSize: Size, whole: boolean): Promise<Observer> {
    const { trainSize, values, choice, signal } = network.plan;
    const options = { ...values, ...choice, trainSize, baseSize, whole, ...(signal && { signal }) };
    const observed = await observe(network.file, options);
    const { model, externalDataFolder } = observed;
    return new Observer(
      observed,
      await InferenceSession.create(model, { externalDataFolder, signal }),
      network,
    );
  }

  collections(): Collections {
    return new Map(
      this.observed.sites.flatMap(({ mean, deviation }) =>
        [mean, ...(deviation === undefined ? [] : [deviation])].map(
          (name) => [name, new Collection()] as const,
        ),
      ),
    );
  }

  async see(photo: Photo, collections: Collections): Promise<void> {
    const options = restoreOptions(this.network.plan);
    const hidden = [...collections.keys()];
    const output = options.output ?? this.session.outputNames.find((name) => !hidden.includes(name)) ?? '';
    const { outputs } = await restore(this.session, photo, { ...options, output, fetches: hidden });
    for (const [name, collection] of collections) collection.add(outputs[name] as Tensor);
  }
}

/** What was seen of all sites. */
export interface SeenStatistics {
  readonly sites: readonly SeenSite[];
  /** Those that cannot be shown: they are taken in more than one step. */
  readonly unseen: readonly string[];
}

/** The names of sites in the order in which they were found, and all that was seen of them; `read` gives the photos one by one. */
export async function collect(
  network: Network,
  baseSize: Size,
  photos: readonly (() => Promise<Photo>)[],
  onPhoto: () => void,
): Promise<SeenStatistics> {
  const { trainSize } = network.plan;
  const passes = { train: new Map(), whole: new Map(), local: new Map() } as Record<keyof Seen, Collections>;
  let observed: Pick<ObservedModel, 'sites' | 'unseen'> = { sites: [], unseen: [] };
  for (const isWhole of [true, false]) {
    const observer = await Observer.load(network, baseSize, isWhole);
    try {
      observed = observer.observed;
      if (observed.sites.length === 0) break;
      const [crops, planes] = [observer.collections(), observer.collections()];
      for (const readNext of photos) {
        const photo = await readNext();
        await observer.see(photo, planes);
        if (isWhole) for (const crop of cropsOf(photo, trainSize, mostCrops)) await observer.see(crop, crops);
        onPhoto();
      }
      if (isWhole) Object.assign(passes, { train: crops, whole: planes });
      else passes.local = planes;
    } finally {
      await observer.session.release();
    }
  }
  const seen = (name: string): Seen => {
    const of = (pass: keyof Seen) => passes[pass].get(name) as Collection;
    return { train: of('train'), whole: of('whole'), local: of('local') };
  };
  const sites = observed.sites.map(({ node, operator, mean, deviation }) => ({
    node,
    operator,
    mean: seen(mean),
    deviation: deviation === undefined ? undefined : seen(deviation),
  }));
  return { sites, unseen: observed.unseen };
}
