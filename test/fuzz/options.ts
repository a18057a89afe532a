import { parseArgs } from 'node:util';

export interface FuzzOptions {
  readonly seed: number;
  /** The first mutant's number; with `count` 1 one mutant alone. */
  readonly first: number;
  readonly count: number;
  readonly seconds: number;
  readonly children: number;
  /** Findings of one kind that are kept; the others are counted. */
  readonly keep: number;
  /** Seconds for making a finding's file smaller. */
  readonly minimise: number;
  readonly folder: string;
}

/** Throws on options that are none, and on numbers that are none. */
export function readOptions(folder: string): FuzzOptions {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    options: {
      seed: text,
      first: text,
      count: text,
      seconds: text,
      children: text,
      keep: text,
      minimise: text,
      folder: text,
    },
  });
  const number = (name: Exclude<keyof typeof values, 'folder'>, otherwise: number) => {
    const value = Number(values[name] ?? otherwise);
    if (!Number.isInteger(value) || value < 0) throw new Error(`--${name} must be a whole number`);
    return value;
  };
  // A count alone is to be reached, however long it takes.
  const hasCount = values.count !== undefined;
  return {
    seed: number('seed', 1),
    first: number('first', 0),
    count: hasCount ? number('count', 0) : Number.POSITIVE_INFINITY,
    seconds: hasCount && values.seconds === undefined ? Number.POSITIVE_INFINITY : number('seconds', 60),
    children: number('children', 2),
    keep: number('keep', 3),
    minimise: number('minimise', 60),
    folder: values.folder ?? folder,
  };
}
