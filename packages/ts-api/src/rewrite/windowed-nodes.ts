import type { Graph } from '../graph/graph.js';
import type { NodeProto } from '../graph/proto.js';

/** The nodes that make windows, or work on windows, that a conversion has cut: what is a statistic of these is local. */
export function windowedNodes(graph: Graph): ReadonlySet<NodeProto> {
  const nodes = new Set(graph.nodes.filter(({ opType }) => opType === 'LocalWindowPartition'));
  for (const { output } of nodes)
    for (const reader of output.flatMap((value) => graph.consumers(value)))
      if (reader.opType !== 'LocalWindowMerge') nodes.add(reader);
  return nodes;
}
