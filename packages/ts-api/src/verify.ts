import { inlineEnclosed } from './conversion/inline-enclosed.js';
import { isConverted, localNodesOf } from './conversion/local-operators.js';
import { raiseOld } from './conversion/raise-opset.js';
import { type ConversionRecord, readRecord } from './conversion/record.js';
import type { ConversionSizes } from './conversion/sizes.js';
import { invalidArgument, TlscError } from './errors.js';
import { freePlanePools, freeSizes } from './freeing/free-sizes.js';
import { fusedNodesOf } from './fusion/operators.js';
import { inputsOf } from './graph/inputs.js';
import { measure } from './graph/measure.js';
import { encodeModel, type LoadedModel, loadModel, type Model, type ModelSource } from './graph/model.js';
import { type FedInput, showFed } from './graph/trial-values.js';
import { checkOptions, checkSignal } from './options.js';
import { type Size, type SizeOption, showSize, toSize } from './size.js';
import { compare, defaultTolerance } from './verification/compare.js';
import { findInfluence, type View } from './verification/influence.js';
import {
  covers,
  findMissingSites,
  findWrongEpsilons,
  findWrongWindows,
  grown,
  type LocalPlane,
  planesOf,
} from './verification/local-planes.js';
import { runEach } from './verification/run-each.js';

/** No network worth checking runs on less. */
const smallestSide = 8;

/** On less, little is left of what a network halves again and again. */
const smallestGlance = 16;

export interface VerifyOptions {
  /**
   * Size of the image for the run of native against portable, larger than the base size on one side at least, so that there is
   * something local in it; false for a quick check without it. Default: [720, 1280], and where that is not larger, the first multiple
   * of the training size that is, across.
   */
  readonly fullSize?: SizeOption | false;
  /**
   * Largest difference that passes, relative to the largest value of its output, which counts as 1 at least. Default: 1e-4, and
   * 2^-7 where a local operator or an output is float16.
   */
  readonly tolerance?: number;
  /** Where the external data of models given as bytes lies. */
  readonly externalDataFolder?: string | undefined;
  readonly signal?: AbortSignal;
}

/**
 * Largest differences to the original model, where every window covers its whole plane; of several outputs that of the worst, each
 * relative to its largest value, which counts as 1 at least. NaN where an output is not finite or has another shape.
 */
export interface SelfCheck {
  readonly size: Size;
  readonly native: number;
  readonly portable: number;
}

export interface FullCheck {
  readonly size: Size;
  readonly nativeToPortable: number;
}

export interface Verification {
  /** Undefined when there is no size, from the training size down, at which every window covers its plane. */
  readonly selfCheck: SelfCheck | undefined;
  /** Largest difference, likewise, between the kernels and the function bodies on a whole image; undefined in a quick check. */
  readonly fullSize: FullCheck | undefined;
  /** The local operators whose window, or stride in fast mode, is not the one that the sizes noted in the model call for. */
  readonly wrongWindows: readonly string[];
  /**
   * The local normalizations whose epsilon is not that of the original's node of the same output. A small one changes only what
   * is smooth, which noise is not.
   */
  readonly wrongEpsilons: readonly string[];
  /** The statistics that the model says were made local, and that are not. */
  readonly missingSites: readonly string[];
  /**
   * The local operators of which no output shows anything: what they read, multiplied by noise between 1 and 5, changes no output by more
   * than twice the tolerance. Of these the comparison with the original proves nothing. They may be part of a branch that has no effect.
   */
  readonly blindSites: readonly string[];
  /** What inputs that are no images were fed. */
  readonly fed: readonly FedInput[];
  /** The one that was applied. */
  readonly tolerance: number;
  /** Whether something is wrong: a difference above the tolerance, a window, an epsilon, a statistic that is not local. */
  readonly faulty: boolean;
  /**
   * Whether nothing is wrong, and that says something: the model was compared with the original, where an output shows one local operator
   * at least.
   */
  readonly passed: boolean;
}

/** The work of `background/index.ts`'s `verify`, on the thread that calls it. */
export async function verify(
  original: ModelSource,
  converted: ModelSource,
  options: VerifyOptions = {},
): Promise<Verification> {
  checkOptions(options, { fullSize: true, tolerance: true, externalDataFolder: true, signal: true });
  const { signal } = options;
  checkSignal(signal);
  if (options.tolerance !== undefined && !(options.tolerance > 0))
    throw invalidArgument('tolerance', 'a number above 0', options.tolerance);
  const given = options.fullSize ?? 'default';
  const wanted = given === false || given === 'default' ? given : toSize(given, 'fullSize');
  const first = await loadModel(original, options.externalDataFolder);
  const candidate = await loadModel(converted, options.externalDataFolder);
  const { model, name } = candidate;
  const record = conversionOf(model, name);
  refuseConverted(first, record);
  const reference = await asConverted(first, record.trainSize, signal);
  checkEnds(reference, candidate);
  const { shapes, types } = await measure(model, record.trainSize, name, { typed: typedIn(model), signal });
  const trained = planesOf(model, shapes);
  const whole = wholeSize(wanted, trained, record);
  const fits = Math.min(...record.trainSize) >= smallestSide && covers(trained);
  const atTraining = { size: record.trainSize, shapes };
  const covered = fits ? atTraining : await findCoveringView(model, record, name, signal);
  const tolerance = options.tolerance ?? defaultTolerance([...types.values()]);
  const views = await viewsFrom(covered ?? atTraining, candidate, signal);
  const { blindSites, values } = await findInfluence(candidate, { views, types, tolerance, signal });

  const runAt = (loaded: LoadedModel, operators: 'native' | 'portable', sizes: readonly Size[]) =>
    runEach(loaded, { operators, sizes, values, signal });
  const at = [whole, covered?.size].filter((one) => one !== undefined);
  const native = await runAt(candidate, 'native', at);
  const portable = await runAt(candidate, 'portable', at);
  const fullSize = whole && {
    size: whole,
    nativeToPortable: await compare(native[0] ?? {}, portable[0] ?? {}),
  };
  const [expected = {}] = covered ? await runAt(reference, 'portable', [covered.size]) : [];
  const selfCheck = covered && {
    size: covered.size,
    native: await compare(expected, native.at(-1) ?? {}),
    portable: await compare(expected, portable.at(-1) ?? {}),
  };
  const wrongWindows = findWrongWindows(trained, record);
  const wrongEpsilons = findWrongEpsilons(await inlineEnclosed(reference.model, reference.name), model);
  const missingSites = findMissingSites(model, record.sites);
  const differences = [fullSize?.nativeToPortable, selfCheck?.native, selfCheck?.portable];
  // A NaN agrees with nothing.
  const agrees = differences.every((difference) => difference === undefined || difference <= tolerance);
  const faulty = !agrees || [wrongWindows, wrongEpsilons, missingSites].some((list) => list.length > 0);
  return {
    selfCheck,
    fullSize,
    wrongWindows,
    wrongEpsilons,
    missingSites,
    blindSites,
    fed: showFed(model, record.trainSize, values),
    tolerance,
    faulty,
    passed: !faulty && selfCheck !== undefined && blindSites.length < trained.length,
  };
}

/** The original as it was converted: of a model for one size, for all. */
async function asConverted(
  loaded: LoadedModel,
  trainSize: Size,
  signal: AbortSignal | undefined,
): Promise<LoadedModel> {
  const { name } = loaded;
  const model = await inlineEnclosed(loaded.model, name);
  const isOld = await raiseOld(model, name);
  const freed = await freeSizes(model, name, signal);
  const pools = await freePlanePools(model, freed?.size ?? trainSize, name, signal);
  return freed || pools || isOld ? { ...loaded, model, bytes: encodeModel(model) } : loaded;
}

function conversionOf(model: Model, name: string): ConversionRecord {
  const record = readRecord(model);
  if (record && localNodesOf(model).length > 0) return record;
  throw new TlscError(
    'ERR_NOT_CONVERTED',
    `${name} has no local statistics: it is not the result of a conversion`,
  );
}

/** A converted model agrees with itself, and with itself without its functions, whatever is wrong with it. */
function refuseConverted({ model, name }: LoadedModel, record: ConversionRecord): void {
  const isCopy = JSON.stringify(readRecord(model)) === JSON.stringify(record);
  if (!isConverted(model) && !isCopy) return;
  throw new TlscError(
    'ERR_ALREADY_CONVERTED',
    `${name} has itself been converted: compared with it, a conversion proves nothing; give the model that was converted as the original`,
  );
}

function endsOf({ model }: LoadedModel): string[] {
  const inputs = inputsOf(model).map(({ name }) => `input ${name}`);
  return [...inputs, ...model.graph.output.map(({ name }) => `output ${name}`)];
}

/** Throws ERR_UNSUPPORTED_MODEL, all named, when one of the models has inputs or outputs that the other has not. */
function checkEnds(reference: LoadedModel, candidate: LoadedModel): void {
  const [ours, theirs] = [endsOf(reference), endsOf(candidate)];
  const alone = [...ours, ...theirs].filter((end) => !ours.includes(end) || !theirs.includes(end));
  if (alone.length === 0) return;
  const message = `the models cannot be compared: only one of them has ${alone.join(', ')}`;
  throw new TlscError('ERR_UNSUPPORTED_MODEL', message);
}

/** The values whose types say how far float16 goes: what our operators read, and the outputs. */
function typedIn(model: Model): string[] {
  const ours = [...localNodesOf(model), ...fusedNodesOf(model)];
  const read = ours.flatMap(({ input }) => input.slice(0, 1));
  return [...new Set([...read, ...model.graph.output.map(({ name }) => name)])];
}

/** The size at which kernels and bodies are compared: where all windows cover their planes nothing is local. */
function wholeSize(
  wanted: Size | false | 'default',
  trained: readonly LocalPlane[],
  { trainSize, baseSize }: ConversionSizes,
): Size | undefined {
  if (wanted === false) return undefined;
  const isLocal = (size: Size) => !covers(grown(trained, trainSize, size));
  if (wanted === 'default') {
    const across = Math.floor(baseSize[1] / trainSize[1]) + 1;
    return isLocal([720, 1280]) ? [720, 1280] : [trainSize[0], trainSize[1] * across];
  }
  if (isLocal(wanted)) return wanted;
  const expected = `larger than the base size of the conversion, ${showSize(baseSize)}, where windows end within the image, or false`;
  throw invalidArgument('fullSize', expected, wanted);
}

/** The first of the base size and the halves of both sizes at which every window covers its plane. */
async function findCoveringView(
  model: Model,
  { trainSize, baseSize }: ConversionSizes,
  name: string,
  signal: AbortSignal | undefined,
): Promise<View | undefined> {
  for (const [height, width] of [trainSize, baseSize]) {
    for (let factor = 1; Math.min(height, width) / factor >= smallestSide; factor *= 2) {
      const size: Size = [Math.floor(height / factor), Math.floor(width / factor)];
      if (showSize(size) === showSize(trainSize)) continue; // It has been looked at.
      const view = await viewIfPossible(model, size, name, signal);
      if (view && covers(planesOf(model, view.shapes))) return view;
    }
  }
  return undefined;
}

/** In front of a large view one of a quarter its sides, which mostly shows the same, for a sixteenth of the time. */
async function viewsFrom(
  view: View,
  { model, name }: LoadedModel,
  signal: AbortSignal | undefined,
): Promise<[View, ...View[]]> {
  const [height, width] = view.size;
  const size: Size = [Math.floor(height / 4), Math.floor(width / 4)];
  if (Math.min(...size) < smallestGlance) return [view];
  const smaller = await viewIfPossible(model, size, name, signal);
  return smaller ? [smaller, view] : [view];
}

async function viewIfPossible(
  model: Model,
  size: Size,
  name: string,
  signal: AbortSignal | undefined,
): Promise<View | undefined> {
  try {
    return { size, shapes: (await measure(model, size, name, { signal })).shapes };
  } catch (error) {
    if (error instanceof TlscError && error.code === 'ERR_TRAIN_SIZE') return undefined;
    throw error;
  }
}
