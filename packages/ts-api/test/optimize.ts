// `optimize` for tests: what it makes is held against its original at a size of its own, on the kernels and on the bodies.
import { type OptimizeOptions, optimize as optimizeModel } from '../src/optimize.js';
import { largestDifference, noise } from './reference.js';
import { runModel } from './run-model.js';

/** Of a model from the image `x` to the image `y`: the operators that were put in place. Throws where they compute something else. */
export async function optimize(
  source: Uint8Array,
  options: OptimizeOptions = {},
): Promise<readonly string[]> {
  const { model, report } = await optimizeModel(source, { size: [24, 32], ...options });
  const x = noise([2, 3, 19, 23]);
  const expected = await runModel(source, x, 'portable');
  for (const operators of ['native', 'portable'] as const) {
    const difference = largestDifference(await runModel(model, x, operators), expected);
    if (!(difference < 1e-5)) throw new Error(`${operators} differs by ${difference}`);
  }
  return report.fused.map(({ operator }) => operator);
}
