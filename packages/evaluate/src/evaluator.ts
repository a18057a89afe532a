import { type Photo, TlscError } from '@tlsc/api';
import { Cache } from './cache.js';
import type { Candidate } from './candidates.js';
import { isScores, type MethodResult, type Scores } from './evaluation.js';
import { type Method, titleOf } from './methods/method.js';
import { LazyRestorer } from './methods/sessions.js';
import { workOf } from './methods/tiles.js';
import type { OtherMetric } from './metrics/other-metric.js';
import { asInFile, planesOf } from './metrics/planes.js';
import { type Plan, usualBaseSize } from './options.js';
import { areaOf, type PhotoInfo, read } from './photos.js';
import { Work } from './progress.js';
import { collect } from './statistics/collect.js';
import { compareStatistics, type StatisticsReport } from './statistics/compare.js';
import { meanOf } from './summary/bootstrap.js';
import { version } from './version.js';
import { WorkerThread } from './work/worker-thread.js';

/** Pixels that networks see for one of a photo while statistics are collected: whole planes, crops, and windows, which are shown, too. */
const statisticsWork = 3.5;

/** What went wrong with one photo is noted; what ends it all is thrown. */
function failureOf(error: unknown): { failure: string } {
  const ends = ['ERR_ABORTED', 'ERR_MODEL_NOT_FOUND', 'ERR_INVALID_MODEL'];
  if (!(error instanceof TlscError) || ends.includes(error.code)) throw error;
  return { failure: error.message };
}

function meanScores(photos: MethodResult['photos']): Scores | undefined {
  const scores = photos.filter(isScores);
  if (scores.length < photos.length || scores.length === 0) return undefined;
  const names = Object.keys(scores[0] as Scores);
  return Object.fromEntries(names.map((name) => [name, meanOf(scores.map((one) => one[name] as number))]));
}

/** What an evaluation works with. */
export class Evaluator {
  readonly cache: Cache;
  readonly work: Work;
  readonly thread = new WorkerThread();
  readonly others: OtherMetric[] = [];
  readonly hasTargets: boolean;

  constructor(
    readonly plan: Plan,
    readonly photos: readonly PhotoInfo[],
  ) {
    this.cache = new Cache(plan.cache);
    this.work = new Work(plan.onProgress);
    this.hasTargets = photos.every(({ target }) => target !== undefined);
  }

  async close(): Promise<void> {
    await this.thread.close();
    for (const { session } of this.others) await session.release();
  }

  /** Of all photos, in pixels. */
  get area(): number {
    return this.photos.reduce((sum, photo) => sum + areaOf(photo), 0);
  }

  /** Patterns as text, for keys. */
  get choice(): readonly string[] {
    const { include = [], exclude = [] } = this.plan.choice;
    return [...include.map((one) => `include ${one}`), ...exclude.map((one) => `exclude ${one}`)];
  }

  /** Tiles as large as a photo are the whole photo. */
  methodsFor(sites: number): Method[] {
    const { baseSizes, patchSizes, blendedSizes, fast, trainSize } = this.plan;
    const most = Math.max(...this.photos.map(({ size }) => Math.min(...size)));
    const patches = (sizes: readonly number[], blended: boolean): Method[] =>
      this.hasTargets
        ? sizes.filter((size) => size < most).map((size) => ({ kind: 'patches', size, blended }))
        : [];
    const local: Method[] =
      sites === 0
        ? []
        : [
            ...baseSizes.map((baseSize): Method => ({ kind: 'local', baseSize, fast: false })),
            ...(fast ? [{ kind: 'local', baseSize: usualBaseSize(trainSize), fast } as const] : []),
          ];
    return [...patches(patchSizes, false), ...patches(blendedSizes, true), { kind: 'global' }, ...local];
  }

  workOf(method: Method, photo: PhotoInfo): number {
    return method.kind === 'patches' ? workOf(photo.size, method) : 1;
  }

  async scoresOf(made: Photo, reference: Photo, scale: number): Promise<Scores> {
    const { round, shave = scale > 1 ? scale : 0, signal } = this.plan;
    const [image, target] = [planesOf(made), planesOf(reference)];
    if (image.data.length !== target.data.length || image.width !== target.width) {
      const message = `results have ${image.height}x${image.width} pixels of ${image.channels} channels, their targets ${target.height}x${target.width} of ${target.channels}`;
      throw new TlscError('ERR_INVALID_ARGUMENT', message, { parameter: 'pairs' });
    }
    const bitDepth = round ? reference.bitDepth : undefined;
    const quality = this.thread.run('qualityOf', image, target, { bitDepth, shave });
    const others: Record<string, number> = {};
    for (const metric of this.others)
      others[metric.name] = await metric.of(asInFile(image, bitDepth), target, signal);
    return { ...(await quality), ...others };
  }

  /** What is measured against: the target, or, where not all have one, what the original makes of the photo. */
  async referenceFor({ input, target }: PhotoInfo, original: LazyRestorer): Promise<Photo> {
    const { signal } = this.plan;
    return this.hasTargets && target !== undefined
      ? read(target, signal)
      : original.restore(await read(input, signal));
  }

  /** Of a photo by a method; from an earlier time, unless `make` is called. */
  async #entry(file: string | undefined, method: Method, photo: PhotoInfo, make: () => Promise<Scores>) {
    const { trainSize, round, shave, output, inputs, values, metrics } = this.plan;
    const { choice } = this;
    const target = this.hasTargets ? photo.target : undefined;
    const files = [photo.input, target, file, ...Object.values(metrics)];
    const hashes = await Promise.all(
      files.map((path) => (path === undefined ? null : this.cache.hashOf(path))),
    );
    const names = Object.keys(metrics);
    const key = [
      'scores',
      version,
      method,
      { trainSize, round, shave, output, inputs, choice, values, names },
      hashes,
    ];
    return this.cache.get(key, () => make().catch(failureOf), isScores);
  }

  /** One method on all photos. Networks are loaded when they are needed, for what is not known from an earlier time. */
  async results(candidate: Candidate | undefined, method: Method): Promise<MethodResult> {
    const { plan, photos, work } = this;
    const network = candidate ?? { file: '', isOfOneSize: false, plan };
    const restorer = new LazyRestorer(network, method);
    const original = new LazyRestorer(network, { kind: 'global' });
    const title = candidate ? `${candidate.name}, ${titleOf(method)}` : titleOf(method);
    const entryOf = async (photo: PhotoInfo) => {
      let isFresh = false;
      const measure = async () => {
        isFresh = true;
        const made = await restorer.restore(await read(photo.input, plan.signal));
        return this.scoresOf(made, await this.referenceFor(photo, original), photo.scale);
      };
      const entry = await this.#entry(candidate?.file, method, photo, measure);
      work.report(`${title}: ${photo.name}`, this.workOf(method, photo) * areaOf(photo), isFresh);
      return entry;
    };
    const entries: Promise<MethodResult['photos'][number]>[] = [];
    try {
      // One is restored while the one before it is measured.
      for (const photo of photos) {
        const entry = entryOf(photo);
        entry.catch(() => {}); // it is awaited, but not at once
        entries.push(entry);
        await entries.at(-2);
      }
      await entries.at(-1);
    } finally {
      await Promise.allSettled(entries);
      await restorer.release();
      await original.release();
    }
    const scores = await Promise.all(entries);
    const seen = photos.reduce((sum, photo) => sum + this.workOf(method, photo) * areaOf(photo), 0);
    return {
      method,
      title: titleOf(method),
      work: seen / this.area,
      photos: scores,
      mean: meanScores(scores),
    };
  }

  async statistics(candidate: Candidate): Promise<StatisticsReport | { failure: string }> {
    const { plan, photos, cache, work } = this;
    const { file, name } = candidate;
    const baseSize = usualBaseSize(plan.trainSize);
    const { trainSize, values, inputs, output, signal } = plan;
    let isFresh = false;
    let reported = 0;
    const hashes = await Promise.all(
      [file, ...photos.map(({ input }) => input)].map((path) => cache.hashOf(path)),
    );
    const key = ['statistics', version, trainSize, values, inputs, this.choice, output, hashes];
    const compare = async () => {
      isFresh = true;
      const readers = photos.map((photo) => () => read(photo.input, signal));
      const total = this.statisticsWork();
      const step = total / (2 * photos.length);
      const seen = await collect(candidate, baseSize, readers, () => {
        reported += step;
        work.report(`${name}, statistics`, step, true);
      });
      return compareStatistics(seen, baseSize);
    };
    const report = await cache.get<StatisticsReport | { failure: string }>(
      key,
      () => compare().catch(failureOf),
      (made) => !('failure' in made),
    );
    work.report(`${name}, statistics`, this.statisticsWork() - reported, isFresh);
    return report;
  }

  statisticsWork(): number {
    return statisticsWork * this.area;
  }

  expect(methods: readonly Method[]): void {
    for (const method of methods)
      for (const photo of this.photos) this.work.expect(this.workOf(method, photo) * areaOf(photo));
  }
}
