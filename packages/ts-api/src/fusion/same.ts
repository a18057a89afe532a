import type { Graph } from '../graph/graph.js';
import { isOnnxDomain } from '../graph/proto.js';

/** As many steps as are compared; what takes more may differ. */
const mostSteps = 8;

/** Whether two values are computed alike of the same. */
export function isSame(graph: Graph, a: string, b: string, steps = mostSteps): boolean {
  if (a === b) return true;
  const [one, other] = [graph.constantIntegers(a), graph.constantIntegers(b)];
  if (one || other) return one?.join() === other?.join();
  const [first, second] = [graph.producer(a), graph.producer(b)];
  return (
    steps > 0 &&
    first?.output.length === 1 &&
    first.opType === second?.opType &&
    [first, second].every(({ domain, attribute }) => isOnnxDomain(domain) && attribute.length === 0) &&
    first.input.length === second.input.length &&
    first.input.every((input, i) => isSame(graph, input, second.input[i] ?? '', steps - 1))
  );
}
