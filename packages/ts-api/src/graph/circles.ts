import { Edges, readsOf } from './edges.js';
import type { NodeProto } from './proto.js';

/** A node that reads, through others, what it computes itself; undefined where there is none, as it must be. */
export function findCircle(nodes: readonly NodeProto[]): NodeProto | undefined {
  const outputs = nodes.flatMap(({ output }) => output).filter((name) => name !== '');
  // Of a name that two nodes give, ONNX Runtime tells more.
  if (new Set(outputs).size < outputs.length) return undefined;
  const edges = new Edges(nodes);
  const above = new Map(
    nodes.map((node) => {
      const producers = readsOf(node).map((value) => edges.producer(value));
      return [node, new Set(producers.filter((one) => one !== undefined))] as const;
    }),
  );
  // Nodes that read nothing that is still to be computed are done, over and over: what is left reads of circles.
  const left = new Map([...above].map(([node, producers]) => [node, producers.size]));
  const done = nodes.filter((node) => left.get(node) === 0);
  for (const node of done) {
    left.delete(node);
    for (const reader of new Set(node.output.flatMap((value) => edges.consumers(value)))) {
      if (!above.get(reader)?.has(node)) continue;
      const count = (left.get(reader) ?? 0) - 1;
      left.set(reader, count);
      if (count === 0) done.push(reader);
    }
  }
  const passed = new Set<NodeProto>();
  let [node] = left.keys();
  while (node && !passed.has(node)) {
    passed.add(node);
    node = [...(above.get(node) ?? [])].find((one) => left.has(one));
  }
  return node;
}
