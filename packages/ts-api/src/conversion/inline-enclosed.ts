// Statistics inside the model's own functions, and in branches that are always taken, are brought to where rules can edit.

import { Graph } from '../graph/graph.js';
import { inlineConstantBranches } from '../graph/inline-branches.js';
import { inlineFunctions, refuseOpsetConflicts } from '../graph/inline-functions.js';
import type { Model } from '../graph/model.js';
import { allOf } from '../graph/proto.js';
import { candidatesIn, graphsAround } from './analysis.js';

/**
 * The model with all calls of its own functions inlined, and the taken branch of every `If` that always takes the same one, where
 * that brings to light a node that some rule recognises; else the model as it is. All of them, not only those around the
 * statistic: what a rule follows goes through functions that hold none. The given model is left alone.
 *
 * Throws ERR_INVALID_MODEL for functions that call themselves, ERR_UNSUPPORTED_MODEL for functions that are written in another opset
 * than the model.
 */
export async function inlineEnclosed(model: Model, name: string): Promise<Model> {
  if (model.functions.length === 0 && !model.graph.node.some(({ opType }) => opType === 'If')) return model;
  const inlined = inlineFunctions(model, name);
  await inlineConstantBranches(inlined);
  const known = new Set(allOf(model.graph.node));
  const graph = new Graph(inlined.graph, inlined.externalDataFolder);
  // What a function or branch computes that is not asked for here.
  for (const node of [...graph.nodes].reverse()) if (!known.has(node)) graph.removeIfUnused(node);
  const found = graphsAround(inlined).flatMap(candidatesIn);
  if (found.every(({ node }) => known.has(node))) return model;
  refuseOpsetConflicts(model, name);
  return inlined;
}
