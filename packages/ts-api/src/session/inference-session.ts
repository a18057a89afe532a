import type { NativeLocation, NativeSession, NativeValueInfo } from '@tlsc/core-native';
import type { InferenceSession as OrtInferenceSession, Tensor } from 'onnxruntime-common';
import { onAbort } from '../abort.js';
import { aborted, fromNative, invalidArgument, type TlscError, throwIfAborted } from '../errors.js';
import { checkOptions, checkSignal, wholeNumber } from '../options.js';
import { type Feeds, toNativeInputs } from './feeds.js';
import { fromOutput, locateOutputs, type OutputLocations, toPinnedTensor } from './locations.js';
import { type OpenedSession, openSession } from './open.js';
import { type SessionOptions, toSettings } from './options.js';
import { isOutOfMemory, outOfMemory } from './out-of-memory.js';

export interface RunOptions {
  /** Stops the run after the operator it is in; the promise rejects with ERR_ABORTED. */
  readonly signal?: AbortSignal;
  /**
   * The most bytes of memory that the run may take at once for what it computes, its inputs left out; beyond that it rejects with
   * ERR_OUT_OF_MEMORY. Of use on the CPU alone, in the mode 'sequential'. Default: no limit but the machine's.
   */
  readonly memory?: number | undefined;
}

const [isMemory, memories] = wholeNumber(1, Number.MAX_SAFE_INTEGER);

/** The outputs to compute: their names, or an object that has them as keys, as in onnxruntime. */
export type Fetches = readonly string[] | Readonly<Record<string, null>>;

/** Output tensors by name. */
export type Outputs = Record<string, Tensor>;

const peaks = new WeakMap<Outputs, number>();

/** The most bytes that the run which made these outputs took at once, its inputs left out; undefined where that is not known, as on a card. */
export function peakOf(outputs: Outputs): number | undefined {
  return peaks.get(outputs);
}

export type ValueMetadata = OrtInferenceSession.ValueMetadata;

/**
 * A loaded model. The words, and the `Tensor` class, are those of onnxruntime, so that code moves over by changing an
 * import. Unlike onnxruntime-node's session it runs off the event loop's thread, knows the local operators and can be
 * aborted. Runs may overlap.
 */
export class InferenceSession {
  readonly inputNames: readonly string[];
  /** Of inputs that have a value in the model, which may be fed or not. */
  readonly optionalInputNames: readonly string[];
  readonly outputNames: readonly string[];
  readonly inputMetadata: readonly ValueMetadata[];
  readonly outputMetadata: readonly ValueMetadata[];
  /** The model's custom metadata. */
  readonly modelMetadata: Readonly<Record<string, string>>;
  /** Version of the ONNX Runtime that runs the model. */
  readonly runtimeVersion: string;
  /** Names of the execution providers that run it, those of the options that could be had. */
  readonly executionProviders: readonly string[];
  /** Whether the local operators run as tlsc's kernels or as function bodies of the model. */
  readonly operators: 'native' | 'portable';
  /** What was asked for, or is better, and could not be had, with the reason: ERR_PROVIDER_UNAVAILABLE, ERR_OPERATORS_NOT_FOUND. */
  readonly warnings: readonly TlscError[];
  readonly #native: NativeSession;
  readonly #locations: ReadonlyMap<string, NativeLocation>;

  private constructor({ native, providers, operators, warnings }: OpenedSession, outputs: OutputLocations) {
    this.#locations = locateOutputs(native, outputs);
    this.#native = native;
    this.executionProviders = providers.map(({ name }) => name);
    this.operators = operators;
    this.warnings = warnings;
    this.inputNames = native.inputs.map(({ name }) => name);
    this.optionalInputNames = native.optionalInputs.map(({ name }) => name);
    this.outputNames = native.outputs.map(({ name }) => name);
    this.inputMetadata = native.inputs.map(toMetadata);
    this.outputMetadata = native.outputs.map(toMetadata);
    this.modelMetadata = native.metadata;
    this.runtimeVersion = native.runtimeVersion;
  }

  /**
   * Loads a model from a path, or from its bytes. Rejects with ERR_MODEL_NOT_FOUND,
   * ERR_INVALID_MODEL, ERR_UNSUPPORTED_MODEL, ERR_OPERATORS_NOT_FOUND, ERR_RUNTIME_NOT_FOUND, ERR_PROVIDER_UNAVAILABLE,
   * ERR_OUT_OF_MEMORY, ERR_ABORTED or ERR_INVALID_ARGUMENT.
   */
  static async create(
    model: string | Uint8Array | ArrayBufferLike,
    options: SessionOptions = {},
  ): Promise<InferenceSession> {
    const source = typeof model === 'string' || model instanceof Uint8Array ? model : toBytes(model);
    try {
      const settings = toSettings(options);
      const opened = await openSession(source, settings, options.signal);
      try {
        return new InferenceSession(opened, settings.outputLocations);
      } catch (error) {
        await opened.native.release();
        throw error;
      }
    } catch (error) {
      throw fromNative(error, typeof model === 'string' ? model : undefined);
    }
  }

  /**
   * Runs the model. Inputs are copied, the first MiB at once, the rest in as many turns of the event loop as it takes: until the
   * promise settles they must not change. Outputs lie where `preferredOutputLocation` says. Rejects with ERR_INPUT_MISMATCH (which
   * names the input), ERR_ABORTED, ERR_RUN_FAILED, ERR_OUT_OF_MEMORY, ERR_SESSION_RELEASED, or ERR_INVALID_ARGUMENT, also where an input was
   * transferred to another thread, or its buffer made smaller, before it was copied.
   */
  run(feeds: Feeds, options?: RunOptions): Promise<Outputs>;
  run(feeds: Feeds, fetches: Fetches, options?: RunOptions): Promise<Outputs>;
  async run(feeds: Feeds, second: Fetches | RunOptions = {}, third?: RunOptions): Promise<Outputs> {
    const [names, options] = this.#isFetches(second)
      ? [this.#fetchNames(second), third ?? {}]
      : [this.outputNames, second as RunOptions];
    checkOptions(options, { signal: true, memory: true });
    const { signal, memory } = options;
    checkSignal(signal);
    if (memory !== undefined && !isMemory(memory)) throw invalidArgument('memory', memories, memory);
    throwIfAborted(signal);
    const inputs = toNativeInputs(this.#native.inputs, this.#native.optionalInputs, feeds);
    const { tensors, peak } = await this.#runNative(inputs, names, options);
    const outputs = Object.fromEntries(names.map((name, i) => [name, tensors[i] as Tensor]));
    if (peak > 0) peaks.set(outputs, peak);
    return outputs;
  }

  async #runNative(
    inputs: ReturnType<typeof toNativeInputs>,
    names: readonly string[],
    { signal, memory }: RunOptions,
  ) {
    let stopListening = () => {};
    try {
      const requests = names.map((name) => ({ name, location: this.#locations.get(name) ?? 'cpu' }));
      const run = this.#native.run(inputs, requests, memory);
      stopListening = onAbort(signal, run.cancel);
      const outputs = await run.outputs;
      const tensors = outputs.map((output, i) => fromOutput(output, requests[i]?.location ?? 'cpu'));
      return { tensors, peak: run.peak() };
    } catch (error) {
      if (signal?.aborted) throw aborted(signal);
      throw isOutOfMemory(error) ? outOfMemory(error, inputs, memory) : fromNative(error);
    } finally {
      stopListening();
    }
  }

  #isFetches(value: Fetches | RunOptions): value is Fetches {
    if (Array.isArray(value)) return true;
    return (
      typeof value === 'object' &&
      value !== null &&
      this.outputNames.some((name) => Object.hasOwn(value, name))
    );
  }

  #fetchNames(fetches: Fetches): readonly string[] {
    const names = Array.isArray(fetches) ? (fetches as readonly string[]) : Object.keys(fetches);
    const known = new Set(this.outputNames);
    for (const name of names) {
      if (known.has(name)) continue;
      throw invalidArgument('fetches', `of the model's outputs (${this.outputNames.join(', ')})`, name);
    }
    if (names.length === 0) throw invalidArgument('fetches', 'at least one output', '[]');
    return [...new Set(names)];
  }

  /**
   * A tensor in memory that cards copy from fastest ('cpu-pinned'), its values whatever they are: fill `data` and feed it, run
   * after run. On the CPU it is ordinary memory. Rejects with ERR_INVALID_ARGUMENT, ERR_OUT_OF_MEMORY or ERR_SESSION_RELEASED.
   */
  async allocate(type: Exclude<Tensor.Type, 'string'>, dims: readonly number[]): Promise<Tensor> {
    if (!Array.isArray(dims)) throw invalidArgument('dims', 'a list of sizes', dims);
    try {
      return toPinnedTensor(await this.#native.allocate(type, dims));
    } catch (error) {
      throw fromNative(error);
    }
  }

  /** As in onnxruntime: profiling begins with the session, this is here for code that calls it. */
  startProfiling(): void {}

  /** Ends profiling and returns the path of the profile; '' when the session was made without `enableProfiling`. */
  endProfiling(): string {
    try {
      return this.#native.endProfiling();
    } catch (error) {
      throw fromNative(error);
    }
  }

  /** Gives back what runs have left for another one of the same size. */
  trim(): void {
    try {
      this.#native.trim();
    } catch (error) {
      throw fromNative(error);
    }
  }

  /**
   * Frees the model and what its runs have left allocated; resolves when that is done. Runs under way end first. Calling it again
   * does nothing; without it, collection frees the model.
   */
  async release(): Promise<void> {
    await this.#native.release();
  }
}

function toBytes(buffer: unknown): Uint8Array {
  if (buffer instanceof ArrayBuffer || buffer instanceof SharedArrayBuffer) return new Uint8Array(buffer);
  throw invalidArgument('model', 'a path, a Uint8Array or an ArrayBuffer', buffer);
}

function toMetadata({ name, isTensor, type, shape }: NativeValueInfo): ValueMetadata {
  return isTensor ? { name, isTensor, type: type as Tensor.Type, shape } : { name, isTensor };
}
