// What others call of the functions that decode models: the same functions, on a thread of their own.

import type { ConvertOptions } from '../conversion/choice.js';
import type { Conversion } from '../convert.js';
import type { FreedModel, FreeOptions } from '../free.js';
import type { ModelSource } from '../graph/model.js';
import type { Inspection, InspectOptions } from '../inspect.js';
import type { ObservedModel, ObserveOptions } from '../observe.js';
import type { OptimizedModel, OptimizeOptions } from '../optimize.js';
import { checkSignal } from '../options.js';
import type { Verification, VerifyOptions } from '../verify.js';
import { runInBackground } from './run.js';

/** The signal stays here: it ends the thread. What is no object is for the task to refuse. */
function withoutSignal<T extends { readonly signal?: AbortSignal }>(
  options: T,
): [options: T, signal: AbortSignal | undefined] {
  if (typeof options !== 'object' || options === null) return [options, undefined];
  const { signal, ...others } = options;
  checkSignal(signal);
  return [others as T, signal];
}

/**
 * Makes the global statistics of a restoration network local (TLSC, arXiv 2112.04491). Each window is
 * featureSize(trainSize) · baseSize / trainSize, rounded down, where the feature size is measured by one run at trainSize.
 * The result is self-contained: it runs in any ONNX Runtime, and on tlsc's kernels where they are registered.
 *
 * Rejects with ERR_INVALID_ARGUMENT, ERR_MODEL_NOT_FOUND, ERR_INVALID_MODEL, ERR_UNSUPPORTED_MODEL, ERR_ALREADY_CONVERTED,
 * ERR_TRAIN_SIZE (the network cannot run at trainSize), ERR_ABORTED, ERR_OUT_OF_MEMORY, or ERR_NOT_LOCALIZABLE, which names every
 * statistic that cannot be made local and says why.
 */
export async function convert(source: ModelSource, options: ConvertOptions): Promise<Conversion> {
  const [others, signal] = withoutSignal(options);
  return runInBackground('convert', [source, others], signal);
}

/**
 * Makes a model that was exported for images of one size one for any: what it holds of that size as constants (targets of reshapes,
 * ends of slices, sizes that are resized, padded or pooled to) is worked out of the image. It gives at its own size what it gave, which
 * is checked, and runs at others; where it was padded to a multiple, that is the one that its smallest plane calls for.
 *
 * Rejects with ERR_UNSUPPORTED_MODEL, which names every node that cannot be freed, ERR_INVALID_ARGUMENT, ERR_MODEL_NOT_FOUND,
 * ERR_INVALID_MODEL, ERR_ABORTED or ERR_OUT_OF_MEMORY.
 */
export async function free(source: ModelSource, options: FreeOptions = {}): Promise<FreedModel> {
  const [others, signal] = withoutSignal(options);
  return runInBackground('free', [source, others], signal);
}

/**
 * Says what a model is, which global statistics it has and what `convert` would make of each. Rejects with
 * ERR_MODEL_NOT_FOUND, ERR_INVALID_MODEL, ERR_UNSUPPORTED_MODEL (more of something than any model needs), ERR_ABORTED,
 * ERR_OUT_OF_MEMORY or ERR_INVALID_ARGUMENT.
 */
export async function inspect(source: ModelSource, options: InspectOptions = {}): Promise<Inspection> {
  const [others, signal] = withoutSignal(options);
  return runInBackground('inspect', [source, others], signal);
}

/**
 * Converts a model, and has it hand out its statistics beside its outputs: samples of what each computes of an image, for `InferenceSession`s
 * on tlsc's kernels. How they lie on whole images, globally and locally, and on crops of the training size is what decides whether
 * local ones help.
 *
 * Rejects with what `convert` does.
 */
export async function observe(source: ModelSource, options: ObserveOptions): Promise<ObservedModel> {
  const [others, signal] = withoutSignal(options);
  return runInBackground('observe', [source, others], signal);
}

/**
 * Makes a model faster that needs no local statistics, or is to keep its global ones: nodes that one operator of ours does the work of in one
 * pass are put together, as `convert` does. The result computes the same within float rounding, which is checked on an image of noise, and
 * is self-contained: it runs in any ONNX Runtime, and faster where tlsc's kernels are registered.
 *
 * Rejects with ERR_INVALID_ARGUMENT, ERR_MODEL_NOT_FOUND, ERR_INVALID_MODEL, ERR_UNSUPPORTED_MODEL, ERR_ALREADY_CONVERTED (or optimized), ERR_TRAIN_SIZE (the network cannot run at `size`), ERR_ABORTED or ERR_OUT_OF_MEMORY.
 */
export async function optimize(source: ModelSource, options: OptimizeOptions = {}): Promise<OptimizedModel> {
  const [others, signal] = withoutSignal(options);
  return runInBackground('optimize', [source, others], signal);
}

/**
 * Checks a converted model against the original. Where every window covers its plane (at the training size, unless the
 * base size is smaller) both must agree, on tlsc's kernels and on the function bodies; on a whole image the kernels and the
 * bodies must agree. The images are noise, the same each time.
 *
 * Rejects with ERR_NOT_CONVERTED, ERR_ALREADY_CONVERTED (the original is itself a converted model), ERR_INVALID_ARGUMENT,
 * ERR_UNSUPPORTED_MODEL (the inputs or outputs of the two differ, or an output is no float), ERR_ABORTED, or what `convert` and
 * `InferenceSession.create` do.
 */
export async function verify(
  original: ModelSource,
  converted: ModelSource,
  options: VerifyOptions = {},
): Promise<Verification> {
  const [others, signal] = withoutSignal(options);
  return runInBackground('verify', [original, converted, others], signal);
}
