import { inlineEnclosed } from './conversion/inline-enclosed.js';
import { localNodesOf, maxStrideOf, windowOf } from './conversion/local-operators.js';
import { readRecord } from './conversion/record.js';
import { type ConversionSizes, maxStrideFor, windowFor } from './conversion/sizes.js';
import { invalidArgument, TlscError, throwIfAborted } from './errors.js';
import { freeImageSizes } from './graph/free-sizes.js';
import { type ElementTypes, measure, type Shapes } from './graph/measure.js';
import { encodeModel, type LoadedModel, loadModel, type Model, type ModelSource } from './graph/model.js';
import { floatOf, isOnnxDomain, labelOf, type NodeProto } from './graph/proto.js';
import { trialFeeds } from './graph/trial-feeds.js';
import { checkOptions, checkSignal } from './options.js';
import { floatsOf, imageTypes } from './session/image-tensors.js';
import { InferenceSession, type Outputs } from './session/inference-session.js';
import { type Size, type SizeOption, showSize, toSize } from './size.js';

/** No network worth checking runs on less. */
const smallestSide = 8;

/** In float32: far above what roundings add up to, far below what a wrong window or weight makes. */
const float32Tolerance = 1e-4;

/**
 * Where anything is computed in float16, each layer's result is rounded by up to 2^-11 of its value, and original, kernels and
 * bodies round in different places. What 256 layers do so, one independent of the other, adds up to √256 · 2^-11.
 */
const float16Tolerance = Math.sqrt(256) * 2 ** -11;

export interface VerifyOptions {
  /** Size of the image for the run of native against portable; false for a quick check without it. Default: [720, 1280]. */
  readonly fullSize?: SizeOption | false;
  /**
   * Largest difference that passes, relative to the largest value of the output, which counts as 1 at least. Default: 1e-4, and
   * 2^-7 where a local operator or an output is float16.
   */
  readonly tolerance?: number;
  /** Where the external data of models given as bytes lies. */
  readonly externalDataFolder?: string | undefined;
  readonly signal?: AbortSignal;
}

/** Largest absolute differences to the original model, where every window covers its whole plane. */
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
  /** Largest absolute difference between the kernels and the function bodies on a whole image; undefined in a quick check. */
  readonly fullSize: FullCheck | undefined;
  /** The local operators whose window, or stride in fast mode, is not the one that the sizes noted in the model call for. */
  readonly wrongWindows: readonly string[];
  /**
   * The local normalizations whose epsilon is not that of the original's node of the same output. A small one changes only what
   * is smooth, which noise is not.
   */
  readonly wrongEpsilons: readonly string[];
  /** The one that was applied. */
  readonly tolerance: number;
  /** Whether all that is above is as it must be; a model that could not be compared with the original does not pass. */
  readonly passed: boolean;
}

/**
 * Checks a converted model against the original. Where every window covers its plane (at the training size, unless the
 * base size is smaller) both must agree, on tlsc's kernels and on the function bodies; on a whole image the kernels and the
 * bodies must agree. The images are noise, the same each time.
 *
 * Rejects with ERR_NOT_CONVERTED, ERR_ABORTED, or what `convert` and `InferenceSession.create` do.
 */
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
  const whole = options.fullSize === false ? undefined : toSize(options.fullSize ?? [720, 1280], 'fullSize');
  const reference = withFreeSizes(await loadModel(original, options.externalDataFolder));
  const candidate = await loadModel(converted, options.externalDataFolder);
  const { model, name } = candidate;
  const sizes = conversionOf(model, name);
  const typed = localNodesOf(model).flatMap(({ input }) => input.slice(0, 1));
  const { shapes, types } = await measure(model, sizes.trainSize, name, {
    typed: [...new Set(typed)],
    signal,
  });
  const trained = planesOf(model, shapes);
  const wrongWindows = findWrongWindows(trained, sizes);
  const wrongEpsilons = findWrongEpsilons(await inlineEnclosed(reference.model, reference.name), model);
  const fits = Math.min(...sizes.trainSize) >= smallestSide && covers(trained);
  const size = fits ? sizes.trainSize : await findCoveringSize(model, sizes, name, signal);

  const runAt = (loaded: LoadedModel, operators: 'native' | 'portable', sizes: readonly Size[]) =>
    runEach(loaded, operators, sizes, signal);
  const at = [whole, size].filter((one) => one !== undefined);
  const native = await runAt(candidate, 'native', at);
  const portable = await runAt(candidate, 'portable', at);
  const tolerance = options.tolerance ?? defaultTolerance(types, native[0] ?? {});
  const reports: Comparison[] = [];
  let fullSize: FullCheck | undefined;
  if (whole) {
    const full = await compare(native[0] ?? {}, portable[0] ?? {});
    reports.push(full);
    fullSize = { size: whole, nativeToPortable: full.difference };
  }
  let selfCheck: SelfCheck | undefined;
  if (size) {
    const [expected = {}] = await runAt(reference, 'portable', [size]);
    const ofNative = await compare(expected, native.at(-1) ?? {});
    const ofPortable = await compare(expected, portable.at(-1) ?? {});
    reports.push(ofNative, ofPortable);
    selfCheck = { size, native: ofNative.difference, portable: ofPortable.difference };
  }
  const agrees = reports.every(({ difference, scale }) => difference <= tolerance * Math.max(1, scale));
  return {
    selfCheck,
    fullSize,
    wrongWindows,
    wrongEpsilons,
    tolerance,
    passed: selfCheck !== undefined && agrees && wrongWindows.length === 0 && wrongEpsilons.length === 0,
  };
}

/** The original as it was converted: of a model for one size, for all. */
function withFreeSizes(loaded: LoadedModel): LoadedModel {
  const { model } = loaded;
  return freeImageSizes(model) ? { ...loaded, bytes: encodeModel(model) } : loaded;
}

function conversionOf(model: Model, name: string): ConversionSizes {
  const sizes = readRecord(model);
  if (sizes && localNodesOf(model).length > 0) return sizes;
  throw new TlscError(
    'ERR_NOT_CONVERTED',
    `${name} has no local statistics: it is not the result of a conversion`,
  );
}

/** The plane that a local operator slides its window over. */
interface LocalPlane {
  readonly node: NodeProto;
  readonly plane: Size;
  readonly window: Size;
}

function planesOf(model: Model, shapes: Shapes): LocalPlane[] {
  return localNodesOf(model).flatMap((node) => {
    const window = windowOf(node);
    const [, , planeHeight = 0, planeWidth = 0] = shapes.get(node.input[0] ?? '') ?? [];
    return window ? [{ node, plane: [planeHeight, planeWidth], window }] : [];
  });
}

function findWrongWindows(planes: readonly LocalPlane[], sizes: ConversionSizes): string[] {
  const isWrong = ({ node, plane, window }: LocalPlane) => {
    const maxStride = maxStrideOf(node);
    if (showSize(windowFor(plane, sizes)) !== showSize(window)) return true;
    return maxStride !== undefined && showSize(maxStrideFor(plane, sizes)) !== showSize(maxStride);
  };
  return planes.filter(isWrong).map(({ node }) => labelOf(node));
}

const normalizations = ['InstanceNormalization', 'GroupNormalization'];

function findWrongEpsilons(original: Model, converted: Model): string[] {
  const norms = original.graph.node.filter(
    ({ opType, domain }) => isOnnxDomain(domain) && normalizations.includes(opType),
  );
  const epsilonOf = (node: NodeProto) => Math.fround(floatOf(node, 'epsilon', 1e-5));
  const epsilons = new Map(norms.map((node) => [node.output[0], epsilonOf(node)]));
  const isWrong = (node: NodeProto) => {
    const epsilon = epsilons.get(node.output[0]);
    return epsilon !== undefined && epsilon !== epsilonOf(node);
  };
  return localNodesOf(converted).filter(isWrong).map(labelOf);
}

function covers(planes: readonly LocalPlane[]): boolean {
  return planes.every(({ plane, window }) => plane[0] <= window[0] && plane[1] <= window[1]);
}

/** The first of the base size and the halves of both sizes at which every window covers its plane. */
async function findCoveringSize(
  model: Model,
  { trainSize, baseSize }: ConversionSizes,
  name: string,
  signal: AbortSignal | undefined,
): Promise<Size | undefined> {
  for (const [height, width] of [trainSize, baseSize]) {
    for (let factor = 1; Math.min(height, width) / factor >= smallestSide; factor *= 2) {
      const size: Size = [Math.floor(height / factor), Math.floor(width / factor)];
      if (showSize(size) === showSize(trainSize)) continue; // It has been looked at.
      const shapes = await shapesIfPossible(model, size, name, signal);
      if (shapes && covers(planesOf(model, shapes))) return size;
    }
  }
  return undefined;
}

async function shapesIfPossible(
  model: Model,
  size: Size,
  name: string,
  signal: AbortSignal | undefined,
): Promise<Shapes | undefined> {
  try {
    return (await measure(model, size, name, { signal })).shapes;
  } catch (error) {
    if (error instanceof TlscError && error.code === 'ERR_TRAIN_SIZE') return undefined;
    throw error;
  }
}

/** The outputs for noise of each size. One session at a time, so that a check needs no more memory than a run. */
async function runEach(
  { bytes, model, name }: LoadedModel,
  operators: 'native' | 'portable',
  sizes: readonly Size[],
  signal: AbortSignal | undefined,
): Promise<Outputs[]> {
  throwIfAborted(signal);
  const { externalDataFolder } = model;
  const session = await InferenceSession.create(bytes, { operators, externalDataFolder });
  try {
    const outputs: Outputs[] = [];
    for (const size of sizes) {
      const feeds = await trialFeeds(model, size, name, fillWithNoise);
      outputs.push(await session.run(feeds, signal ? { signal } : {}));
    }
    return outputs;
  } finally {
    await session.release();
  }
}

/** Values in [0, 1) whose brightness drifts, so that local and global statistics differ. Mulberry32, seed fixed. */
function fillWithNoise(data: Float32Array): void {
  let state = 0x5eed;
  for (let i = 0; i < data.length; i++) {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    const noise = ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
    data[i] = (noise * (i + 1)) / data.length;
  }
}

function defaultTolerance(operatorTypes: ElementTypes, outputs: Outputs): number {
  const types = [...operatorTypes.values(), ...Object.values(outputs).map(({ type }) => type)];
  return types.includes('float16') ? float16Tolerance : float32Tolerance;
}

/** The values of an output; throws ERR_UNSUPPORTED_MODEL when they are no floats. */
async function valuesOf(outputs: Outputs, name: string): Promise<Float32Array> {
  const tensor = outputs[name];
  const values = tensor && (await floatsOf(tensor));
  if (values) return values;
  const what = tensor
    ? `is ${tensor.type}, not ${imageTypes.join(' or ')}`
    : 'is missing in one of the models';
  throw new TlscError('ERR_UNSUPPORTED_MODEL', `the models cannot be compared: output ${name} ${what}`);
}

interface Comparison {
  /** The largest absolute one. */
  readonly difference: number;
  /** The largest absolute value of the reference. */
  readonly scale: number;
}

async function compare(reference: Outputs, other: Outputs): Promise<Comparison> {
  let difference = 0;
  let scale = 0;
  for (const name of Object.keys(reference)) {
    const values = await valuesOf(reference, name);
    const others = await valuesOf(other, name);
    if (others.length !== values.length) difference = Number.NaN;
    for (let i = 0; i < values.length; i++) {
      const value = values[i] ?? 0;
      // Math.max keeps a NaN, which passes no comparison.
      difference = Math.max(difference, Math.abs(value - (others[i] ?? Number.NaN)));
      if (Math.abs(value) > scale) scale = Math.abs(value);
    }
  }
  return { difference, scale };
}
