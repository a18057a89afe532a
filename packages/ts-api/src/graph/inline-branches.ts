// Exporters leave behind If nodes whose condition is the same at every run: a flag that was set for inference, or a question for
// the rank of a tensor (the functions of PyTorch's dynamo exporter ask whether they were given scalars).
import { ConstantConditions } from './constant-conditions.js';
import { Graph } from './graph.js';
import type { Model } from './model.js';
import { attributeOf, type GraphProto, isOnnxDomain, makeNode, type NodeProto } from './proto.js';
import { ranksOf } from './ranks.js';
import { GraphNames, Scope } from './renaming.js';

interface Decided {
  readonly node: NodeProto;
  /** The branch that it takes. */
  readonly branch: GraphProto;
}

async function findDecided(model: Model, graph: Graph): Promise<Decided[]> {
  const nodes = graph.nodes.filter(({ opType, domain }) => opType === 'If' && isOnnxDomain(domain));
  // Before IR version 4 every initializer had to be listed as an input.
  const changeable = new Set(model.irVersion < 4n ? [] : model.graph.input.map(({ name }) => name));
  const decide = (ranks: ReadonlyMap<string, number>) => {
    const conditions = new ConstantConditions(graph, changeable, ranks);
    const decided = nodes.flatMap((node) => {
      const condition = conditions.valueOf(node.input[0] ?? '');
      if (condition === undefined) return [];
      const branch = attributeOf(node, condition === 0 ? 'else_branch' : 'then_branch')?.g;
      return branch ? [{ node, branch }] : [];
    });
    return { decided, asked: [...conditions.unknownRanks] };
  };
  const { decided, asked } = decide(new Map());
  return asked.length === 0 ? decided : decide(await ranksOf(model, asked)).decided;
}

/** Puts what the branch that is taken does in the place of the If. */
function inlineBranch(graph: Graph, names: GraphNames, { node, branch }: Decided): void {
  // It may have served the other branch of one before it.
  if (!graph.nodes.includes(node)) return;
  const scope = new Scope(names, undefined, (value) => value);
  const computed = new Set(branch.node.flatMap(({ output }) => output));
  const handedOn: NodeProto[] = [];
  for (const [i, { name }] of branch.output.entries()) {
    const output = node.output[i];
    if (!output) continue;
    // What lies outside the branch, and what is handed out twice, is computed under another name.
    if (computed.has(name) && !scope.has(name)) scope.bind(name, output);
    else handedOn.push(makeNode('Identity', [name], [output]));
  }
  const nodes = scope.moveContents(branch, graph.proto);
  for (const identity of handedOn) identity.input = identity.input.map((value) => scope.resolve(value));
  graph.expand(node, [...nodes, ...handedOn]);
}

/**
 * Inlines the taken branch of every If of the main graph whose condition is the same at every run, in place, and then those that this
 * brings to light.
 */
export async function inlineConstantBranches(model: Model): Promise<void> {
  const names = new GraphNames(model.graph);
  for (;;) {
    const graph = new Graph(model.graph, model.externalDataFolder);
    const decided = await findDecided(model, graph);
    if (decided.length === 0) return;
    for (const one of decided) inlineBranch(graph, names, one);
  }
}
