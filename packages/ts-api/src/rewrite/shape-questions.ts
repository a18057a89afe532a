import type { Graph } from '../graph/graph.js';
import type { NodeProto } from '../graph/proto.js';

/**
 * Whether all that is computed of the node's outputs ends as the shapes that `reshapes` reshape to. When these are dropped, so
 * is all that was computed for them, the node included.
 */
export function servesOnly(graph: Graph, node: NodeProto, reshapes: readonly NodeProto[]): boolean {
  const serving = new Set([node]);
  for (const { output } of serving) {
    for (const value of output) {
      const consumers = graph.consumers(value);
      if (consumers.length === 0 || graph.isOutput(value)) return false;
      for (const consumer of consumers) {
        const isEnd = reshapes.includes(consumer) && consumer.input[0] !== value;
        if (!isEnd) serving.add(consumer);
      }
    }
  }
  return true;
}
