import { addFunctions } from './conversion/add-functions.js';
import { refuseConverted } from './conversion/local-operators.js';
import { raiseOld, raiseOpset } from './conversion/raise-opset.js';
import { TlscError } from './errors.js';
import { lowestOpset } from './functions/body.js';
import { type Fused, fuse, fusionContext } from './fusion/fuse.js';
import { imageInputsOf, imageSizeOf, planeOf, unlistConstants } from './graph/inputs.js';
import { measure, withProbedModel } from './graph/measure.js';
import {
  encodeModel,
  type LoadedModel,
  loadModel,
  type Model,
  type ModelSource,
  opsetOf,
} from './graph/model.js';
import { firstThatRuns, type TrialValues, trialValuesOf } from './graph/trial-values.js';
import { sampleTwice } from './graph/two-sizes.js';
import { checkOptions, checkSignal } from './options.js';
import { type Size, type SizeOption, showSize, toSize } from './size.js';
import { compare, defaultTolerance } from './verification/compare.js';
import { runEach } from './verification/run-each.js';

export interface OptimizeOptions {
  /** Size of the image on which the model is looked at, and compared with the original. Default: the model's own where it is fixed, else 256. */
  readonly size?: SizeOption;
  /** Where the external data of a model given as bytes lies. */
  readonly externalDataFolder?: string | undefined;
  readonly signal?: AbortSignal;
}

/** How far the optimized model is from the original: as in `verify`. */
export interface OptimizeCheck {
  readonly size: Size;
  readonly native: number;
  readonly portable: number;
}

export interface OptimizeReport {
  /** Empty: nothing was recognised, and the optimized model is the model. */
  readonly fused: readonly Fused[];
  readonly opset: number;
  readonly irVersion: number;
  /** Undefined where nothing was fused. */
  readonly check: OptimizeCheck | undefined;
}

export interface OptimizedModel {
  /** The bytes of the file. Where the model has external data, `writeModel` takes that along. */
  readonly model: Uint8Array;
  readonly externalDataFolder: string | undefined;
  readonly report: OptimizeReport;
}

/** The work of `background/index.ts`'s `optimize`, on the thread that calls it. */
export async function optimize(source: ModelSource, options: OptimizeOptions = {}): Promise<OptimizedModel> {
  checkOptions(options, { size: true, externalDataFolder: true, signal: true });
  const { signal } = options;
  checkSignal(signal);
  const original = await loadModel(source, options.externalDataFolder);
  const { bytes, name } = original;
  refuseConverted(original.model, name);
  // Another copy, which is edited.
  const { model } = await loadModel(bytes, original.model.externalDataFolder);
  const size = options.size === undefined ? imageSizeOf(model, [256, 256]) : toSize(options.size, 'size');
  await raiseOld(model, name);
  const shapes = async () => (await measure(model, size, name, { signal })).shapes;
  unlistConstants(model);
  const others = isOfOneSize(model, size) ? [] : undefined;
  const seen = await withProbedModel(model, name, {}, async (probed) => {
    // Fails first where the model cannot run at that size.
    await probed.at(size, signal);
    const sizes = await sampleTwice(probed, size, signal, others);
    return { sizes, two: await probed.forTwoImages(size, signal) };
  });
  const { externalDataFolder } = model;
  const versions = (one: Model) => ({ opset: opsetOf(one), irVersion: Number(one.irVersion) });
  const fused = fuse(fusionContext(model, seen));
  if (fused.length === 0)
    return {
      model: bytes,
      externalDataFolder,
      report: { fused, ...versions(original.model), check: undefined },
    };
  if (opsetOf(model) < lowestOpset) await raiseOpset(model, lowestOpset, name, shapes);
  addFunctions(model, fused, false);
  const optimized = encodeModel(model);
  const after = { bytes: optimized, model, name };
  const check = await checkAgreement(original, after, { size, fused, signal });
  return { model: optimized, externalDataFolder, report: { fused, ...versions(model), check } };
}

function isOfOneSize(model: Model, size: Size): boolean {
  const isFixed = (side: number | string) => typeof side === 'number';
  return imageInputsOf(model, size).some(({ shape }) => planeOf(shape).some(isFixed));
}

interface Agreement {
  readonly size: Size;
  readonly fused: readonly Fused[];
  readonly signal: AbortSignal | undefined;
}

/** Throws ERR_UNSUPPORTED_MODEL where the two differ by more than roundings add up to. */
async function checkAgreement(
  original: LoadedModel,
  optimized: LoadedModel,
  { size, fused, signal }: Agreement,
): Promise<OptimizeCheck> {
  const { model, name } = optimized;
  const typed = model.graph.output.map((output) => output.name);
  const { types } = await measure(model, size, name, { typed, signal });
  const runOn = (loaded: LoadedModel, operators: 'native' | 'portable') => (values: TrialValues) =>
    runEach(loaded, { operators, sizes: [size], values, signal }).then(([outputs = {}]) => ({
      outputs,
      values,
    }));
  const choices = trialValuesOf(model, size);
  const { outputs: expected, values } = await firstThatRuns(choices, runOn(original, 'portable'));
  const { outputs: native } = await runOn(optimized, 'native')(values);
  const { outputs: portable } = await runOn(optimized, 'portable')(values);
  const check = {
    size,
    native: await compare(expected, native),
    portable: await compare(expected, portable),
  };
  const tolerance = defaultTolerance([...types.values(), ...fused.map(({ type }) => type)]);
  // A NaN agrees with nothing.
  if (check.native <= tolerance && check.portable <= tolerance) return check;
  const differences = `by ${check.native.toExponential(1)} on the kernels and ${check.portable.toExponential(1)} without`;
  throw new TlscError(
    'ERR_UNSUPPORTED_MODEL',
    `${name} cannot be optimized: on noise of ${showSize(size)} its outputs would differ ${differences}, where ${tolerance.toExponential(1)} is what roundings may add up to`,
  );
}
