import type { Body } from './body.js';
import type { Extent } from './window-mean.js';

/** The windows that cover an axis of a plane: as few as can, evenly apart; one-element int64 tensors. */
export interface Tiles extends Extent {
  readonly count: string;
  /** From a window to the next, but to the last one, which ends with the plane. */
  readonly step: string;
}

/** The quotient rounded up, of what is not negative by what may be 0, which counts as 1. */
function ceilDiv(body: Body, dividend: string, divisor: string): string {
  const positive = body.op('Max', [divisor, body.ints(1)]);
  const short = body.op('Sub', [positive, body.ints(1)]);
  return body.op('Div', [body.op('Add', [dividend, short]), positive]);
}

/** The tiles of an axis by windows that are no longer than it. */
export function tilesOf(body: Body, extent: Extent): Tiles {
  const { length, window } = extent;
  const count = body.op('Max', [ceilDiv(body, length, window), body.ints(1)]);
  const free = body.op('Sub', [length, window]);
  const gaps = body.op('Sub', [count, body.ints(1)]);
  const step = body.op('Max', [ceilDiv(body, free, gaps), body.ints(1)]);
  return { ...extent, count, step };
}

/** Where windows begin that are given by their indices; one behind the last begins where the last does. */
export function beginOf(body: Body, { length, window, step }: Tiles, index: string): string {
  return body.op('Min', [body.op('Mul', [index, step]), body.op('Sub', [length, window])]);
}

/** 0, 1, … count - 1 in a row; `count` has one element. */
export function countTo(body: Body, count: string): string {
  const [start, end, step] = [body.ints(0), count, body.ints(1)].map((value) =>
    body.op('Squeeze', [value]),
  ) as [string, string, string];
  return body.op('Range', [start, end, step]);
}
