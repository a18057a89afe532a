import type { Tensor } from 'onnxruntime-common';
import { type ErrorCode, TlscError, throwIfAborted } from '../errors.js';
import { widenFloat16, withoutFloat16Array } from '../session/float16.js';
import { InferenceSession } from '../session/inference-session.js';
import { modeFor } from '../session/many-nodes.js';
import { type Size, showSize } from '../size.js';
import { Graph } from './graph.js';
import { imageInputsOf } from './inputs.js';
import { type Model, withNodes } from './model.js';
import { type Probes, probesOf, shapeless, withoutShape, withProbes } from './probes.js';
import { type Merged, mergeSizeNumbers } from './size-numbers.js';
import { trialFeeds } from './trial-feeds.js';
import { firstThatRuns, isRunFailure, type TrialValues, trialValuesOf } from './trial-values.js';

/** The shape that each value of the main graph has when the model sees an image of some size. */
export type Shapes = ReadonlyMap<string, readonly number[]>;

/** The element type ('float32', …) of the values that were asked about. */
export type ElementTypes = ReadonlyMap<string, string>;

/** The numbers in the values that were asked about. */
export type Values = ReadonlyMap<string, readonly number[]>;

/** What a model with probes in it is asked besides shapes. */
export interface Questions {
  /** Values whose element types are to be told. */
  readonly typed?: readonly string[];
  /** Values whose numbers are: few, as sizes are. */
  readonly valued?: readonly string[];
}

export interface Measurement {
  readonly shapes: Shapes;
  readonly types: ElementTypes;
  readonly values: Values;
}

/** The numbers of a tensor, which of float16 are bits. */
function numbersIn({ data, type }: Tensor): number[] {
  if (type !== 'float16') return Array.from(data as BigInt64Array | Int32Array, Number);
  return [...widenFloat16(withoutFloat16Array(data) as Uint16Array)];
}

/** What is known of values, and so of those that are the same. */
function withTwins<T>(twins: Merged['twins'], known: readonly (readonly [string, T])[]): Map<string, T> {
  const all = new Map(known);
  for (const [twin, value] of twins) {
    const one = all.get(value);
    if (one !== undefined) all.set(twin, one);
  }
  return all;
}

const cannotRun: readonly ErrorCode[] = ['ERR_TRAIN_SIZE', 'ERR_OUT_OF_MEMORY', 'ERR_UNSUPPORTED_MODEL'];

/** As many values as may turn out to be no tensors, each at a load of its own. */
const mostRefused = 32;

function orNothing(error: unknown): undefined {
  if (!(error instanceof TlscError) || !cannotRun.includes(error.code)) throw error;
}

/** A model with probes in it, loaded to be run at any number of sizes. ONNX Runtime is the one that knows its shapes. */
export class ProbedModel {
  readonly #seen = new Map<string, Measurement>();
  /** What inputs that are no images are fed, at all sizes: the first that the model ran on. */
  #values: TrialValues | undefined;

  private constructor(
    readonly model: Model,
    readonly name: string,
    readonly session: InferenceSession,
    readonly probes: Probes,
    /** Values that are not in it, by those that they are the same as. */
    readonly twins: Merged['twins'],
  ) {}

  static async load(
    model: Model,
    name: string,
    { typed = [], valued = [] }: Questions = {},
  ): Promise<ProbedModel> {
    const { nodes, twins } = mergeSizeNumbers(new Graph(model.graph, model.externalDataFolder));
    const kept = (values: readonly string[]) => [
      ...new Set(values.map((value) => twins.get(value) ?? value)),
    ];
    const merged = withNodes(model, nodes);
    const asked = { typed: kept(typed), valued: kept(valued) };
    const load = async (without: ReadonlySet<string>): Promise<ProbedModel> => {
      const probes = probesOf(merged, asked, without);
      // Portable: a model that tlsc has converted before is measured like any other.
      const session = await InferenceSession.create(withProbes(merged, probes), {
        operators: 'portable',
        graphOptimizationLevel: 'disabled',
        externalDataFolder: model.externalDataFolder,
        ...modeFor(nodes.length),
        logSeverityLevel: 4, // What goes wrong is thrown below, with the size that it went wrong at.
      });
      return new ProbedModel(model, name, session, probes, twins);
    };
    const without = shapeless(nodes);
    for (let refused = 0; ; refused++) {
      try {
        return await load(without);
      } catch (error) {
        const value = withoutShape(error);
        if (value === undefined || without.has(value) || refused === mostRefused) throw error;
        without.add(value);
      }
    }
  }

  /**
   * What is so for a blank image of the given size, and for the first of `trialValuesOf` that the model runs on. Throws
   * ERR_TRAIN_SIZE when the model cannot run at that size, and what `trialFeeds` does.
   */
  async at(size: Size, signal?: AbortSignal): Promise<Measurement> {
    throwIfAborted(signal);
    const seen = this.#seen.get(showSize(size)) ?? (await this.#run(size, signal, 1));
    this.#seen.set(showSize(size), seen);
    return seen;
  }

  /** The same; undefined for a size that the model cannot run at. */
  async tryAt(size: Size, signal?: AbortSignal): Promise<Measurement | undefined> {
    return this.at(size, signal).catch(orNothing);
  }

  /** The same for two images at once, where the model takes any number; undefined for one that takes no two after all. */
  async forTwoImages(size: Size, signal?: AbortSignal): Promise<Measurement | undefined> {
    const isFree = imageInputsOf(this.model, size).some(({ shape: [batch] }) => typeof batch !== 'number');
    return isFree ? this.#run(size, signal, 2).catch(orNothing) : this.at(size, signal);
  }

  async #run(size: Size, signal: AbortSignal | undefined, batch: number): Promise<Measurement> {
    const { model, name, session, probes, twins } = this;
    const fetches = [...probes.shapes.values(), ...probes.values.values()];
    const run = async (values: TrialValues) => {
      const feeds = await trialFeeds(model, size, name, undefined, values, batch);
      const outputs = await session.run(feeds, fetches, signal ? { signal } : {});
      this.#values = values;
      return outputs;
    };
    const choices = this.#values ? [this.#values] : trialValuesOf(model, size);
    const results = await firstThatRuns(choices, run).catch((cause: unknown) => {
      if (!isRunFailure(cause)) throw cause;
      const message = `${name} cannot run at ${showSize(size)}: ${cause.message}`;
      throw new TlscError('ERR_TRAIN_SIZE', message, {
        parameter: 'trainSize',
        received: showSize(size),
        cause,
      });
    });
    const read = <T>(asked: Probes['shapes'], of: (output: string) => T) =>
      withTwins(
        twins,
        [...asked].map(([value, output]) => [value, of(output)]),
      );
    const outputs = new Map(session.outputMetadata.map((output) => [output.name, output]));
    const typeOf = (name: string) => {
      const output = outputs.get(name);
      return output?.isTensor ? output.type : 'no tensor';
    };
    const numbersOf = (name: string) => numbersIn(results[name] as Tensor);
    return {
      shapes: read(probes.shapes, numbersOf),
      types: read(probes.types, typeOf),
      values: read(probes.values, numbersOf),
    };
  }

  release(): Promise<void> {
    return this.session.release();
  }
}

/** Loads a model with probes in it, and lets go of it when `work` is done. */
export async function withProbedModel<T>(
  model: Model,
  name: string,
  questions: Questions,
  work: (probed: ProbedModel) => Promise<T>,
): Promise<T> {
  const probed = await ProbedModel.load(model, name, questions);
  try {
    return await work(probed);
  } finally {
    await probed.release();
  }
}

/** The same for a single size. */
export async function measure(
  model: Model,
  size: Size,
  name: string,
  { signal, ...questions }: Questions & { readonly signal?: AbortSignal | undefined } = {},
): Promise<Measurement> {
  throwIfAborted(signal);
  return withProbedModel(model, name, questions, (probed) => probed.at(size, signal));
}
