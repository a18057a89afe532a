// How ONNX Runtime is to load graphs of ten thousands of nodes.
import type { SessionOptions } from './options.js';

/**
 * From so many nodes on. In sequence ONNX Runtime plans which values share memory, in time that grows with the square of the number of
 * values whose shapes it cannot tell ahead: MAXIM of any size, 40,000 nodes, took 140 to 270 s to load, and 32 s in parallel mode.
 */
const manyNodes = 5_000;

/** Whether a graph has so many nodes that loading it anew, or running it for a look, is to be avoided. */
export function hasManyNodes(nodes: number): boolean {
  return nodes >= manyNodes;
}

/** The mode for a session that is opened to look at a model. */
export function modeFor(
  nodes: number,
): Pick<SessionOptions, 'executionMode' | 'interOpNumThreads' | 'intraOpNumThreads'> {
  if (!hasManyNodes(nodes)) return {};
  // With one thread ONNX Runtime falls back to the other mode. So many operators are small ones: threads within them cost more than they give.
  return { executionMode: 'parallel', interOpNumThreads: 2, intraOpNumThreads: 1 };
}
