import { abortable, onAbort } from '../abort.js';
import { type ErrorCode, invalidArgument, TlscError, throwIfAborted } from '../errors.js';
import type { ModelSource } from '../graph/model.js';
import type { ImageSource } from '../image/decode.js';
import type { ImageExtension } from '../image/encoders.js';
import { checkPhoto, isPhoto, type Photo } from '../image/photo.js';
import { type RestoredPhoto, restoreInTurn } from '../image/restore.js';
import { type RestoredImage, restoreFileInTurn, restoreImageInTurn } from '../image/restore-file.js';
import { type Restorer, toRestorer } from '../image/restorer.js';
import type { InferenceSession, Outputs } from '../session/inference-session.js';
import { showBytes } from '../session/out-of-memory.js';
import type { TurnTaker } from '../turns.js';
import { Admission, type Ticket } from './admission.js';
import { Deadline } from './deadline.js';
import { lookAtFile, lookAtPhoto, needOfFeeds, needOfPhoto } from './need.js';
import {
  type CheckedPoolOptions,
  type ModelDescription,
  type PoolRestoreFileOptions,
  type PoolRestoreOptions,
  poolNames,
  splitTurn,
  type Turn,
  type TurnOptions,
} from './options.js';
import type { Parallelism } from './parallelism.js';
import type { Passage, PoolStats, RunRequest, Supplied } from './passage.js';
import { openSession, PooledModel, warmUp } from './pooled-model.js';
import { SpareMemory } from './spare-memory.js';

/** What is to be done in a turn. */
interface Job<S, T> {
  readonly supplied: Supplied<S>;
  /** Bytes that it takes whole; undefined where nobody can tell. */
  readonly needOf: (source: S, session: InferenceSession, signal: AbortSignal) => Promise<number | undefined>;
  /** Does it within so many bytes. */
  readonly work: (
    source: S,
    session: InferenceSession,
    memory: number,
    signal: AbortSignal,
    turns: TurnTaker,
  ) => Promise<T>;
  readonly canBeCut: boolean;
}

/** Beside those that run, one that is decoded or encoded. */
const beside = 1;

const closedMessage = 'the pool is closed';

/**
 * Restores photos as many at once as cores and memory allow, and has the others wait, or refuses them. Made by `createPool`. Whatever has been
 * let in and is aborted, late or broken leaves its place at once.
 */
export class RestorationPool {
  readonly #options: CheckedPoolOptions;
  readonly #models: Map<string, PooledModel>;
  readonly #way: Parallelism;
  readonly #admission: Admission;
  readonly #spare = new SpareMemory();
  readonly #underWay = new Set<Deadline>();
  readonly #failed: Partial<Record<ErrorCode | 'OTHER', number>> = {};
  #done = 0;
  #pixels = 0;

  /** @internal */
  constructor(
    options: CheckedPoolOptions,
    way: Parallelism,
    memory: number,
    models: Map<string, PooledModel>,
  ) {
    this.#options = options;
    this.#way = way;
    this.#models = models;
    const places = way.concurrency + beside;
    this.#admission = new Admission(places, memory, options.maxPending, this.#spare);
  }

  /** Names, sorted. */
  get models(): readonly string[] {
    return [...this.#models.keys()].sort();
  }

  /** Whether one more would be refused now. */
  get isBusy(): boolean {
    return this.#admission.isFull;
  }

  /** What a model takes and gives. Throws ERR_INVALID_ARGUMENT where there is none of that name. */
  describe(model?: string): ModelDescription {
    return this.#find(model).pooled.session;
  }

  stats(): PoolStats {
    const { pending, running, memory: limit, taken } = this.#admission;
    return {
      ...this.#way,
      models: this.models,
      pending,
      running,
      memory: { limit, taken, spare: this.#spare.bytes },
      done: this.#done,
      pixels: this.#pixels,
      failed: { ...this.#failed },
    };
  }

  /**
   * Restores a photo: `restore` in a turn of the pool. Rejects as that does, and with ERR_BUSY (which says in `retryAfter` when to come
   * back), ERR_DEADLINE, ERR_SESSION_RELEASED once the pool is closed, or ERR_INVALID_ARGUMENT where no model has the name.
   */
  async restore(
    image: Supplied<ImageSource | Photo>,
    options: PoolRestoreOptions = {},
  ): Promise<RestoredPhoto & Passage> {
    const { turn, rest } = splitTurn(options, poolNames.restore);
    const restored = await this.#pass<ImageSource | Photo, RestoredPhoto>(turn, {
      supplied: image,
      needOf: async (source, session, signal) => {
        const restorer = this.#restorer(session, rest, signal);
        if (!isPhoto(source)) return this.#needOfFile(restorer, source, options.page);
        checkPhoto(source, 'image');
        return needOfPhoto(restorer, lookAtPhoto(source));
      },
      work: (source, session, memory, signal, turns) =>
        restoreInTurn(turns, session, source, { ...rest, ...this.#limits(memory, signal) }),
      canBeCut: true,
    });
    const [, , height = 0, width = 0] = restored.tensor.dims;
    this.#pixels += height * width;
    return restored;
  }

  /** `restoreImage` in a turn of the pool; rejects as `restore` does besides. */
  async restoreImage(
    source: Supplied<ImageSource>,
    extension: ImageExtension,
    options: PoolRestoreFileOptions = {},
  ): Promise<RestoredImage & Passage & { readonly bytes: Uint8Array }> {
    return this.#passFile(source, options, (own, session, how, turns) =>
      restoreImageInTurn(turns, session, own, extension, how),
    );
  }

  /** `restoreFile` in a turn of the pool; rejects as `restore` does besides. */
  async restoreFile(
    source: Supplied<ImageSource>,
    path: string,
    options: PoolRestoreFileOptions = {},
  ): Promise<RestoredImage & Passage> {
    return this.#passFile(source, options, (own, session, how, turns) =>
      restoreFileInTurn(turns, session, own, path, how),
    );
  }

  /**
   * Runs a model on tensors in a turn of the pool. A model of which nobody can tell what it takes may take its share of the memory.
   * Rejects as `InferenceSession.run` and `restore` do.
   */
  async run(
    request: Supplied<RunRequest>,
    options: TurnOptions = {},
  ): Promise<Passage & { readonly outputs: Outputs }> {
    const { turn } = splitTurn(options, poolNames.run);
    return this.#pass<RunRequest, { readonly outputs: Outputs }>(turn, {
      supplied: request,
      needOf: async ({ feeds }, session, signal) => {
        try {
          const [output = ''] = session.outputNames;
          return await needOfFeeds(this.#restorer(session, { output }, signal), feeds);
        } catch (error) {
          if (error instanceof TlscError && error.code !== 'ERR_ABORTED') return undefined;
          throw error;
        }
      },
      work: ({ feeds, fetches }, session, memory, signal, turns) =>
        turns.take(async (hold) => {
          const run = session.run(feeds, fetches ?? session.outputNames, { signal, memory });
          return { outputs: await hold(run) };
        }, signal),
      canBeCut: false,
    });
  }

  /**
   * Adds a model, or puts it in place of the one that has the name: whoever was let in before gets what that one makes, and it is released
   * when the last of them has left. Rejects as `InferenceSession.create` does, when all is as it was.
   */
  async load(
    name: string,
    model: ModelSource,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<void> {
    const session = await openSession(model, this.#options.session, this.#way, signal);
    try {
      await warmUp(session, signal);
    } catch (error) {
      await session.release();
      throw error;
    }
    if (this.#admission.isClosed) {
      await session.release();
      throw new TlscError('ERR_SESSION_RELEASED', closedMessage);
    }
    const before = this.#models.get(name);
    this.#models.set(name, new PooledModel(session));
    if (before) await this.#retire(before);
  }

  /** Takes a model away; whoever was let in before is served yet. Throws ERR_INVALID_ARGUMENT where there is none of that name. */
  async unload(name: string): Promise<void> {
    const { pooled } = this.#find(name);
    this.#models.delete(name);
    await this.#retire(pooled);
  }

  /**
   * Lets nobody in from now on, serves all who have been, and releases the models. Once `signal` is aborted those who are left end
   * with ERR_ABORTED.
   */
  async close({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    const left = this.#admission.close(closedMessage);
    const stopListening = onAbort(signal, () => {
      for (const one of this.#underWay) one.abort(signal?.reason);
    });
    await left;
    stopListening();
    const models = [...this.#models.values()];
    this.#models.clear();
    await Promise.all(models.map((model) => this.#retire(model)));
  }

  #retire(model: PooledModel): Promise<void> {
    this.#spare.forget(model.session);
    return model.retire();
  }

  #find(model: string | undefined): { name: string; pooled: PooledModel } {
    const name = model ?? (this.#models.size === 1 ? this.models[0] : undefined);
    const pooled = name === undefined ? undefined : this.#models.get(name);
    if (name !== undefined && pooled) return { name, pooled };
    throw invalidArgument('model', `one of ${this.models.join(', ') || 'none: there are no models'}`, model);
  }

  #limits(memory: number, signal: AbortSignal) {
    return { memory, signal, maxPixels: this.#options.maxPixels };
  }

  #restorer(
    session: InferenceSession,
    options: Omit<PoolRestoreOptions, keyof Turn>,
    signal: AbortSignal,
  ): Restorer {
    return toRestorer(session, { ...options, ...this.#limits(this.#admission.memory, signal) });
  }

  async #needOfFile(restorer: Restorer, source: ImageSource, page: number | undefined): Promise<number> {
    const look = await lookAtFile(source, page, restorer.decoding, this.#admission.memory);
    return needOfPhoto(restorer, look);
  }

  async #passFile<T extends RestoredImage>(
    supplied: Supplied<ImageSource>,
    options: PoolRestoreFileOptions,
    restore: (
      source: ImageSource,
      session: InferenceSession,
      how: Omit<PoolRestoreFileOptions, keyof Turn> & { memory: number; signal: AbortSignal },
      turns: TurnTaker,
    ) => Promise<T>,
  ): Promise<T & Passage> {
    const { turn, rest } = splitTurn(options, poolNames.restoreFile);
    const restored = await this.#pass<ImageSource, T>(turn, {
      supplied,
      needOf: (source, session, signal) =>
        this.#needOfFile(this.#restorer(session, withoutEncoding(rest), signal), source, options.page),
      work: (source, session, memory, signal, turns) =>
        restore(source, session, { ...rest, ...this.#limits(memory, signal) }, turns),
      canBeCut: true,
    });
    this.#pixels += restored.height * restored.width * restored.frames;
    return restored;
  }

  /** One way through the pool, from the door to the end. */
  async #pass<S, T extends object>(turn: Turn, job: Job<S, T>): Promise<T & Passage> {
    const { name, pooled } = this.#find(turn.model);
    throwIfAborted(turn.signal);
    const ticket = this.#enter(turn.priority);
    const endUse = pooled.use();
    const deadlines = [turn.deadline, this.#options.deadline].filter((one) => one !== undefined);
    const deadline = new Deadline(turn.signal, deadlines.length > 0 ? Math.min(...deadlines) : undefined);
    this.#underWay.add(deadline);
    try {
      const passed = await this.#through(ticket, pooled.session, deadline.signal, job);
      this.#done++;
      return { ...passed, model: name };
    } catch (error) {
      const explained = deadline.explain(error);
      this.#count(explained);
      throw explained;
    } finally {
      ticket.leave();
      endUse();
      this.#underWay.delete(deadline);
      deadline.end();
    }
  }

  #enter(priority: number): Ticket {
    try {
      return this.#admission.enter(priority);
    } catch (error) {
      this.#count(error);
      throw error;
    }
  }

  #count(error: unknown): void {
    const code = error instanceof TlscError ? error.code : 'OTHER';
    this.#failed[code] = (this.#failed[code] ?? 0) + 1;
  }

  async #through<S, T extends object>(
    ticket: Ticket,
    session: InferenceSession,
    signal: AbortSignal,
    { supplied, needOf, work, canBeCut }: Job<S, T>,
  ): Promise<T & Omit<Passage, 'model'>> {
    const came = performance.now();
    const isWaitedFor = (given: Supplied<S>): given is () => Promise<S> => typeof given === 'function';
    const source = isWaitedFor(supplied) ? await abortable(supplied(), signal) : supplied;
    const need = await abortable(needOf(source, session, signal), signal);
    const { memory } = this.#admission;
    if (need !== undefined && need > memory && !canBeCut) throw neverFits(need, memory);
    // What is cut leaves room for as many others as may run beside it.
    const part = Math.floor(memory / this.#way.concurrency);
    const may = need === undefined || need > memory ? part : need;
    await ticket.begin(may, signal);
    const began = performance.now();
    const turns: TurnTaker = { keepsMemory: true, take: (inside) => inside(ticket.hold) };
    this.#spare.take(session);
    const made = await work(source, session, may, signal, turns)
      .catch(async (error: unknown) => {
        // Its smallest pieces may be larger than a part.
        if (!wantsMore(error) || !canBeCut || may === memory) throw error;
        await ticket.beginAgain(memory, signal);
        return work(source, session, memory, signal, turns);
      })
      // Also of a run that came to its end before something else failed.
      .finally(() => this.#spare.keep(session, may));
    return { ...made, waited: (began - came) / 1000, worked: (performance.now() - began) / 1000 };
  }
}

function wantsMore(error: unknown): boolean {
  return error instanceof TlscError && error.code === 'ERR_OUT_OF_MEMORY' && error.parameter === 'memory';
}

function neverFits(need: number, memory: number): TlscError {
  const message = `a run on these tensors takes ${showBytes(need)}, and all together may take ${showBytes(memory)}`;
  return new TlscError('ERR_OUT_OF_MEMORY', message, { parameter: 'memory', expected: `${need}` });
}

function withoutEncoding({
  quality: _,
  lossless: __,
  strip: ___,
  ...rest
}: Omit<PoolRestoreFileOptions, keyof Turn>): Omit<PoolRestoreOptions, keyof Turn> {
  return rest;
}
