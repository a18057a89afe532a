// Whether a photo is restored whole, or how it is cut so that it fits into memory.
import { TlscError } from '../errors.js';
import type { Restorer } from '../image/restorer.js';
import { availableMemory } from '../session/available-memory.js';
import { showBytes } from '../session/out-of-memory.js';
import { type Size, showSize } from '../size.js';
import { type Cost, costOf } from './cost.js';
import { cuttingFor, isUncuttable } from './cutting.js';
import { bestGrid, type Cut, countOf, type Grid } from './grid.js';
import type { CheckedPieces } from './options.js';
import type { PiecesBound } from './report.js';

/** A photo that is cut. */
export interface PiecesPlan {
  readonly grid: Grid;
  readonly halo: Size;
  readonly multiple: Size;
  readonly bound: PiecesBound;
  /** What a run may take at most, in bytes. */
  readonly limit: number;
}

/** What is restored: the size of a photo, and what else is kept of it in memory meanwhile. */
export interface Task {
  readonly size: Size;
  readonly colours: 1 | 3;
  readonly bitDepth: 8 | 16;
  /** Bytes for each pixel of the result. */
  readonly bytesPerResult: number;
  readonly name: string;
}

/** The share of available memory that a photo may take where nobody says how much it may. */
const share = 0.7;

/** What no network is known to take, per pixel: photos of which even so many bytes fit are not measured. */
const generous = 6000;

/** What pieces are cut at that are other than the whole wherever they begin. */
const anywhere = 64;

function resultBytes({ size: [height, width], bytesPerResult }: Task, area: number): number {
  return height * width * area * bytesPerResult;
}

function wholeBytes(task: Task, cost: Cost): number {
  const [height, width] = task.size;
  return cost.fixed + height * width * cost.perPixel + resultBytes(task, cost.area);
}

function outOfMemory({ name, size }: Task, needed: number, memory: number, why: string): TlscError {
  const message = `${name} of ${showSize(size)} pixels takes ${showBytes(needed)}, and may take ${showBytes(memory)}; ${why}`;
  return new TlscError('ERR_OUT_OF_MEMORY', message, {
    parameter: 'memory',
    expected: `${Math.ceil(needed)}`,
  });
}

function cannotCut({ name, size }: Task, why: string): TlscError {
  return new TlscError(
    'ERR_UNSUPPORTED_MODEL',
    `${name} of ${showSize(size)} pixels needs more than the option memory allows, and the network cannot restore it in pieces: ${why}`,
    { parameter: 'memory' },
  );
}

/** What to keep to where a photo must be cut. Throws where it cannot be. */
async function cutFor(
  restorer: Restorer,
  task: Task,
  { halo: chosen, exact: isExact }: CheckedPieces,
): Promise<Cut & { readonly bound: PiecesBound }> {
  const cutting = await cuttingFor(restorer, task.colours);
  if (isUncuttable(cutting)) {
    if (cutting.isGlobal && chosen)
      return { halo: chosen, multiple: [anywhere, anywhere], least: [1, 1], bound: 'none' };
    throw cannotCut(task, cutting.why + (cutting.isGlobal ? '; the option halo cuts it all the same' : ''));
  }
  const { multiple, exact, base: least } = cutting;
  if (isExact && !exact)
    throw cannotCut(
      task,
      'how far it reaches is not known, or beyond all that was tried; leave out the option exact',
    );
  const halo = chosen ?? (isExact && exact ? exact : cutting.halo[task.bitDepth]);
  const covers = (other: Size | undefined) =>
    other?.every((side, axis) => (halo[axis] ?? 0) >= side) ?? false;
  const bound = covers(exact) ? 'exact' : covers(cutting.halo[task.bitDepth]) ? 'half-level' : 'none';
  return { multiple, halo, least, bound };
}

/**
 * How a photo is to be cut; undefined where it is restored whole, because it fits. Throws ERR_OUT_OF_MEMORY where no piece that is large
 * enough fits, or ERR_UNSUPPORTED_MODEL where the network cannot work in pieces.
 */
export async function planPieces(
  restorer: Restorer,
  task: Task,
  options: CheckedPieces,
): Promise<PiecesPlan | undefined> {
  const memory = options.memory ?? share * (await availableMemory(restorer.session));
  const [height, width] = task.size;
  if (options.memory === undefined && height * width * generous <= memory) return undefined;
  const cost = await costOf(restorer, task.colours);
  if (wholeBytes(task, cost) <= memory) return undefined;
  const { bound, ...cut } = await cutFor(restorer, task, options);
  const limit = memory - resultBytes(task, cost.area);
  const most = Math.floor((limit - cost.fixed) / cost.perPixel);
  const grid = bestGrid(task.size, cut, most);
  if (grid.most > most) {
    const needed = memory - limit + cost.fixed + grid.most * cost.perPixel;
    throw outOfMemory(
      task,
      needed,
      memory,
      'that is for its smallest pieces: allow more by the option memory, or choose a smaller one by the option halo',
    );
  }
  if (countOf(grid) === 1) return undefined;
  return { grid, halo: cut.halo, multiple: cut.multiple, bound, limit };
}
