import { type Analysis, analyze, type Finding, refuseAll, standing } from './conversion/analysis.js';
import { type Explanation, explain } from './conversion/explain.js';
import { inlineEnclosed } from './conversion/inline-enclosed.js';
import { isConverted, localNodesOf, maxStrideOf, windowOf } from './conversion/local-operators.js';
import { raiseOld } from './conversion/raise-opset.js';
import { type ConversionRecord, metadataOf, readRecord } from './conversion/record.js';
import { type ErrorCode, invalidArgument, TlscError } from './errors.js';
import { fusedNodesOf } from './fusion/operators.js';
import type { FrozenSize } from './graph/frozen-sizes.js';
import { imageSizeOf, inputsOf, tensorTypeOf, typeName } from './graph/inputs.js';
import { loadModel, type Model, type ModelSource, opsetOf } from './graph/model.js';
import { labelOf, type ValueInfoProto } from './graph/proto.js';
import { givenValues, recordedValues, type ValueOptions } from './image/values.js';
import { checkOptions, checkSignal } from './options.js';
import { isMatch, isRefusal } from './rewrite/rule.js';
import { InferenceSession } from './session/inference-session.js';
import { sidesOfOnly } from './session/known-sides.js';
import { hasManyNodes } from './session/many-nodes.js';
import type { Sides } from './session/sides.js';
import { type Size, type SizeOption, toSize } from './size.js';

export interface InspectOptions {
  /** The size at which shapes are measured. Default: the model's own where it is fixed, else 256. */
  readonly trainSize?: SizeOption;
  /** The name of a node, or of a value that a node computes: what each rule says of it is told, too. */
  readonly explain?: string;
  /** Where the external data of a model given as bytes lies. */
  readonly externalDataFolder?: string | undefined;
  readonly signal?: AbortSignal;
}

export interface ValueDescription {
  readonly name: string;
  /** ONNX's name of the element type in lower case ('float', 'float16', …). */
  readonly type: string;
  /** A number is a size, a string the name of a free dimension ('' when it has none). */
  readonly shape: readonly (number | string)[];
}

/** A global statistic, and what would become of it. */
export interface Statistic {
  readonly node: string;
  readonly opType: string;
  readonly rule: string;
  /** The operator that `convert` would put in its place, or undefined when it cannot, or leaves it by design. */
  readonly operator: string | undefined;
  /** Height and width of its plane at the size measured, when it can. */
  readonly featureSize: Size | undefined;
  /** Why it cannot, or leaves it. */
  readonly reason: string | undefined;
}

/** A local operator of a converted model. */
export interface LocalOperator {
  readonly node: string;
  readonly operator: string;
  /** Undefined for `ReplicateScale` and `LocalWindowMerge`, which take up what an operator before them has left over. */
  readonly window: Size | undefined;
  /** In fast mode the most rows and columns from a sample of the window to the next. */
  readonly maxStride: Size | undefined;
}

/** An operator that `convert` or `optimize` has put in the place of several nodes. */
export interface FusedOperator {
  readonly node: string;
  readonly operator: string;
}

export interface Inspection {
  readonly producer: string;
  readonly irVersion: number;
  readonly opset: number;
  readonly inputs: readonly ValueDescription[];
  readonly outputs: readonly ValueDescription[];
  /** What was done to the model, when it was converted and says so. */
  readonly converted: ConversionRecord | undefined;
  /** What the model says that its values mean, and `restore` heeds. */
  readonly values: ValueOptions | undefined;
  /** The sides that its images may have, as runs on small ones show; undefined where they are fixed, or none was found. */
  readonly sides: Sides | undefined;
  readonly localOperators: readonly LocalOperator[];
  /** Nodes that do the work of several others in one pass. */
  readonly fusedOperators: readonly FusedOperator[];
  readonly statistics: readonly Statistic[];
  /** The image size at which features were measured. */
  readonly measuredAt: Size;
  /** Nodes that keep a size that the image had when the model was traced, and are wrong at others. */
  readonly warnings: readonly FrozenSize[];
  /** Of the node that was asked about. */
  readonly explanation: Explanation | undefined;
}

/** The work of `background/index.ts`'s `inspect`, on the thread that calls it. */
export async function inspect(source: ModelSource, options: InspectOptions = {}): Promise<Inspection> {
  checkOptions(options, { trainSize: true, explain: true, externalDataFolder: true, signal: true });
  checkSignal(options.signal);
  const { explain: asked } = options;
  if (asked !== undefined && typeof asked !== 'string')
    throw invalidArgument('explain', 'the name of a node', asked);
  const { bytes, model: loaded, name } = await loadModel(source, options.externalDataFolder);
  const size =
    options.trainSize === undefined
      ? imageSizeOf(loaded, [256, 256])
      : toSize(options.trainSize, 'trainSize');
  const [inputs, outputs] = [inputsOf(loaded).map(describe), loaded.graph.output.map(describe)];
  const opset = opsetOf(loaded);
  const { model, findings, warnings } = await findAll(loaded, size, name, options.signal);
  return {
    producer: [model.producerName, model.producerVersion].filter(Boolean).join(' '),
    irVersion: Number(model.irVersion),
    opset,
    inputs,
    outputs,
    converted: isConverted(model) ? readRecord(model) : undefined,
    values: givenValues(recordedValues(metadataOf(model))),
    sides: await findSides(bytes, loaded, Math.max(...size)),
    localOperators: localNodesOf(model).map((node) => ({
      node: labelOf(node),
      operator: node.opType,
      window: windowOf(node),
      maxStride: maxStrideOf(node),
    })),
    fusedOperators: fusedNodesOf(model).map((node) => ({ node: labelOf(node), operator: node.opType })),
    statistics: describeAll(standing(findings, ({ answer }) => isRefusal(answer))),
    measuredAt: size,
    warnings,
    explanation: asked === undefined ? undefined : explain(model, findings, asked, name),
  };
}

/** Undefined for a model that ONNX Runtime refuses, or takes long for. */
async function findSides(
  bytes: Uint8Array,
  { graph, externalDataFolder }: Model,
  largest: number,
): Promise<Sides | undefined> {
  if (hasManyNodes(graph.node.length)) return undefined;
  try {
    const options = { externalDataFolder, logSeverityLevel: 4 } as const;
    const session = await InferenceSession.create(bytes, options);
    const sides = await sidesOfOnly(session, largest);
    await session.release();
    return sides;
  } catch (error) {
    if (error instanceof TlscError) return undefined;
    throw error;
  }
}

const unmeasurable: readonly ErrorCode[] = ['ERR_UNSUPPORTED_MODEL', 'ERR_TRAIN_SIZE'];

interface Found extends Analysis {
  /** With the nodes that were found. */
  readonly model: Model;
}

async function findAll(loaded: Model, size: Size, name: string, signal?: AbortSignal): Promise<Found> {
  let model = loaded;
  try {
    if (!isConverted(loaded)) {
      model = await inlineEnclosed(loaded, name);
      await raiseOld(model, name);
    }
    return { model, ...(await analyze(model, size, name, signal)) };
  } catch (error) {
    // A model that cannot be measured can be described all the same.
    if (!(error instanceof TlscError) || !unmeasurable.includes(error.code)) throw error;
    return { model, findings: refuseAll(model, error.message), warnings: [] };
  }
}

function describeAll(findings: readonly Finding[]): Statistic[] {
  return findings.map(({ node, rule, answer }) => {
    const about = { node: labelOf(node), opType: node.opType, rule: rule.name };
    if (isMatch(answer))
      return { ...about, operator: answer.operators[0], featureSize: answer.featureSize, reason: undefined };
    const reason = isRefusal(answer) ? answer.reason : answer.kept;
    return { ...about, operator: undefined, featureSize: undefined, reason };
  });
}

function describe(value: ValueInfoProto): ValueDescription {
  const { name, type } = value;
  const tensor = tensorTypeOf(value);
  if (!tensor) return { name, type: type?.value.case ?? 'unknown', shape: [] };
  return { name, type: typeName(tensor.elemType), shape: tensor.shape ?? [] };
}
