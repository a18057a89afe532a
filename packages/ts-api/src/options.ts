import { invalidArgument } from './errors.js';

/** The names of an option object; the type makes sure that none is forgotten. */
export type OptionNames<T> = Readonly<Record<keyof T, unknown>>;

/** Throws ERR_INVALID_ARGUMENT unless `options` is an object without names that are not in `known`: a typo is no default. */
export function checkOptions<T extends object>(options: T, known: OptionNames<T>): void {
  const names = Object.keys(known).join(', ');
  if (typeof options !== 'object' || options === null)
    throw invalidArgument('options', `an object with ${names}`, options);
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(known, name)) throw invalidArgument('options', `made of ${names}`, name);
  }
}

/** Throws ERR_INVALID_ARGUMENT unless `signal` is an AbortSignal, or not given. */
export function checkSignal(signal: unknown): void {
  if (signal === undefined || signal instanceof AbortSignal) return;
  throw invalidArgument('signal', 'an AbortSignal', signal);
}

/** Whether a value is of a type, for options whose expected values are said beside it. */
export type Check<T> = (value: unknown) => value is T;

export const isBoolean: Check<boolean> = (value) => typeof value === 'boolean';

export function wholeNumber(low: number, high: number): [Check<number>, string] {
  const check: Check<number> = (value): value is number =>
    Number.isInteger(value) && (value as number) >= low && (value as number) <= high;
  return [check, `a whole number from ${low} to ${high}`];
}

export function oneOf<T extends string>(...names: readonly T[]): [Check<T>, string] {
  const check: Check<T> = (value): value is T => names.includes(value as T);
  return [check, `one of ${names.map((name) => `'${name}'`).join(', ')}`];
}
