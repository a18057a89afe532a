import { create } from '@bufbuild/protobuf';
import {
  GraphProtoSchema,
  ModelProtoSchema,
  TensorShapeProtoSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  ValueInfoProtoSchema,
} from 'onnx-buf';
import { Tensor } from 'onnxruntime-common';
import { TlscError, throwIfAborted } from '../errors.js';
import { InferenceSession } from '../session/inference-session.js';
import { type Size, showSize } from '../size.js';
import { encodeModel, type Model } from './model.js';
import { DataType, makeNode, type NodeProto, shallowCopy, type ValueInfoProto } from './proto.js';

/** The shape that each value of the main graph has when the model sees an image of some size. */
export type Shapes = ReadonlyMap<string, readonly number[]>;

const probePrefix = 'tlsc_shape_of_';
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

function probesOf(model: Model): NodeProto[] {
  const computed = model.graph.node
    .filter((node) => !withoutShape.has(node.opType))
    .flatMap((node) => node.output);
  const values = [...model.graph.input.map(({ name }) => name), ...computed].filter((name) => name !== '');
  return values.map((name) => makeNode('Shape', [name], [probePrefix + name]));
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

function withProbes(model: Model, probes: readonly NodeProto[]): Uint8Array {
  const graph = shallowCopy(GraphProtoSchema, model.graph);
  graph.node = [...model.graph.node, ...probes];
  graph.output = probes.map(({ output }) => int64Output(output[0] ?? ''));
  const probed = shallowCopy(ModelProtoSchema, model);
  probed.graph = graph;
  return encodeModel(probed);
}

/** An image of zeros for the model's one input: N×C×H×W, batch 1 where it is free. */
export function blankImage(session: InferenceSession, size: Size, name: string): Record<string, Tensor> {
  const [input, ...others] = session.inputMetadata;
  if (!input?.isTensor || others.length > 0 || input.shape.length !== 4) {
    throw new TlscError(
      'ERR_UNSUPPORTED_MODEL',
      `${name} must have one input, an image N×C×H×W; it has ${session.inputNames.join(', ')}`,
    );
  }
  if (input.type !== 'float32') {
    throw new TlscError(
      'ERR_UNSUPPORTED_MODEL',
      `${name} takes ${input.type} images; only float32 models can be converted so far`,
    );
  }
  const [batch, channels, ...plane] = input.shape;
  if (typeof channels !== 'number') {
    throw new TlscError(
      'ERR_UNSUPPORTED_MODEL',
      `input ${input.name} of ${name} does not say how many channels it has`,
    );
  }
  if (plane.some((side, axis) => typeof side === 'number' && side !== size[axis])) {
    throw new TlscError(
      'ERR_UNSUPPORTED_MODEL',
      `${name} only takes images of ${showSize(plane as number[])}; export it with dynamic height and width`,
    );
  }
  const dims = [typeof batch === 'number' ? batch : 1, channels, ...size];
  const data = new Float32Array(dims.reduce((product, side) => product * side, 1));
  return { [input.name]: new Tensor('float32', data, dims) };
}

/**
 * Runs the model once on a blank image of the given size and notes every shape; ONNX Runtime is the one that knows them.
 * Throws ERR_TRAIN_SIZE when the model cannot run at that size.
 */
export async function measureShapes(
  model: Model,
  size: Size,
  name: string,
  signal?: AbortSignal,
): Promise<Shapes> {
  throwIfAborted(signal);
  const probes = probesOf(model);
  // Portable: a model that tlsc has converted before is measured like any other.
  const session = await InferenceSession.create(withProbes(model, probes), {
    operators: 'portable',
    graphOptimizationLevel: 'disabled',
    logSeverityLevel: 4, // What goes wrong is thrown below, with the size that it went wrong at.
  });
  try {
    const results = await session.run(blankImage(session, size, name), signal ? { signal } : {});
    return new Map(
      Object.entries(results).map(([probe, { data }]) => [
        probe.slice(probePrefix.length),
        Array.from(data as BigInt64Array, Number),
      ]),
    );
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
