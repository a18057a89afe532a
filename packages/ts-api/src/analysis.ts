// What convert and inspect have in common: which nodes are global statistics, and what can be done about each.
import { create } from '@bufbuild/protobuf';
import { GraphProtoSchema } from 'onnx-buf';
import { type ErrorCode, TlscError } from './errors.js';
import { domain } from './functions/body.js';
import { freeImageSizes } from './graph/free-sizes.js';
import { type FrozenSize, findFrozenSizes } from './graph/frozen-sizes.js';
import { Graph } from './graph/graph.js';
import { measure } from './graph/measure.js';
import type { Model } from './graph/model.js';
import { type GraphProto, labelOf, type NodeProto, subgraphsOf } from './graph/proto.js';
import type { Answer, Rule } from './rewrite/rule.js';
import { rules } from './rules/index.js';
import { type Size, showSize } from './size.js';

/** A global statistic in the model. */
export interface Finding {
  readonly node: NodeProto;
  readonly rule: Rule;
  readonly answer: Answer;
}

function graphOf(model: Model): Graph {
  return new Graph(model.graph, model.externalDataFolder);
}

const unusable: readonly ErrorCode[] = ['ERR_UNSUPPORTED_MODEL', 'ERR_INVALID_MODEL'];

interface Candidate {
  readonly node: NodeProto;
  readonly rule: Rule;
}

function candidatesIn(graph: Graph): Candidate[] {
  return graph.nodes.flatMap((node) => {
    const rule = rules.find((one) => one.recognizes(graph, node));
    return rule ? [{ node, rule }] : [];
  });
}

/** The candidates that are global statistics for certain, where no shapes are to be had. */
function certainIn(graph: Graph): Candidate[] {
  return candidatesIn(graph).filter(({ rule }) => !rule.needsShapes);
}

interface Enclosed {
  readonly graph: Graph;
  /** 'inside …', for a message. */
  readonly where: string;
}

function branchesIn(graph: GraphProto, folder: string | undefined): Enclosed[] {
  return graph.node.flatMap((node) => {
    const where = `inside ${labelOf(node)} (${node.opType})`;
    return subgraphsOf(node).flatMap((inner) => [
      { graph: new Graph(inner, folder), where },
      ...branchesIn(inner, folder),
    ]);
  });
}

function functionsOf(model: Model): Enclosed[] {
  const foreign = model.functions.filter((one) => one.domain !== domain);
  return foreign.map(({ name, node }) => ({
    graph: new Graph(create(GraphProtoSchema, { node }), model.externalDataFolder),
    where: `inside the model's function ${name}`,
  }));
}

function enclosedIn(model: Model): Enclosed[] {
  return [...branchesIn(model.graph, model.externalDataFolder), ...functionsOf(model)];
}

/** Statistics where no rule can edit: in the branches of If and Loop, and in the model's own functions. */
function findEnclosed(model: Model): Finding[] {
  return enclosedIn(model).flatMap(({ graph, where }) =>
    certainIn(graph).map(({ node, rule }) => ({
      node,
      rule,
      answer: { reason: `it is ${where}, where it cannot be converted yet` },
    })),
  );
}

/** Every graph of the model: its own, those in the branches of If and Loop, the bodies of its own functions. */
export function graphsOf(model: Model): Graph[] {
  return [graphOf(model), ...enclosedIn(model).map(({ graph }) => graph)];
}

/** What `findStatistics` would look at more closely, each refused for the given reason. */
export function refuseAll(model: Model, reason: string): Finding[] {
  const findings = certainIn(graphOf(model)).map(({ node, rule }) => ({
    node,
    rule,
    answer: { reason },
  }));
  return [...findings, ...findEnclosed(model)];
}

/**
 * Finds every global statistic of the model. Where there is any, the model runs once at `size`, for the shapes. Throws
 * what `measure` does.
 */
export async function findStatistics(
  model: Model,
  size: Size,
  name: string,
  signal?: AbortSignal,
): Promise<Finding[]> {
  const graph = graphOf(model);
  const candidates = candidatesIn(graph);
  const enclosed = findEnclosed(model);
  if (candidates.length === 0) return enclosed;
  const typed = [...new Set(candidates.flatMap(({ node }) => node.input.slice(0, 1)))];
  const context = { graph, ...(await measure(model, size, name, { typed, signal })) };
  const findings = candidates.flatMap(({ node, rule }) => {
    const answer = rule.check(context, node);
    return answer ? [{ node, rule, answer }] : [];
  });
  const covered = new Set(findings.flatMap(({ answer }) => [...(answer.covers ?? [])]));
  return [...findings.filter(({ node }) => !covered.has(node)), ...enclosed];
}

/**
 * Makes height and width of the images of a model with statistics free where they are fixed, in place; says whether they were. Throws
 * ERR_UNSUPPORTED_MODEL, which names the nodes, when something in the graph depends on what they were.
 */
export async function freeSizes(
  model: Model,
  size: Size,
  name: string,
  signal?: AbortSignal,
): Promise<boolean> {
  // A model that nothing will be done to may depend on what it likes.
  if (candidatesIn(graphOf(model)).length === 0) return false;
  const fixed = freeImageSizes(model);
  if (!fixed) return false;
  const isTrainSize = showSize(fixed) === showSize(size);
  const refuse = (why: string, cause?: unknown) => {
    const advice = isTrainSize
      ? 'there is nothing to gain from local statistics at the training size alone; '
      : '';
    const message = `${name} was exported for images of ${showSize(fixed)} and depends on that: ${why}\n${advice}export it with dynamic height and width`;
    return new TlscError('ERR_UNSUPPORTED_MODEL', message, { cause });
  };
  const other = isTrainSize ? undefined : fixed;
  const frozen = await findFrozenSizes(model, size, name, { other, signal }).catch((error: unknown) => {
    // What ONNX Runtime refuses to load with the sizes free, it would load with them fixed.
    if (!(error instanceof TlscError) || error.code !== 'ERR_INVALID_MODEL') throw error;
    throw refuse(error.message, error);
  });
  if (frozen.length > 0) throw refuse(frozen.map(({ node, reason }) => `${node} ${reason}`).join('\n  '));
  return true;
}

/**
 * What a model does that follows the size of the image nowhere but at the size that it was traced at. Nothing where it cannot be run:
 * `findStatistics` says so where that matters.
 */
export async function findWarnings(
  model: Model,
  size: Size,
  name: string,
  signal?: AbortSignal,
): Promise<FrozenSize[]> {
  return findFrozenSizes(model, size, name, { signal }).catch((error: unknown) => {
    if (error instanceof TlscError && unusable.includes(error.code)) return [];
    throw error;
  });
}
