import { isOnnxDomain } from '../graph/proto.js';
import { findFirstReduction, findFlattening } from '../rewrite/pooled-image.js';
import type { Rule } from '../rewrite/rule.js';
import { localizeMean } from './local-average-pool.js';

const before = new Set(['Flatten', 'ReduceMean', 'Reshape']);

/** ReduceMean of planes that were laid in rows, and over one side of planes after the other. */
export const localAveragePoolInSteps: Rule = {
  name: 'local-average-pool-in-steps',
  seeks: 'ReduceMean of planes laid in rows, and over one side after the other',
  needsShapes: true,

  recognizes(graph, node) {
    if (!isOnnxDomain(node.domain) || node.opType !== 'ReduceMean') return false;
    const step = graph.producer(node.input[0] ?? '');
    return before.has(step?.opType ?? '');
  },

  check(context, node) {
    const { graph } = context;
    const first = findFirstReduction(context, node);
    const step = first ?? findFlattening(context, node);
    const answer = step && localizeMean(context, node, step.input[0] ?? '');
    const isOwn = first?.output.every(
      (value) => graph.consumers(value).length === 1 && !graph.isOutput(value),
    );
    return first && answer && isOwn ? { ...answer, covers: new Set([first]) } : answer;
  },
};
