// What inputs that are no images are fed when a model is tried: which values a network takes is not written in it.

import { TlscError } from '../errors.js';
import type { Size } from '../size.js';
import { imageInputsOf, inputsOf, tensorTypeOf } from './inputs.js';
import type { Model } from './model.js';
import { DataType, type ValueInfoProto } from './proto.js';

/** What all inputs of a kind are fed. */
export interface TrialValues {
  /** Different values from the first to below the second; where they are the same, just that one. */
  readonly floats: readonly [number, number];
  readonly integers: number;
  readonly booleans: boolean;
}

type Kind = keyof TrialValues;

/**
 * From the most telling on: blend weights of 0 or 1 switch a part of a network off, and so do flags that are false. All zeros are the
 * last resort.
 */
const choices: { readonly [K in Kind]: readonly TrialValues[K][] } = {
  floats: [
    [0.25, 0.75],
    [1, 1],
    [0.01, 0.05],
    [0, 0],
  ],
  integers: [1, 0],
  booleans: [true, false],
};

const kinds: Readonly<Record<number, Kind>> = {
  [DataType.FLOAT]: 'floats',
  [DataType.DOUBLE]: 'floats',
  [DataType.FLOAT16]: 'floats',
  [DataType.BOOL]: 'booleans',
};

function kindOf(input: ValueInfoProto): Kind {
  return kinds[tensorTypeOf(input)?.elemType ?? 0] ?? 'integers';
}

function othersOf(model: Model, size: Size): ValueInfoProto[] {
  const images = new Set(imageInputsOf(model, size).map(({ name }) => name));
  return inputsOf(model).filter(({ name }) => !images.has(name));
}

/** All that is worth trying, in that order: one choice where the model takes images of this size alone, at most 16. */
export function trialValuesOf(model: Model, size: Size): [TrialValues, ...TrialValues[]] {
  const taken = new Set(othersOf(model, size).map(kindOf));
  const of = <K extends Kind>(kind: K) => choices[kind].slice(0, taken.has(kind) ? undefined : 1);
  const all = of('floats').flatMap((floats) =>
    of('integers').flatMap((integers) =>
      of('booleans').map((booleans): TrialValues => ({ floats, integers, booleans })),
    ),
  );
  return all as [TrialValues, ...TrialValues[]];
}

export function isRunFailure(error: unknown): error is TlscError {
  return error instanceof TlscError && error.code === 'ERR_RUN_FAILED';
}

/** What `run` makes of the first choice that the model runs on; where there is none, rejects as for the first of all. */
export async function firstThatRuns<T>(
  choices: readonly TrialValues[],
  run: (values: TrialValues) => Promise<T>,
): Promise<T> {
  let failure: unknown;
  for (const values of choices) {
    try {
      return await run(values);
    } catch (error) {
      if (!isRunFailure(error)) throw error;
      failure ??= error;
    }
  }
  throw failure;
}

/** What an input that is no image was fed. */
export interface FedInput {
  readonly input: string;
  /** '0.25 to 0.75', '1', 'true' … */
  readonly values: string;
}

export function showFed(model: Model, size: Size, fed: TrialValues): FedInput[] {
  const [low, high] = fed.floats;
  const shown = { ...fed, floats: low === high ? low : `${low} to ${high}` };
  return othersOf(model, size).map((input) => ({ input: input.name, values: String(shown[kindOf(input)]) }));
}
