// What makes a model no valid ONNX graph, said in words; tests hold conversions against it.
import type { Model } from '../src/graph/model.js';
import {
  type FunctionProto,
  type GraphProto,
  isOnnxDomain,
  type NodeProto,
  subgraphsOf,
} from '../src/graph/proto.js';

/** Every value that a node reads, those that its subgraphs take from outside included. */
export function readsOf(node: NodeProto): string[] {
  const inner = subgraphsOf(node).flatMap(({ node: nodes, output }) => [
    ...nodes.flatMap(readsOf),
    ...output.map(({ name }) => name),
  ]);
  return [...node.input, ...inner].filter((name) => name !== '');
}

function outputsOf(node: NodeProto): string[] {
  return node.output.filter((name) => name !== '');
}

/** The names that occur twice or more. */
function repeated(names: readonly string[]): string[] {
  return [...new Set(names.filter((name, i) => names.indexOf(name) !== i))];
}

/** What the nodes of a graph or function may call, and where faults say that they are. */
interface Context {
  readonly where: string;
  readonly imported: ReadonlySet<string>;
  /** Domains that the model defines functions of, and these functions. */
  readonly domains: ReadonlySet<string>;
  readonly functions: ReadonlySet<string>;
}

const domainOf = (domain: string) => (isOnnxDomain(domain) ? '' : domain);
const functionKey = (domain: string, name: string, overload: string) => [domain, name, overload].join('::');

function faultsOfCall(node: NodeProto, { where, imported, domains, functions }: Context): string[] {
  const domain = domainOf(node.domain);
  const call = `${where}: ${domain}::${node.opType}`;
  if (!imported.has(domain)) return [`${call} is of a domain that is not imported`];
  const isKnown = !domains.has(domain) || functions.has(functionKey(domain, node.opType, node.overload));
  return isKnown ? [] : [`${call} is called, but there is no such function`];
}

/** Faults of nodes in their order, where `visible` is what they may read from the start. */
function faultsOfNodes(
  nodes: readonly NodeProto[],
  visible: ReadonlySet<string>,
  context: Context,
): string[] {
  const { where } = context;
  const all = new Set([...visible, ...nodes.flatMap(outputsOf)]);
  const seen = new Set(visible);
  const faults = repeated(nodes.map(({ name }) => name).filter((name) => name !== '')).map(
    (name) => `${where}: several nodes are named ${name}`,
  );
  for (const node of nodes) {
    faults.push(...faultsOfCall(node, context));
    for (const name of readsFromOutside(node)) {
      if (seen.has(name)) continue;
      faults.push(`${where}: ${name} is read ${all.has(name) ? 'before it is' : 'but never'} computed`);
    }
    for (const inner of subgraphsOf(node)) {
      const at = { ...context, where: `${where}, inside ${node.opType} ${node.name}` };
      faults.push(...faultsOfGraph(inner, { visible: seen, taken: all }, at));
    }
    for (const name of outputsOf(node)) {
      if (seen.has(name)) faults.push(`${where}: ${name} is computed twice`);
      seen.add(name);
    }
  }
  return faults;
}

/** What subgraphs read is looked at inside them. */
function readsFromOutside(node: NodeProto): string[] {
  return node.input.filter((name) => name !== '');
}

interface Outside {
  /** What has been computed around a subgraph before it. */
  readonly visible: ReadonlySet<string>;
  /** All names around it, none of which it may use again. */
  readonly taken: ReadonlySet<string>;
}

function constantsOf(graph: GraphProto): string[] {
  return [
    ...graph.initializer.map(({ name }) => name),
    ...graph.sparseInitializer.map(({ values }) => values?.name ?? ''),
  ];
}

function faultsOfGraph(graph: GraphProto, { visible, taken }: Outside, context: Context): string[] {
  const { where } = context;
  const inputs = graph.input.map(({ name }) => name);
  // An initializer may be the default of an input.
  const given = new Set([...inputs, ...constantsOf(graph)]);
  const own = new Set([...given, ...graph.node.flatMap(outputsOf)]);
  const all = new Set([...own, ...visible]);
  const faults = [
    ...[...repeated(inputs), ...repeated(constantsOf(graph))].map(
      (name) => `${where}: ${name} is given twice`,
    ),
    ...[...own].filter((name) => taken.has(name)).map((name) => `${where}: ${name} shadows one outside`),
    ...faultsOfNodes(graph.node, new Set([...visible, ...given]), context),
  ];
  for (const { name } of graph.output)
    if (!all.has(name)) faults.push(`${where}: output ${name} is never computed`);
  for (const name of repeated(graph.valueInfo.map((info) => info.name)))
    faults.push(`${where}: the type of ${name} is given twice`);
  for (const { name } of graph.valueInfo)
    if (!own.has(name)) faults.push(`${where}: the type of ${name} is given, which is not there`);
  for (const { tensorName, quantParameterTensorNames } of graph.quantizationAnnotation) {
    for (const name of [tensorName, ...quantParameterTensorNames.map(({ value }) => value)])
      if (!all.has(name))
        faults.push(`${where}: the quantization of ${tensorName} names ${name}, which is not there`);
  }
  return faults;
}

function faultsOfFunction(one: FunctionProto, model: Omit<Context, 'where' | 'imported'>): string[] {
  const where = `function ${one.name}`;
  const imported = new Set(one.opsetImport.map(({ domain }) => domainOf(domain)));
  const computed = new Set([...one.input, ...one.node.flatMap(outputsOf)]);
  const missing = one.output.filter((name) => !computed.has(name));
  return [
    ...missing.map((name) => `${where}: output ${name} is never computed`),
    ...faultsOfNodes(one.node, new Set(one.input), { ...model, where, imported }),
  ];
}

/**
 * Every fault of the model's graphs and functions: values read that are not there or not yet, names used twice or shadowed, calls
 * of operators that are not imported or functions that do not exist, types and quantizations of values that are gone.
 */
export function faultsOf(model: Model): string[] {
  const keys = model.functions.map(({ domain, name, overload }) => functionKey(domain, name, overload));
  const called = {
    domains: new Set(model.functions.map(({ domain }) => domain)),
    functions: new Set(keys),
  };
  const domains = model.opsetImport.map(({ domain }) => domainOf(domain));
  return [
    ...repeated(domains).map((domain) => `domain ${domain} is imported twice`),
    ...repeated(keys).map((key) => `function ${key} is defined twice`),
    ...faultsOfGraph(
      model.graph,
      { visible: new Set(), taken: new Set() },
      { where: 'graph', imported: new Set(domains), ...called },
    ),
    ...model.functions.flatMap((one) => faultsOfFunction(one, called)),
  ];
}
