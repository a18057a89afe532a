import { invalidArgument } from './errors.js';

/** The names of an option object; the type makes sure that none is forgotten. */
export type OptionNames<T> = Readonly<Record<keyof T, true>>;

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
