import { create } from '@bufbuild/protobuf';
import {
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  TensorShapeProtoSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  ValueInfoProtoSchema,
} from 'onnx-buf';
import type { Tensor } from 'onnxruntime-common';
import { TlscError, throwIfAborted } from '../errors.js';
import { InferenceSession } from '../session/inference-session.js';
import { type Size, showSize } from '../size.js';
import { encodeModel, type Model } from './model.js';
import { DataType, labelOf, makeNode, type NodeProto, shallowCopy, type ValueInfoProto } from './proto.js';
import { trialFeeds } from './trial-feeds.js';

/** The shape that each value of the main graph has when the model sees an image of some size. */
export type Shapes = ReadonlyMap<string, readonly number[]>;

/** The element type ('float32', …) of the values that were asked about. */
export type ElementTypes = ReadonlyMap<string, string>;

/** What these compute is not a tensor, or not one for certain. */
const withoutShape = new Set([
  'SequenceConstruct',
  'SequenceEmpty',
  'SequenceInsert',
  'SequenceErase',
  'SplitToSequence',
  'SequenceMap',
  'Optional',
  'If',
  'Loop',
  'Scan',
]);

/** A prefix that no name in the model begins with. */
function freePrefix(names: readonly string[], wanted: string): string {
  let prefix = wanted;
  while (names.some((name) => name.startsWith(prefix))) prefix = `tlsc_${prefix}`;
  return prefix;
}

/** The numbers in the integer values that were asked about. */
export type Values = ReadonlyMap<string, readonly number[]>;

/** Nodes that hand out what is asked about, by the value that it is asked of. */
interface Probes {
  readonly shapes: ReadonlyMap<string, NodeProto>;
  readonly values: ReadonlyMap<string, NodeProto>;
}

/** A Shape node for each value of the main graph, and an Identity node for each of `valued`. */
function probesOf(model: Model, valued: readonly string[]): Probes {
  const computed = model.graph.node
    .filter((node) => !withoutShape.has(node.opType))
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

function int64Output(name: string): ValueInfoProto {
  const value = create(TypeProto_TensorSchema, {
    elemType: DataType.INT64,
    shape: create(TensorShapeProtoSchema, { dim: [{ value: { case: undefined } }] }),
  });
  return create(ValueInfoProtoSchema, {
    name,
    type: create(TypeProtoSchema, { value: { case: 'tensorType', value } }),
  });
}

function outputOf(probe: NodeProto): string {
  return probe.output[0] ?? '';
}

/** The values of `typed` become outputs as well, never computed: ONNX Runtime says of what type its outputs are. */
function withProbes(model: Model, { shapes, values }: Probes, typed: readonly string[]): Uint8Array {
  const graph = shallowCopy(GraphProtoSchema, model.graph);
  graph.node = [...model.graph.node.map(named), ...shapes.values(), ...values.values()];
  const untyped = [...typed, ...[...values.values()].map(outputOf)];
  graph.output = [
    ...[...shapes.values()].map((probe) => int64Output(outputOf(probe))),
    ...untyped.map((name) => create(ValueInfoProtoSchema, { name })),
  ];
  const probed = shallowCopy(ModelProtoSchema, model);
  probed.graph = graph;
  return encodeModel(probed);
}

export interface MeasureOptions {
  readonly typed?: readonly string[];
  /** Of integer values. */
  readonly valued?: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs the model once on a blank image of the given size and notes every shape, the element types of `typed` and what is in `valued`;
 * ONNX Runtime is the one that knows them. Throws ERR_TRAIN_SIZE when the model cannot run at that size, and what `trialFeeds` does.
 */
export async function measure(
  model: Model,
  size: Size,
  name: string,
  { typed = [], valued = [], signal }: MeasureOptions = {},
): Promise<{ shapes: Shapes; types: ElementTypes; values: Values }> {
  throwIfAborted(signal);
  const probes = probesOf(model, valued);
  // Portable: a model that tlsc has converted before is measured like any other.
  const session = await InferenceSession.create(withProbes(model, probes, typed), {
    operators: 'portable',
    graphOptimizationLevel: 'disabled',
    externalDataFolder: model.externalDataFolder,
    logSeverityLevel: 4, // What goes wrong is thrown below, with the size that it went wrong at.
  });
  try {
    const fetches = [...probes.shapes.values(), ...probes.values.values()].map(outputOf);
    const feeds = await trialFeeds(model, size, name);
    const results = await session.run(feeds, fetches, signal ? { signal } : {});
    const read = (asked: ReadonlyMap<string, NodeProto>) =>
      new Map(
        [...asked].map(([value, probe]) => {
          const { data } = results[outputOf(probe)] as Tensor;
          return [value, Array.from(data as BigInt64Array | Int32Array, Number)] as const;
        }),
      );
    const types = session.outputMetadata.map(
      (output) => [output.name, output.isTensor ? output.type : 'no tensor'] as const,
    );
    return { shapes: read(probes.shapes), types: new Map(types), values: read(probes.values) };
  } catch (cause) {
    if (!(cause instanceof TlscError) || cause.code !== 'ERR_RUN_FAILED') throw cause;
    const message = `${name} cannot run at ${showSize(size)}: ${cause.message}`;
    throw new TlscError('ERR_TRAIN_SIZE', message, {
      parameter: 'trainSize',
      received: showSize(size),
      cause,
    });
  } finally {
    await session.release();
  }
}
