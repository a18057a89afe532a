import type { FunctionProto } from '../graph/proto.js';
import type { BodyOptions } from './body.js';
import {
  channelLayerNormalizationFunction,
  channelVarianceNormalizationFunction,
} from './channel-normalization.js';
import {
  depthwiseConvFunction,
  depthwiseConvGateFunction,
  depthwiseConvGeluGateFunction,
} from './depthwise-conv.js';
import { localAveragePoolFunction } from './local-average-pool.js';
import { localGroupNormalizationFunction } from './local-group-normalization.js';
import { localInstanceNormalizationFunction } from './local-instance-normalization.js';
import { normalizationLeakyReluFunctions } from './local-instance-normalization-leaky-relu.js';
import { localVarianceFunction } from './local-variance.js';
import { localWindowMergeFunction, localWindowPartitionFunction } from './local-windows.js';
import { pointwiseFunctions } from './pointwise-conv.js';
import { replicateScaleFunction } from './replicate-scale.js';
import { transposedAttentionFunctions } from './transposed-attention.js';

/** The portable body of each operator that the rules put in place, written for the model that it goes into. */
export const functions: Readonly<Record<string, (options: BodyOptions) => FunctionProto>> = {
  ChannelLayerNormalization: channelLayerNormalizationFunction,
  ChannelVarianceNormalization: channelVarianceNormalizationFunction,
  DepthwiseConv: depthwiseConvFunction,
  DepthwiseConvGate: depthwiseConvGateFunction,
  DepthwiseConvGeluGate: depthwiseConvGeluGateFunction,
  LocalAveragePool: localAveragePoolFunction,
  LocalGroupNormalization: localGroupNormalizationFunction,
  LocalInstanceNormalization: localInstanceNormalizationFunction,
  ...normalizationLeakyReluFunctions,
  ...transposedAttentionFunctions,
  LocalVariance: localVarianceFunction,
  LocalWindowMerge: localWindowMergeFunction,
  LocalWindowPartition: localWindowPartitionFunction,
  ...pointwiseFunctions,
  ReplicateScale: replicateScaleFunction,
};
