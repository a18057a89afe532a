import { create } from '@bufbuild/protobuf';
import { GraphProtoSchema, ModelProtoSchema, NodeProtoSchema, ValueInfoProtoSchema } from 'onnx-buf';
import type { Tensor } from 'onnxruntime-common';
import { type ErrorCode, TlscError, throwIfAborted } from '../errors.js';
import { widenFloat16, withoutFloat16Array } from '../session/float16.js';
import { InferenceSession } from '../session/inference-session.js';
import { type Size, showSize } from '../size.js';
import { imageInputsOf } from './inputs.js';
import { encodeModel, type Model } from './model.js';
import { DataType, labelOf, makeNode, makeTensorInfo, type NodeProto, shallowCopy } from './proto.js';
import { trialFeeds } from './trial-feeds.js';
import { firstThatRuns, isRunFailure, type TrialValues, trialValuesOf } from './trial-values.js';

/** The shape that each value of the main graph has when the model sees an image of some size. */
export type Shapes = ReadonlyMap<string, readonly number[]>;

/** The element type ('float32', …) of the values that were asked about. */
export type ElementTypes = ReadonlyMap<string, string>;

/** What these compute is no tensor. */
const withoutShape: readonly string[] = [
  'SequenceConstruct',
  'SequenceEmpty',
  'SequenceInsert',
  'SequenceErase',
  'SplitToSequence',
  'SequenceMap',
  'Optional',
];

/** What these compute is no tensor for certain. */
const controlFlow: readonly string[] = ['If', 'Loop', 'Scan'];

/** A prefix that no name in the model begins with. */
function freePrefix(names: readonly string[], wanted: string): string {
  let prefix = wanted;
  while (names.some((name) => name.startsWith(prefix))) prefix = `tlsc_${prefix}`;
  return prefix;
}

/** The numbers in the values that were asked about. */
export type Values = ReadonlyMap<string, readonly number[]>;

/** Nodes that hand out what is asked about, by the value that it is asked of. */
interface Probes {
  readonly shapes: ReadonlyMap<string, NodeProto>;
  readonly values: ReadonlyMap<string, NodeProto>;
}

/** A Shape node for each value of the main graph, and an Identity node for each of `valued`. */
function probesOf(model: Model, valued: readonly string[], but: readonly string[]): Probes {
  const computed = model.graph.node
    .filter((node) => !but.includes(node.opType))
    .flatMap((node) => node.output);
  const names = [...model.graph.input.map(({ name }) => name), ...computed].filter((name) => name !== '');
  const probe = (opType: string, asked: readonly string[], wanted: string) => {
    const prefix = freePrefix([...names, ...valued], wanted);
    return new Map(asked.map((name) => [name, makeNode(opType, [name], [prefix + name])]));
  };
  return {
    shapes: probe('Shape', names, 'tlsc_shape_of_'),
    values: probe('Identity', valued, 'tlsc_value_of_'),
  };
}

/** ONNX Runtime names the node that fails: each must have a name that messages can use. */
function named(node: NodeProto): NodeProto {
  if (node.name !== '') return node;
  const copy = shallowCopy(NodeProtoSchema, node);
  copy.name = labelOf(node);
  return copy;
}

function outputOf(probe: NodeProto): string {
  return probe.output[0] ?? '';
}

/**
 * The values of `typed` become outputs as well, never computed: ONNX Runtime says of what type its outputs are. It orders nodes by what
 * the last of those that nobody reads of needs, then the one before: with the probes of the first nodes last, each is asked as soon as
 * its value is there, and no value stays for longer than in a plain run.
 */
function withProbes(model: Model, { shapes, values }: Probes, typed: readonly string[]): Uint8Array {
  const graph = shallowCopy(GraphProtoSchema, model.graph);
  graph.node = [...model.graph.node.map(named), ...[...shapes.values(), ...values.values()].reverse()];
  const untyped = [...typed, ...[...values.values()].map(outputOf)];
  graph.output = [
    ...[...shapes.values()].map((probe) => makeTensorInfo(outputOf(probe), DataType.INT64, [undefined])),
    ...untyped.map((name) => create(ValueInfoProtoSchema, { name })),
  ];
  const probed = shallowCopy(ModelProtoSchema, model);
  probed.graph = graph;
  return encodeModel(probed);
}

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
  const bits = withoutFloat16Array(data) as Uint16Array;
  const values = new Float32Array(bits.length);
  widenFloat16(bits, values, 0, bits.length);
  return [...values];
}

const cannotRun: readonly ErrorCode[] = ['ERR_TRAIN_SIZE', 'ERR_OUT_OF_MEMORY', 'ERR_UNSUPPORTED_MODEL'];

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
  ) {}

  static async load(
    model: Model,
    name: string,
    { typed = [], valued = [] }: Questions = {},
  ): Promise<ProbedModel> {
    const load = async (but: readonly string[]) => {
      const probes = probesOf(model, valued, but);
      // Portable: a model that tlsc has converted before is measured like any other.
      const session = await InferenceSession.create(withProbes(model, probes, typed), {
        operators: 'portable',
        graphOptimizationLevel: 'disabled',
        externalDataFolder: model.externalDataFolder,
        logSeverityLevel: 4, // What goes wrong is thrown below, with the size that it went wrong at.
      });
      return new ProbedModel(model, name, session, probes);
    };
    const mayHaveNone = model.graph.node.some(({ opType }) => controlFlow.includes(opType));
    if (!mayHaveNone) return load(withoutShape);
    return load(withoutShape).catch(() => load([...withoutShape, ...controlFlow]));
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

  /** The shapes for two images at once; undefined for a model that does not take two. */
  async forTwoImages(size: Size, signal?: AbortSignal): Promise<Shapes | undefined> {
    const isFree = imageInputsOf(this.model, size).some(({ shape: [batch] }) => typeof batch !== 'number');
    if (!isFree) return undefined;
    try {
      return (await this.#run(size, signal, 2)).shapes;
    } catch (error) {
      if (error instanceof TlscError && cannotRun.includes(error.code)) return undefined;
      throw error;
    }
  }

  async #run(size: Size, signal: AbortSignal | undefined, batch: number): Promise<Measurement> {
    const { model, name, session, probes } = this;
    const fetches = [...probes.shapes.values(), ...probes.values.values()].map(outputOf);
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
    const read = (asked: ReadonlyMap<string, NodeProto>) =>
      new Map(
        [...asked].map(([value, probe]) => {
          return [value, numbersIn(results[outputOf(probe)] as Tensor)] as const;
        }),
      );
    const types = session.outputMetadata.map(
      (output) => [output.name, output.isTensor ? output.type : 'no tensor'] as const,
    );
    return { shapes: read(probes.shapes), types: new Map(types), values: read(probes.values) };
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
