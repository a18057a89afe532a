import { create } from '@bufbuild/protobuf';
import { GraphProtoSchema, ModelProtoSchema, ValueInfoProtoSchema } from 'onnx-buf';
import { TlscError } from '../errors.js';
import { InferenceSession } from '../session/inference-session.js';
import { encodeModel, type Model } from './model.js';
import { shallowCopy } from './proto.js';

/**
 * The ranks that values of the main graph have whatever the model is fed, as far as ONNX Runtime can tell without running it; a rank
 * of 0 it does not tell from an unknown one. None where it does not load the model.
 */
export async function ranksOf(model: Model, values: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const probed = shallowCopy(ModelProtoSchema, model);
  probed.graph = shallowCopy(GraphProtoSchema, model.graph);
  probed.graph.output = values.map((name) => create(ValueInfoProtoSchema, { name }));
  try {
    const session = await InferenceSession.create(encodeModel(probed), {
      operators: 'portable',
      graphOptimizationLevel: 'disabled',
      externalDataFolder: model.externalDataFolder,
      logSeverityLevel: 4,
    });
    const outputs = session.outputMetadata;
    await session.release();
    const ranks = outputs.map((one) => [one.name, one.isTensor ? one.shape.length : 0] as const);
    return new Map(ranks.filter(([, rank]) => rank > 0));
  } catch (error) {
    if (error instanceof TlscError && error.code === 'ERR_INVALID_MODEL') return new Map();
    throw error;
  }
}
