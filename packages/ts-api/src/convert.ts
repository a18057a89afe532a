import { create } from '@bufbuild/protobuf';
import { OperatorSetIdProtoSchema } from 'onnx-buf';
import { type Finding, findStatistics, findWarnings, freeSizes } from './analysis.js';
import { type ConversionSizes, maxStrideFor, windowFor, writeSizes } from './conversion-sizes.js';
import { invalidArgument, TlscError } from './errors.js';
import { domain, domainVersion, lowestMixedOpset, lowestOpset } from './functions/body.js';
import { functions } from './functions/index.js';
import type { FrozenSize } from './graph/frozen-sizes.js';
import { encodeModel, loadModel, type Model, type ModelSource, opsetOf } from './graph/model.js';
import { type GraphProto, isOnnxDomain, labelOf, type NodeProto, subgraphsOf } from './graph/proto.js';
import { localNodesOf } from './local-operators.js';
import { checkOptions, checkSignal } from './options.js';
import { isMatch, isRefusal, type Match, type Rule } from './rewrite/rule.js';
import { InferenceSession } from './session/inference-session.js';
import { defaultBaseSize, type Size, type SizeOption, showSize, toSize } from './size.js';

export interface ConvertOptions {
  /** Size of the crops that the network was trained on: a side, or [height, width], in pixels. */
  readonly trainSize: SizeOption;
  /** The windows are those of an image of this size. Default: 1.5 × trainSize, rounded down. */
  readonly baseSize?: SizeOption;
  /**
   * Whether to take the published approximation (`fast_imp`): windows over every few rows and columns, one short. For those
   * who must match numbers published with it; it is not the faster way here. Default: false.
   */
  readonly fast?: boolean;
  /** Where the external data of a model given as bytes lies. */
  readonly externalDataFolder?: string | undefined;
  readonly signal?: AbortSignal;
}

/** A statistic that was made local. */
export interface Site {
  /** Name of the node, or its operator and output where it has none. */
  readonly node: string;
  readonly rule: string;
  /** The operator of domain `tlsc` that stands there now. */
  readonly operator: string;
  /** Height and width of its input at the training size. */
  readonly featureSize: Size;
  /** Height and width of the window; on a smaller plane it ends at the plane's borders. */
  readonly window: Size;
  /**
   * In fast mode the most rows and columns of its input from a sample to the next; else, and for statistics of which no
   * approximation was published, undefined.
   */
  readonly maxStride: Size | undefined;
  /**
   * For a mean that, after so many layers, only scales images (channel attention): the layers run once per position of the
   * window within the plane, and the products, now `ReplicateScale`, repeat the borders. Undefined where the mean itself
   * is padded to the size of the plane.
   */
  readonly validLayers: number | undefined;
}

/** A global statistic that stays as it is. */
export interface KeptStatistic {
  readonly node: string;
  readonly reason: string;
}

export interface ConvertReport extends ConversionSizes {
  /** Empty: there is nothing to convert, and the converted model is the model. */
  readonly sites: readonly Site[];
  /** Global statistics that are no averages, and stay global by design. */
  readonly kept: readonly KeptStatistic[];
  /** Nodes that keep a size that the image had when the model was traced, and are wrong at others: before conversion and after. */
  readonly warnings: readonly FrozenSize[];
  readonly opset: number;
  readonly irVersion: number;
}

export interface Conversion {
  /** The bytes of the file. Where the model has external data, `writeModel` takes that along. */
  readonly model: Uint8Array;
  /** The folder in which the model's external data lies, which is still the original's; undefined when it has none. */
  readonly externalDataFolder: string | undefined;
  readonly report: ConvertReport;
}

/** IR version 8 brought functions to models. */
const functionsIrVersion = 8n;

/**
 * Makes the global statistics of a restoration network local (TLSC, arXiv 2112.04491). Each window is
 * featureSize(trainSize) · baseSize / trainSize, rounded down, where the feature size is measured by one run at trainSize.
 * The result is self-contained: it runs in any ONNX Runtime, and on tlsc's kernels where they are registered.
 *
 * Rejects with ERR_INVALID_ARGUMENT, ERR_MODEL_NOT_FOUND, ERR_INVALID_MODEL, ERR_UNSUPPORTED_MODEL, ERR_ALREADY_CONVERTED,
 * ERR_TRAIN_SIZE (the network cannot run at trainSize), ERR_ABORTED, or ERR_NOT_LOCALIZABLE, which names every statistic that cannot be
 * made local and says why.
 */
export async function convert(source: ModelSource, options: ConvertOptions): Promise<Conversion> {
  checkOptions(options, {
    trainSize: true,
    baseSize: true,
    fast: true,
    externalDataFolder: true,
    signal: true,
  });
  checkSignal(options.signal);
  const { fast = false } = options;
  if (typeof fast !== 'boolean') throw invalidArgument('fast', 'true or false', fast);
  const trainSize = toSize(options.trainSize, 'trainSize');
  const sizes = {
    trainSize,
    baseSize: toSize(options.baseSize ?? defaultBaseSize(trainSize), 'baseSize'),
  };
  const { bytes, model, name } = await loadModel(source, options.externalDataFolder);
  refuseConverted(model, name);
  const wasFixed = await freeSizes(model, trainSize, name, options.signal);
  const findings = await findStatistics(model, trainSize, name, options.signal);
  const { rewrites, kept } = planRewrites(findings, { sizes, fast }, model, name);
  const sites = rewrites.map(({ site }) => site);
  const { externalDataFolder } = model;
  // Of a model of fixed size, what would be warned of has been refused.
  const warnings = wasFixed ? [] : await findWarnings(model, trainSize, name, options.signal);
  const report = () => ({ ...sizes, sites, kept, warnings, ...versionsOf(model) });
  if (sites.length === 0) return { model: bytes, externalDataFolder, report: report() };

  raiseOpset(model, name);
  for (const { match, site } of rewrites) match.rewrite(site);
  addFunctions(model, rewrites, fast);
  writeSizes(model, sizes);
  const converted = encodeModel(model);
  await checkLoads(converted, name, externalDataFolder);
  return { model: converted, externalDataFolder, report: report() };
}

function hasLocal(nodes: readonly NodeProto[]): boolean {
  return nodes.some(
    (node) => node.domain === domain || subgraphsOf(node).some((inner) => hasLocal(inner.node)),
  );
}

/** Whether anything in the model is of tlsc's domain, be it only an import or a function that nothing calls. */
export function isConverted({ opsetImport, functions, graph }: Model): boolean {
  return (
    [...opsetImport, ...functions].some((entry) => entry.domain === domain) ||
    [graph, ...functions].some(({ node }) => hasLocal(node))
  );
}

function refuseConverted(model: Model, name: string): void {
  if (!isConverted(model)) return;
  throw new TlscError(
    'ERR_ALREADY_CONVERTED',
    `${name} has been converted, or has something else of domain ${domain} in it; convert the original model`,
  );
}

interface Rewrite {
  readonly match: Match;
  readonly site: Site;
}

/** What the caller has chosen for all sites. */
interface Choice {
  readonly sizes: ConversionSizes;
  readonly fast: boolean;
}

interface Plan {
  readonly rewrites: Rewrite[];
  readonly kept: KeptStatistic[];
}

/** What to do at each site. Nothing is edited before every site is known to be possible. */
function planRewrites(findings: readonly Finding[], choice: Choice, model: Model, name: string): Plan {
  const plan: Plan = { rewrites: [], kept: [] };
  const refusals: string[] = [];
  for (const { node, rule, answer } of findings) {
    if (isRefusal(answer)) refusals.push(`${labelOf(node)}: ${answer.reason}`);
    else if (!isMatch(answer)) plan.kept.push({ node: labelOf(node), reason: answer.kept });
    else plan.rewrites.push({ match: answer, site: siteOf(labelOf(node), rule, answer, choice) });
  }
  if (opsetOf(model) < lowestMixedOpset) refusals.push(...refuseMixedTypes(plan.rewrites));
  if (refusals.length === 0) return plan;
  const count = refusals.length === 1 ? 'a global statistic' : `${refusals.length} global statistics`;
  const message = `${name} has ${count} that cannot be made local:\n  ${refusals.join('\n  ')}`;
  throw new TlscError('ERR_NOT_LOCALIZABLE', message);
}

/** A refusal for every node that wants a function in another type than the first node that wants it. */
function refuseMixedTypes(rewrites: readonly Rewrite[]): string[] {
  return rewrites.flatMap(({ match, site }) => {
    for (const operator of match.operators) {
      const first = rewrites.find((other) => other.match.operators.includes(operator));
      if (!first || first.match.type === match.type) continue;
      const types = `it is ${match.type} where ${first.site.node} is ${first.match.type}`;
      return [
        `${site.node}: ${types}; ${operator} in both takes opset ${lowestMixedOpset} (CastLike) or newer`,
      ];
    }
    return [];
  });
}

function siteOf(node: string, rule: Rule, match: Match, { sizes, fast }: Choice): Site {
  const { featureSize, validLayers, exactOnly = false } = match;
  const window = windowFor(featureSize, sizes);
  if (window.includes(0)) {
    const plane = `its plane is ${showSize(featureSize)} at ${showSize(sizes.trainSize)}`;
    throw tooSmallBaseSize(`${node} would get a window of ${showSize(window)}: ${plane}`, sizes);
  }
  const maxStride = fast && !exactOnly ? maxStrideFor(featureSize, sizes) : undefined;
  if (maxStride?.some((stride, axis) => stride > (window[axis] ?? 0))) {
    const strides = `its samples may lie ${showSize(maxStride)} apart in fast mode`;
    throw tooSmallBaseSize(`${node} would get a window of ${showSize(window)}, but ${strides}`, sizes);
  }
  const operator = rule.operator ?? '';
  return { node, rule: rule.name, operator, featureSize, window, maxStride, validLayers };
}

function tooSmallBaseSize(what: string, { baseSize }: ConversionSizes): TlscError {
  return new TlscError('ERR_NOT_LOCALIZABLE', `${what}; use a larger baseSize`, {
    parameter: 'baseSize',
    received: showSize(baseSize),
  });
}

/** Opset 11 and 12 differ, for inference, only in how Dropout is told a ratio that it does not use. */
function raiseOpset(model: Model, name: string): void {
  const opset = opsetOf(model);
  if (opset >= lowestOpset) return;
  if (opset < lowestOpset - 1) {
    throw new TlscError(
      'ERR_UNSUPPORTED_MODEL',
      `${name} uses opset ${opset}; 11 is the lowest that can be converted`,
    );
  }
  dropRatios(model.graph);
  for (const entry of model.opsetImport) if (isOnnxDomain(entry.domain)) entry.version = BigInt(lowestOpset);
}

function dropRatios(graph: GraphProto): void {
  for (const node of graph.node) {
    if (node.opType === 'Dropout' && isOnnxDomain(node.domain)) node.attribute = [];
    for (const inner of subgraphsOf(node)) dropRatios(inner);
  }
}

function addFunctions(model: Model, rewrites: readonly Rewrite[], fast: boolean): void {
  for (const operator of new Set(localNodesOf(model).map(({ opType }) => opType))) {
    const users = rewrites.filter(({ match }) => match.operators.includes(operator));
    const [type, ...others] = new Set(users.map(({ match }) => match.type));
    const make = functions[operator];
    if (make && type) {
      const options = { opset: opsetOf(model), type: others.length > 0 ? ('mixed' as const) : type, fast };
      model.functions.push(make(options));
    }
  }
  model.opsetImport.push(create(OperatorSetIdProtoSchema, { domain, version: domainVersion }));
  if (model.irVersion < functionsIrVersion) model.irVersion = functionsIrVersion;
}

function versionsOf(model: Model): Pick<ConvertReport, 'opset' | 'irVersion'> {
  return { opset: opsetOf(model), irVersion: Number(model.irVersion) };
}

/** ONNX Runtime checks graph and types when it loads a model: an edit that broke either must not get out. */
async function checkLoads(
  converted: Uint8Array,
  name: string,
  externalDataFolder: string | undefined,
): Promise<void> {
  try {
    const session = await InferenceSession.create(converted, {
      externalDataFolder,
      graphOptimizationLevel: 'disabled',
      logSeverityLevel: 4,
    });
    await session.release();
  } catch (cause) {
    const message = `${name} cannot be converted: ONNX Runtime refuses the result (${(cause as Error).message})`;
    throw new TlscError('ERR_UNSUPPORTED_MODEL', message, { cause });
  }
}
