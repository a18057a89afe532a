import type { Rule } from '../rewrite/rule.js';
import { localAveragePool } from './local-average-pool.js';
import { localGroupNormalization } from './local-group-normalization.js';
import { localInstanceNormalization } from './local-instance-normalization.js';
import { otherReductions } from './other-reductions.js';
import { planeNormalization } from './plane-normalization.js';
import { transposedAttention } from './transposed-attention.js';
import { unsupportedStatistics } from './unsupported-statistics.js';
import { writtenInstanceNormalization } from './written-instance-normalization.js';

/** Every rule. The first that has an answer for a node that it recognises answers for it. */
export const rules: readonly Rule[] = [
  writtenInstanceNormalization,
  localAveragePool,
  localGroupNormalization,
  localInstanceNormalization,
  planeNormalization,
  transposedAttention,
  unsupportedStatistics,
  otherReductions,
];
