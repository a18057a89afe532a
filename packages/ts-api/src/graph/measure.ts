import { create } from '@bufbuild/protobuf';
import {
  GraphProtoSchema,
  ModelProtoSchema,
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
import { DataType, makeNode, type NodeProto, shallowCopy, type ValueInfoProto } from './proto.js';
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
function freePrefix(names: readonly string[]): string {
  let prefix = 'tlsc_shape_of_';
  while (names.some((name) => name.startsWith(prefix))) prefix = `tlsc_${prefix}`;
  return prefix;
}

/** A Shape node for each value of the main graph, by the value's name. */
function probesOf(model: Model): Map<string, NodeProto> {
  const computed = model.graph.node
    .filter((node) => !withoutShape.has(node.opType))
    .flatMap((node) => node.output);
  const values = [...model.graph.input.map(({ name }) => name), ...computed].filter((name) => name !== '');
  const prefix = freePrefix(values);
  return new Map(values.map((name) => [name, makeNode('Shape', [name], [prefix + name])]));
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
function withProbes(model: Model, probes: readonly NodeProto[], typed: readonly string[]): Uint8Array {
  const graph = shallowCopy(GraphProtoSchema, model.graph);
  graph.node = [...model.graph.node, ...probes];
  graph.output = [
    ...probes.map((probe) => int64Output(outputOf(probe))),
    ...typed.map((name) => create(ValueInfoProtoSchema, { name })),
  ];
  const probed = shallowCopy(ModelProtoSchema, model);
  probed.graph = graph;
  return encodeModel(probed);
}

/**
 * Runs the model once on a blank image of the given size and notes every shape, and the element types of `typed`; ONNX Runtime is
 * the one that knows them. Throws ERR_TRAIN_SIZE when the model cannot run at that size, and what `trialFeeds` does.
 */
export async function measure(
  model: Model,
  size: Size,
  name: string,
  { typed = [], signal }: { typed?: readonly string[]; signal?: AbortSignal | undefined } = {},
): Promise<{ shapes: Shapes; types: ElementTypes }> {
  throwIfAborted(signal);
  const probes = probesOf(model);
  // Portable: a model that tlsc has converted before is measured like any other.
  const session = await InferenceSession.create(withProbes(model, [...probes.values()], typed), {
    operators: 'portable',
    graphOptimizationLevel: 'disabled',
    externalDataFolder: model.externalDataFolder,
    logSeverityLevel: 4, // What goes wrong is thrown below, with the size that it went wrong at.
  });
  try {
    const fetches = [...probes.values()].map(outputOf);
    const feeds = await trialFeeds(model, size, name);
    const results = await session.run(feeds, fetches, signal ? { signal } : {});
    const shapes = [...probes].map(([value, probe]) => {
      const { data } = results[outputOf(probe)] as Tensor;
      return [value, Array.from(data as BigInt64Array, Number)] as const;
    });
    const types = session.outputMetadata.map(
      (output) => [output.name, output.isTensor ? output.type : 'no tensor'] as const,
    );
    return { shapes: new Map(shapes), types: new Map(types) };
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
