import { DataType } from '../graph/proto.js';
import type { Body } from './body.js';
import type { Extent } from './window-mean.js';

/** The windows that cover an axis of a plane: as few as can, evenly apart; one-element int64 tensors. */
export interface Tiles extends Extent {
  /** Where the plane begins in the one that it is a piece of. */
  readonly place: string;
  /** How many windows that one has, */
  readonly count: string;
  /** how far from one to the next, but to the last one, */
  readonly step: string;
  /** and where the last one begins. */
  readonly last: string;
}

/** The input that says where planes lie in those that they are pieces of: first row and column, height and width of the whole; 0: no pieces. */
export const placeInput = 'place';

/** The quotient rounded up, of what is not negative by what may be 0, which counts as 1. */
function ceilDiv(body: Body, dividend: string, divisor: string): string {
  const positive = body.op('Max', [divisor, body.ints(1)]);
  const short = body.op('Sub', [positive, body.ints(1)]);
  return body.op('Div', [body.op('Add', [dividend, short]), positive]);
}

function placeSide(body: Body, index: number): string {
  return body.slice(placeInput, body.ints(index), body.ints(index + 1), 0);
}

/** Begin and length of the plane that one is a piece of, along an axis. */
export function wholeOf(
  body: Body,
  { axis, length }: Omit<Extent, 'window'>,
): { place: string; whole: string } {
  const [place, given] = [placeSide(body, axis - 2), placeSide(body, axis)];
  const isPiece = body.op('Greater', [given, body.ints(0)]);
  const begin = body.op('Where', [isPiece, place, body.ints(0)]);
  return { place: begin, whole: body.op('Where', [isPiece, given, length]) };
}

/** The tiles of an axis by windows that are no longer than the whole. */
export function tilesOf(body: Body, extent: Extent): Tiles {
  const { window } = extent;
  const { place, whole } = wholeOf(body, extent);
  const count = body.op('Max', [ceilDiv(body, whole, window), body.ints(1)]);
  const last = body.op('Sub', [whole, window]);
  const gaps = body.op('Sub', [count, body.ints(1)]);
  const step = body.op('Max', [ceilDiv(body, last, gaps), body.ints(1)]);
  return { ...extent, place, count, step, last };
}

/** Where windows of the whole begin that are given by their indices; one behind the last begins where the last does. */
export function beginOf(body: Body, { step, last }: Tiles, index: string): string {
  return body.op('Min', [body.op('Mul', [index, step]), last]);
}

/** 0, 1, … count - 1 in a row; `count` has one element. */
export function countTo(body: Body, count: string): string {
  const [start, end, step] = [body.ints(0), count, body.ints(1)].map((value) =>
    body.op('Squeeze', [value]),
  ) as [string, string, string];
  return body.op('Range', [start, end, step]);
}

/** The windows of an axis that lie in a piece. */
export interface TilesInPiece {
  /** Where each begins in the piece, with those at its borders in front and behind. */
  readonly begins: string;
  /** The first of the whole that lies in it, and how many do. */
  readonly first: string;
  readonly inside: string;
  /** Whether there is one more at either border: 0 or 1. */
  readonly front: string;
  readonly back: string;
}

/** The windows of the whole that lie in the piece, and, where its borders cut windows in two, one more along each. */
export function tilesInPiece(body: Body, tiles: Tiles): TilesInPiece {
  const { length, window, place, count } = tiles;
  const [zero, one] = [body.ints(0), body.ints(1)];
  const int = (condition: string) => body.op('Cast', [condition], { to: DataType.INT64 });
  const not = (condition: string) => body.op('Not', [condition]);
  const begins = beginOf(body, tiles, countTo(body, count));
  const end = body.op('Sub', [body.op('Add', [place, length]), window]); // of begins in the piece
  const isBefore = body.op('Less', [begins, place]);
  const isIn = body.op('And', [not(isBefore), not(body.op('Greater', [begins, end]))]);
  const sum = (conditions: string) => body.op('ReduceSum', [int(conditions)], { keepdims: 1 }); // of all axes, which is one
  const [first, inside] = [sum(isBefore), sum(isIn)];
  const isNone = body.op('Less', [inside, one]);
  const firstBegin = beginOf(body, tiles, first);
  const lastIn = body.op('Sub', [body.op('Add', [first, inside]), one]);
  const isFront = body.op('Or', [isNone, body.op('Greater', [firstBegin, place])]);
  const isShort = body.op('And', [isNone, body.op('Greater', [length, window])]);
  const endsEarly = body.op('And', [not(isNone), body.op('Less', [beginOf(body, tiles, lastIn), end])]);
  const isBack = body.op('Or', [isShort, endsEarly]);
  const all = [zero, body.op('Sub', [begins, place]), body.op('Sub', [length, window])];
  const chosen = body.op(
    'Compress',
    [body.op('Concat', all, { axis: 0 }), body.op('Concat', [isFront, isIn, isBack], { axis: 0 })],
    { axis: 0 },
  );
  return { begins: chosen, first, inside, front: int(isFront), back: int(isBack) };
}
