import type { FunctionProto } from '../graph/proto.js';
import { localAveragePoolFunction } from './local-average-pool.js';
import { localInstanceNormalizationFunction } from './local-instance-normalization.js';
import { replicateScaleFunction } from './replicate-scale.js';

/** The portable body of each operator that the rules put in place, written for a model of the given opset. */
export const functions: Readonly<Record<string, (opset: number) => FunctionProto>> = {
  LocalAveragePool: localAveragePoolFunction,
  LocalInstanceNormalization: localInstanceNormalizationFunction,
  ReplicateScale: replicateScaleFunction,
};
