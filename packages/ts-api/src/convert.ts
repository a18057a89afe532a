import { addFunctions } from './conversion/add-functions.js';
import { analyze } from './conversion/analysis.js';
import { type ConvertOptions, toChoice } from './conversion/choice.js';
import { inlineEnclosed } from './conversion/inline-enclosed.js';
import { isConverted, refuseConverted } from './conversion/local-operators.js';
import { type KeptStatistic, planRewrites } from './conversion/plan.js';
import { raiseOld, raiseOpset } from './conversion/raise-opset.js';
import {
  forgetNetwork,
  type NetworkRecord,
  recordNetwork,
  type Site,
  writeRecord,
} from './conversion/record.js';
import type { ConversionSizes } from './conversion/sizes.js';
import { TlscError } from './errors.js';
import type { Freed } from './freeing/free-sizes.js';
import { lowestOpset } from './functions/body.js';
import { type Fused, fuse, fusionContext } from './fusion/fuse.js';
import type { FrozenSize } from './graph/frozen-sizes.js';
import { Graph } from './graph/graph.js';
import { imageSizeOf, unlistConstants } from './graph/inputs.js';
import { measure } from './graph/measure.js';
import { encodeModel, loadModel, type Model, type ModelSource, opsetOf, withNodes } from './graph/model.js';
import { mergeSizeNumbers } from './graph/size-numbers.js';
import type { ValueOptions } from './image/values.js';
import { type Reaches, reachesOf } from './pieces/reach.js';
import { InferenceSession } from './session/inference-session.js';
import { freeImageOf, sidesOf } from './session/known-sides.js';
import { hasManyNodes, modeFor } from './session/many-nodes.js';
import type { Sides } from './session/sides.js';
import type { Size } from './size.js';

export interface ConvertReport extends ConversionSizes {
  /** Empty: there is nothing to convert, and the converted model is the model. */
  readonly sites: readonly Site[];
  /** What else was put together, and runs in one pass now. Empty where nothing was, or `fuse` is false. */
  readonly fused: readonly Fused[];
  /** Global statistics that stay global: they are no averages, or were not chosen. */
  readonly kept: readonly KeptStatistic[];
  /** Nodes that keep a size that the image had when the model was traced, and are wrong at others: before conversion and after. */
  readonly warnings: readonly FrozenSize[];
  /**
   * For a model that was exported for images of one size: that size, and the nodes that held it and follow the image now. Undefined where
   * its images were free already.
   */
  readonly freed: Freed | undefined;
  readonly opset: number;
  readonly irVersion: number;
  /** What was said of the network's values, and is recorded in the model. */
  readonly values: ValueOptions | undefined;
  /**
   * The sides that the network takes, which is recorded in the model; undefined where none up to the training size was found, where its sides are fixed or it takes
   * more than an image, and where there is nothing to convert and to record.
   */
  readonly sides: Sides | undefined;
}

export interface Conversion {
  /** The bytes of the file. Where the model has external data, `writeModel` takes that along. */
  readonly model: Uint8Array;
  /** The folder in which the model's external data lies, which is still the original's; undefined when it has none. */
  readonly externalDataFolder: string | undefined;
  readonly report: ConvertReport;
}

/** The work of `background/index.ts`'s `convert`, on the thread that calls it. */
export async function convert(source: ModelSource, options: ConvertOptions): Promise<Conversion> {
  const choice = toChoice(options);
  const { sizes, fast, opset, values } = choice;
  const { trainSize } = sizes;
  const { bytes, model: loaded, name } = await loadModel(source, options.externalDataFolder);
  refuseConverted(loaded, name);
  const original = versionsOf(loaded);
  const model = await inlineEnclosed(loaded, name);
  const shapes = async () =>
    (await measure(model, imageSizeOf(model, trainSize), name, { signal: options.signal })).shapes;
  await raiseOld(model, name);
  // First, so that rules see what they are going to edit.
  if (opset !== undefined) await raiseOpset(model, opset, name, shapes);
  const { findings, warnings, freed, anchor, seen } = await analyze(model, trainSize, name, options.signal);
  const { rewrites, kept } = planRewrites(findings, choice, model, name);
  const sites = rewrites.map(({ site }) => site);
  const { externalDataFolder } = model;
  const report = { ...sizes, sites, kept, warnings, freed, values };
  if (sites.length === 0) {
    const { bytes: copy, sides } = values
      ? await withNetwork(
          (await loadModel(bytes, externalDataFolder)).model,
          { values, anchor },
          trainSize,
          name,
        )
      : { bytes, sides: undefined };
    const unchanged = { fused: [], freed: undefined, ...original };
    return { model: copy, externalDataFolder, report: { ...report, ...unchanged, sides } };
  }

  if (opsetOf(model) < lowestOpset) await raiseOpset(model, lowestOpset, name, shapes);
  unlistConstants(model);
  for (const { match, site } of rewrites) match.rewrite(site);
  for (const { match } of rewrites) match.finish?.();
  const fused = choice.fuse && seen ? fuse(fusionContext(model, seen)) : [];
  const local = rewrites.flatMap(({ match: { operators, type } }) =>
    operators.map((operator) => ({ operator, type })),
  );
  addFunctions(model, [...local, ...fused], fast);
  writeRecord(model, sizes, sites);
  const { bytes: converted, sides } = await withNetwork(model, { values, anchor }, trainSize, name);
  return { model: converted, externalDataFolder, report: { ...report, fused, ...versionsOf(model), sides } };
}

/** The model's bytes, with what is said and found out of its network. Throws where ONNX Runtime refuses it. */
async function withNetwork(
  model: Model,
  known: Pick<NetworkRecord, 'values' | 'anchor'>,
  trainSize: Size,
  name: string,
): Promise<{ bytes: Uint8Array; sides: Sides | undefined }> {
  forgetNetwork(model);
  const { sides, reaches } = await checkLoads(model, encodeModel(model), trainSize, name);
  recordNetwork(model, { ...known, sides, reaches });
  return { bytes: encodeModel(model), sides };
}

function versionsOf(model: Model): Pick<ConvertReport, 'opset' | 'irVersion'> {
  return { opset: opsetOf(model), irVersion: Number(model.irVersion) };
}

/** What runs on small images show of a network. */
interface Seen {
  readonly sides: Sides | undefined;
  readonly reaches: Reaches | undefined;
}

/** How many pixels a network is run on to see how far it reaches, for one of the training size. */
const reachPixels = 16;

/**
 * ONNX Runtime checks graph and types when it loads a model: an edit that broke either must not get out. What is seen of the network is seen
 * where an image is its only input and the training size is no smaller than the least that is tried.
 */
async function checkLoads(model: Model, converted: Uint8Array, trainSize: Size, name: string): Promise<Seen> {
  const { externalDataFolder } = model;
  // The same graph, which is smaller by half in some networks.
  const { nodes, twins } = mergeSizeNumbers(new Graph(model.graph, externalDataFolder));
  const checked = twins.size === 0 ? converted : encodeModel(withNodes(model, nodes));
  try {
    const session = await InferenceSession.create(checked, {
      ...modeFor(nodes.length),
      externalDataFolder,
      graphOptimizationLevel: 'disabled',
      logSeverityLevel: 4,
    });
    const seen = hasManyNodes(nodes.length)
      ? unseen
      : await lookAt(session, withNodes(model, nodes), trainSize);
    await session.release();
    return seen;
  } catch (cause) {
    const message = `${name} cannot be converted: ONNX Runtime refuses the result (${(cause as Error).message})`;
    throw new TlscError('ERR_UNSUPPORTED_MODEL', message, { cause });
  }
}

const unseen: Seen = { sides: undefined, reaches: undefined };

async function lookAt(session: InferenceSession, model: Model, trainSize: Size): Promise<Seen> {
  const input = freeImageOf(session);
  const sides = input && (await sidesOf(session, input, undefined, Math.max(...trainSize)));
  if (!sides) return unseen;
  const most = reachPixels * trainSize[0] * trainSize[1];
  return { sides, reaches: isConverted(model) ? await reachesOf(model, input, sides, most) : undefined };
}
