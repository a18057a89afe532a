import { type GraphProto, type NodeProto, subgraphsOf } from './proto.js';

/** Every value that a node reads, those that its subgraphs take from outside included. */
export function readsOf(node: NodeProto): string[] {
  return [...node.input, ...subgraphsOf(node).flatMap(readsFromOutside)];
}

function readsFromOutside({ input, initializer, node, output }: GraphProto): string[] {
  const own = new Set([...input, ...initializer].map(({ name }) => name));
  for (const name of node.flatMap((one) => one.output)) own.add(name);
  return [...node.flatMap(readsOf), ...output.map(({ name }) => name)].filter((name) => !own.has(name));
}

/** Which node computes a value and which read it, kept up to date edit by edit: models have thousands of nodes. */
export class Edges {
  readonly #producers = new Map<string, NodeProto>();
  readonly #consumers = new Map<string, Set<NodeProto>>();

  constructor(nodes: readonly NodeProto[]) {
    for (const node of nodes) this.add(node);
  }

  producer(value: string): NodeProto | undefined {
    return this.#producers.get(value);
  }

  /** The nodes that read the value, each once. */
  consumers(value: string): readonly NodeProto[] {
    return [...(this.#consumers.get(value) ?? [])];
  }

  add(node: NodeProto): void {
    for (const value of node.output) this.#producers.set(value, node);
    for (const value of readsOf(node)) {
      const readers = this.#consumers.get(value);
      if (readers) readers.add(node);
      else this.#consumers.set(value, new Set([node]));
    }
  }

  remove(node: NodeProto): void {
    for (const value of node.output) this.#producers.delete(value);
    for (const value of readsOf(node)) this.#consumers.get(value)?.delete(node);
  }
}
