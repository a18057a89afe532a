// What convert and inspect have in common: which nodes are global statistics, and what can be done about each.
import { setImmediate } from 'node:timers/promises';
import { create } from '@bufbuild/protobuf';
import { GraphProtoSchema } from 'onnx-buf';
import { type ErrorCode, TlscError, throwIfAborted } from '../errors.js';
import { type Freed, freePlanePools, freeSizes, hasLargePools } from '../freeing/free-sizes.js';
import { domain } from '../functions/body.js';
import type { Seen } from '../fusion/fuse.js';
import { type FrozenSize, findFrozenSizes, sizesAskedOf } from '../graph/frozen-sizes.js';
import { Graph } from '../graph/graph.js';
import { Growth } from '../graph/growth.js';
import { type ProbedModel, withProbedModel } from '../graph/measure.js';
import { type Model, opsetOf } from '../graph/model.js';
import { type GraphProto, labelOf, type NodeProto, subgraphsOf } from '../graph/proto.js';
import { type Sample, sampleTwice, type TwoSizes } from '../graph/two-sizes.js';
import { numbersAskedOf } from '../pooled/sums.js';
import { type Answer, isMatch, type Rule, type RuleContext } from '../rewrite/rule.js';
import { windowedNodes } from '../rewrite/windowed-nodes.js';
import { rules } from '../rules/index.js';
import { transposedAttention } from '../rules/transposed-attention.js';
import { type Size, showSize } from '../size.js';
import { anchorIn } from './anchors.js';

/** A global statistic in the model. */
export interface Finding {
  readonly node: NodeProto;
  readonly rule: Rule;
  readonly answer: Answer;
  /** The statistic whose answer is for this node, too. */
  readonly partOf?: Finding | undefined;
}

/** The findings that stand for themselves where others are left as they are: those that are part of none but such. */
export function standing(findings: readonly Finding[], isLeft: (finding: Finding) => boolean): Finding[] {
  return findings.filter(({ partOf }) => !partOf || isLeft(partOf));
}

function graphOf(model: Model): Graph {
  return new Graph(model.graph, model.externalDataFolder);
}

const unusable: readonly ErrorCode[] = ['ERR_UNSUPPORTED_MODEL', 'ERR_INVALID_MODEL'];

/** A node, and the rules that recognise it. */
interface Candidate {
  readonly node: NodeProto;
  readonly by: readonly Rule[];
}

/** The nodes that look like a statistic to some rule. */
export function candidatesIn(graph: Graph): Candidate[] {
  return graph.nodes.flatMap((node) => {
    const by = rules.filter((rule) => rule.recognizes(graph, node));
    return by.length > 0 ? [{ node, by }] : [];
  });
}

/** The rule by which a node is a global statistic for certain, where no shapes are to be had. */
function certainRule(graph: Graph, { node, by }: Candidate): Rule | undefined {
  return by.find((one) => one.isCertain(graph, node));
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

function functionsOf(model: Model): Graph[] {
  const foreign = model.functions.filter((one) => one.domain !== domain);
  return foreign.map(({ node }) => new Graph(create(GraphProtoSchema, { node }), model.externalDataFolder));
}

/** Statistics, and what may be one, where no rule can edit: in the branches of If and Loop. */
function findEnclosed(model: Model): Finding[] {
  return branchesIn(model.graph, model.externalDataFolder).flatMap(({ graph, where }) => {
    const reason = `it is ${where}, where it cannot be converted yet`;
    const kept = `it is ${where}: whether it is a statistic of planes cannot be told there, it stays as it is`;
    return candidatesIn(graph).flatMap((candidate): Finding[] => {
      const { node, by } = candidate;
      const certain = certainRule(graph, candidate);
      if (certain) return [{ node, rule: certain, answer: { reason } }];
      return by.slice(0, 1).map((rule) => ({ node, rule, answer: { kept } }));
    });
  });
}

/** The main graph and those in the branches of If and Loop. */
export function graphsAround(model: Model): Graph[] {
  const branches = branchesIn(model.graph, model.externalDataFolder);
  return [graphOf(model), ...branches.map(({ graph }) => graph)];
}

/** Every graph of the model: those, and the bodies of its own functions. */
export function graphsOf(model: Model): Graph[] {
  return [...graphsAround(model), ...functionsOf(model)];
}

/** What `analyze` would look at more closely, and what is in functions that cannot be inlined, each refused for the given reason. */
export function refuseAll(model: Model, reason: string): Finding[] {
  const findings = [graphOf(model), ...functionsOf(model)].flatMap((graph) =>
    candidatesIn(graph).flatMap((candidate): Finding[] => {
      const rule = certainRule(graph, candidate);
      return rule ? [{ node: candidate.node, rule, answer: { reason } }] : [];
    }),
  );
  return [...findings, ...findEnclosed(model)];
}

/** What is to be known of a model before it can be converted. */
export interface Analysis {
  /** Every global statistic, and the parts of some. */
  readonly findings: readonly Finding[];
  /** Nodes that follow the size of the image nowhere but at the size that it was traced at. */
  readonly warnings: readonly FrozenSize[];
  /** The first node that may tie what it makes of a part of an image to where that lies in the whole. */
  readonly anchor?: string | undefined;
  /** What it was freed of, in place; undefined where its images were free. */
  readonly freed?: Freed | undefined;
  /** What was seen of it; undefined where it was not run. */
  readonly seen?: Seen | undefined;
}

/** What is asked of a model with probes in it. */
interface Inquiry {
  readonly graph: Graph;
  readonly candidates: readonly Candidate[];
  readonly size: Size;
  /** The size that its images were fixed to. */
  readonly fixed: Size | undefined;
  /** Whether it matters what becomes of a size that nothing about is even: numbers, and what images are filled up to. */
  readonly asksOdd: boolean;
  readonly signal: AbortSignal | undefined;
}

/**
 * Finds every global statistic of the model, by its shapes at `size`. Height and width of the images of a model with statistics are made
 * free where they are fixed, in place. Throws ERR_UNSUPPORTED_MODEL, which names the nodes, when a model with statistics depends on
 * what they were, or runs at `size` alone, ERR_ABORTED, and what `ProbedModel` does.
 */
export async function analyze(
  model: Model,
  size: Size,
  name: string,
  signal?: AbortSignal,
): Promise<Analysis> {
  // A model that nothing will be done to may depend on what size it likes.
  const hasStatistics = candidatesIn(graphOf(model)).length > 0 || hasLargePools(model);
  let freed: Freed | undefined;
  try {
    if (hasStatistics) {
      freed = await freeSizes(model, name, signal);
      await freePlanePools(model, freed?.size ?? size, name, signal);
    }
    const fixed = freed?.size;
    const graph = graphOf(model);
    const candidates = candidatesIn(graph);
    const typed = [...new Set(candidates.flatMap(({ node }) => node.input.slice(0, 1)))];
    const numbers = numbersAskedOf(graph);
    const questions = { typed, valued: [...new Set([...sizesAskedOf(model), ...numbers])] };
    const asksOdd = numbers.length > 0 || candidates.some(({ by }) => by.includes(transposedAttention));
    const inquiry = { graph, candidates, size, fixed, asksOdd, signal };
    return await withProbedModel(model, name, questions, async (probed) => {
      const { findings, ...rest } = await inquire(probed, inquiry);
      return { findings: [...findings, ...findEnclosed(model)], ...rest, freed };
    });
  } catch (error) {
    if (!(error instanceof TlscError)) throw error;
    // What ONNX Runtime refuses to load with the sizes free, it would load with them fixed.
    if (freed && error.code === 'ERR_INVALID_MODEL')
      throw dependsOnSize(name, size, freed.size, error.message, error);
    // A model without statistics need not run.
    if (!hasStatistics && unusable.includes(error.code))
      return { findings: findEnclosed(model), warnings: [] };
    throw error;
  }
}

/** The nodes of a model that do not follow the size of the image, going by this size and another. Throws what `ProbedModel` does. */
export function analyzeSizes(
  model: Model,
  size: Size,
  name: string,
  signal?: AbortSignal,
): Promise<readonly FrozenSize[]> {
  const questions = { valued: sizesAskedOf(model) };
  return withProbedModel(model, name, questions, async (probed) =>
    findFrozenSizes(graphOf(model), await sampleTwice(probed, size, signal)),
  );
}

/** At the smaller of the two sizes: two images of it take no more memory than one of the other. */
async function forTwoImages(
  probed: ProbedModel,
  [trained, other]: TwoSizes,
  signal: AbortSignal | undefined,
) {
  const areaOf = ({ size: [height, width] }: Sample) => height * width;
  const small = !other.failure && areaOf(other) < areaOf(trained) ? other : trained;
  const two = await probed.forTwoImages(small.size, signal);
  return two && { one: small, two };
}

/** A small size with nothing even about it: what is halved or compared there shows. */
function oddSize([height, width]: Size): Size {
  return [Math.floor(height / 2) | 1, Math.floor(width / 3) | 1];
}

async function inquire(probed: ProbedModel, inquiry: Inquiry): Promise<Analysis> {
  const { graph, candidates, size, fixed, asksOdd, signal } = inquiry;
  let two: Seen['two'];
  const find = async (sizes: TwoSizes) => {
    if (candidates.length === 0) return [];
    const measured = await probed.at(sizes[0].size, signal);
    const [growth, windowed] = [new Growth(sizes), windowedNodes(graph)];
    const batched = await forTwoImages(probed, sizes, signal);
    two = batched?.two;
    const smallOdd = oddSize(sizes[0].size);
    const odd = asksOdd ? await probed.tryAt(smallOdd, signal) : undefined;
    const looks = odd ? [...sizes, { ...odd, size: smallOdd }] : sizes;
    return findingsIn(
      { graph, opset: opsetOf(probed.model), ...measured, batched, looks, growth, windowed },
      candidates,
      signal,
    );
  };
  if (fixed) {
    const others = showSize(fixed) === showSize(size) ? undefined : [fixed];
    const sizes = await sampleTwice(probed, size, signal, others);
    const frozen = findFrozenSizes(graph, sizes);
    if (frozen.length > 0) {
      // At its own size it runs.
      const own = await sampleTwice(probed, fixed, signal, []);
      if ((await find(own)).length === 0) return { findings: [], warnings: frozen };
      throw dependsOnSize(probed.name, size, fixed, showFrozen(frozen));
    }
  }
  // Fails first where the model cannot run at that size.
  if (candidates.length > 0) await probed.at(size, signal);
  const sizes = await sampleTwice(probed, size, signal);
  const [findings, warnings] = [await find(sizes), findFrozenSizes(graph, sizes)];
  if (sizes[1].failure && findings.some(({ answer }) => isMatch(answer)))
    throw runsAtOneSize(probed.name, size, showFrozen(warnings));
  return { findings, warnings, anchor: anchorIn(graph, new Growth(sizes)), seen: { sizes, two } };
}

/** Rules ask in one go for so long; then it is others' turn. */
const turn = 20;

async function findingsIn(
  context: RuleContext,
  candidates: readonly Candidate[],
  signal: AbortSignal | undefined,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const wholes = new Map<NodeProto, Finding>();
  let begun = performance.now();
  for (const { node, by } of candidates) {
    if (performance.now() - begun > turn) {
      await setImmediate();
      throwIfAborted(signal);
      begun = performance.now();
    }
    for (const rule of by) {
      // It has answered for this node with another.
      if (wholes.get(node)?.rule === rule) continue;
      const answer = rule.check(context, node);
      if (!answer) continue;
      const finding = { node, rule, answer };
      findings.push(finding);
      for (const part of answer.covers ?? []) if (!wholes.has(part)) wholes.set(part, finding);
      break;
    }
  }
  return findings.map((finding) => {
    const partOf = wholes.get(finding.node);
    return partOf ? { ...finding, partOf } : finding;
  });
}

function showFrozen(frozen: readonly FrozenSize[]): string {
  return frozen.map(({ node, reason }) => `${node} ${reason}`).join('\n  ');
}

const nothingToGain = 'there is nothing to gain from local statistics at the training size alone; ';

function dependsOnSize(name: string, size: Size, fixed: Size, why: string, cause?: unknown): TlscError {
  const advice = showSize(fixed) === showSize(size) ? nothingToGain : '';
  const message = `${name} was exported for images of ${showSize(fixed)} and depends on that: ${why}\n${advice}export it with dynamic height and width`;
  return new TlscError('ERR_UNSUPPORTED_MODEL', message, { cause });
}

function runsAtOneSize(name: string, size: Size, why: string): TlscError {
  const message = `${name} runs on images of ${showSize(size)} alone, or cannot be seen to follow them: ${why}\n${nothingToGain}export it with dynamic height and width`;
  return new TlscError('ERR_UNSUPPORTED_MODEL', message);
}
