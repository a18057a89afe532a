import { TlscError } from '../errors.js';
import { floatsOf, imageTypes } from '../session/image-tensors.js';
import type { Outputs } from '../session/inference-session.js';

/** In float32: far above what roundings add up to, far below what a wrong window or weight makes. */
const float32Tolerance = 1e-4;

/**
 * Where anything is computed in float16, each layer's result is rounded by up to 2^-11 of its value, and original, kernels and
 * bodies round in different places. What 256 layers do so, one independent of the other, adds up to √256 · 2^-11.
 */
const float16Tolerance = Math.sqrt(256) * 2 ** -11;

/** By the element types that tell how far float16 goes. */
export function defaultTolerance(types: readonly string[]): number {
  return types.includes('float16') ? float16Tolerance : float32Tolerance;
}

/** The values of an output; throws ERR_UNSUPPORTED_MODEL when they are no floats. */
async function valuesOf(outputs: Outputs, name: string): Promise<Float32Array> {
  const tensor = outputs[name];
  const values = tensor && (await floatsOf(tensor));
  if (values) return values;
  const what = `output ${name} is ${tensor?.type}, not ${imageTypes.join(' or ')}`;
  throw new TlscError('ERR_UNSUPPORTED_MODEL', `the models cannot be compared: ${what}`);
}

function differenceOf(values: Float32Array, others: Float32Array): number {
  if (others.length !== values.length) return Number.NaN;
  let difference = 0;
  let scale = 1;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? Number.NaN;
    // Math.max keeps a NaN, which passes no comparison.
    difference = Math.max(difference, Math.abs(value - (others[i] ?? Number.NaN)));
    scale = Math.max(scale, Math.abs(value));
  }
  // Infinity / Infinity is NaN, too: against an infinite scale any difference would be small.
  return difference / scale;
}

/**
 * The largest difference of any output, relative to the largest value of that output in `reference`, which counts as 1 at least: one
 * output of large values must not hide what is wrong with another. NaN where the shapes differ, or where a value is not finite. Both must have
 * the same outputs. Throws ERR_UNSUPPORTED_MODEL when these are no floats.
 */
export async function compare(reference: Outputs, other: Outputs): Promise<number> {
  let difference = 0;
  for (const name of Object.keys(reference))
    difference = Math.max(
      difference,
      differenceOf(await valuesOf(reference, name), await valuesOf(other, name)),
    );
  return difference;
}
