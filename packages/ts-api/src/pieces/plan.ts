// Whether a photo is restored whole, or how it is cut so that it fits into memory.
import { TlscError } from '../errors.js';
import { takesOtherSizes } from '../image/network.js';
import type { Restorer } from '../image/restorer.js';
import { isBetterOnDisk } from '../image/scratch.js';
import { availableMemory } from '../session/available-memory.js';
import { showBytes } from '../session/out-of-memory.js';
import { type Size, showSize } from '../size.js';
import { type Cost, costOf } from './cost.js';
import { cuttingFor, isUncuttable } from './cutting.js';
import { bestGrid, type Cut, countOf, type Grid } from './grid.js';
import { grantedMemory, grantMemory, nextGrantEnds } from './ledger.js';
import type { CheckedPieces } from './options.js';
import type { PiecesBound } from './report.js';

interface Limited<T> {
  /** What a run may take at most, in bytes; undefined where it may take what there is. */
  readonly limit: T;
  /** To be called when the photo is done with. */
  readonly release: () => void;
}

function nothing(): void {}

/** A photo that is cut. */
export interface PiecesPlan extends Limited<number> {
  readonly grid: Grid;
  readonly halo: Size;
  readonly multiple: Size;
  readonly bound: PiecesBound;
  /** Whether what is made of it is not to be kept in memory. */
  readonly goesToDisk: boolean;
}

/** One that is not. */
export type WholePlan = Limited<number | undefined>;

export function isCut(plan: PiecesPlan | WholePlan): plan is PiecesPlan {
  return 'grid' in plan;
}

/** What is restored: the size of a photo, and what else is kept of it in memory meanwhile. */
export interface Task {
  readonly size: Size;
  readonly colours: 1 | 3;
  readonly bitDepth: 8 | 16;
  /** Bytes that are in memory for it already. */
  readonly held: number;
  /** The bytes of its pixels, and whether they are not among those, but lie in a file. */
  readonly pixelBytes: number;
  readonly isOnDisk: boolean;
  /** Bytes for each pixel of the result. */
  readonly bytesPerResult: number;
  /** Whether what is made of pieces may be kept in a file. */
  readonly mayGoToDisk: boolean;
  readonly name: string;
}

/** The share of available memory that a photo may take where nobody says how much it may, and where it cannot be cut. */
const [share, largestShare] = [0.7, 0.95];

/** What no network is known to take, per pixel: photos of which even so many bytes fit are not measured. */
const generous = 6000;

const float32Bytes = 4;

/** What pieces are cut at that are other than the whole wherever they begin. */
const anywhere = 64;

function resultBytes({ size: [height, width], bytesPerResult }: Task, area: number): number {
  return height * width * area * bytesPerResult;
}

/** What is made of a whole photo is float32 before it is anything else. */
function wholeResultBytes(task: Task, area: number): number {
  const floats = { ...task, bytesPerResult: task.colours * float32Bytes };
  const isFloat32 = task.bytesPerResult === floats.bytesPerResult;
  return resultBytes(floats, area) + (isFloat32 ? 0 : resultBytes(task, area));
}

function outOfMemory({ name, size }: Task, needed: number, memory: number, why: string): TlscError {
  const message = `${name} of ${showSize(size)} pixels takes ${showBytes(needed)}, and may take ${showBytes(memory)}; ${why}`;
  return new TlscError('ERR_OUT_OF_MEMORY', message, {
    parameter: 'memory',
    expected: `${Math.ceil(needed)}`,
  });
}

function cannotCut({ name, size }: Task, needed: number, why: string): TlscError {
  return new TlscError(
    'ERR_UNSUPPORTED_MODEL',
    `${name} of ${showSize(size)} pixels takes ${showBytes(needed)}, more than it may, and the network cannot restore it in pieces: ${why}`,
    { parameter: 'memory', expected: `${Math.ceil(needed)}` },
  );
}

type PiecesCut = Cut & { readonly bound: PiecesBound };

/** What to keep to where a photo must be cut, or why it cannot be. */
async function cutFor(
  restorer: Restorer,
  task: Task,
  { halo: chosen, exact: isExact }: CheckedPieces,
): Promise<PiecesCut | string> {
  const cutting = await cuttingFor(restorer, task.colours);
  if (isUncuttable(cutting)) {
    if (cutting.isGlobal && chosen)
      return { halo: chosen, multiple: [anywhere, anywhere], least: [1, 1], bound: 'none' };
    return cutting.why + (cutting.isGlobal ? '; the option halo cuts it all the same' : '');
  }
  const { multiple, exact, base: least } = cutting;
  if (isExact && !exact)
    return 'how far it reaches is not known, or beyond all that was tried; leave out the option exact';
  const halo = chosen ?? (isExact && exact ? exact : cutting.halo[task.bitDepth]);
  const covers = (other: Size | undefined) =>
    other?.every((side, axis) => (halo[axis] ?? 0) >= side) ?? false;
  const bound = covers(exact) ? 'exact' : covers(cutting.halo[task.bitDepth]) ? 'half-level' : 'none';
  return { multiple, halo, least, bound };
}

/** What a photo may take, in bytes. */
interface Budget {
  readonly memory: number;
  /** The same where it cannot be cut. */
  readonly most: number;
}

function budgetOf(available: number): Budget {
  const left = available - grantedMemory();
  return { memory: share * left, most: largestShare * left };
}

/** What is said, or a share of what is left of what others have not been promised. */
async function budgetFor(restorer: Restorer, { memory }: CheckedPieces): Promise<Budget> {
  return memory === undefined ? budgetOf(await availableMemory(restorer.session)) : { memory, most: memory };
}

/** The same for the pixels of a photo, wherever the network runs. */
export function memoryForPixels({ memory }: CheckedPieces): number {
  return memory ?? budgetOf(process.availableMemory()).memory;
}

function gridPlan(
  task: Task,
  cost: Cost,
  cut: PiecesCut,
  memory: number,
): Omit<PiecesPlan, 'release'> | undefined {
  const result = resultBytes(task, cost.area);
  const goesToDisk = task.mayGoToDisk && isBetterOnDisk(result, memory);
  const limit = memory - task.held - (goesToDisk ? 0 : result);
  const most = Math.floor((limit - cost.fixed) / cost.perPixel);
  const grid = bestGrid(task.size, cut, most);
  if (grid.most > most) {
    // With so little memory the pixels may go to disk that are in memory with more.
    const { held, pixelBytes, isOnDisk, mayGoToDisk } = task;
    const run = cost.fixed + grid.most * cost.perPixel + held - (isOnDisk ? 0 : pixelBytes);
    const canSpare = mayGoToDisk && isBetterOnDisk(Math.min(pixelBytes, result), run);
    const needed = canSpare ? run : run + pixelBytes + result;
    throw outOfMemory(
      task,
      needed,
      memory,
      'that is for its smallest pieces: allow more by the option memory, or choose a smaller one by the option halo',
    );
  }
  if (countOf(grid) === 1) return undefined;
  const { halo, multiple, bound } = cut;
  return { grid, halo, multiple, bound, goesToDisk, limit: Math.floor(limit) };
}

/**
 * How a photo is to be cut, or that it is restored whole, because it fits; it waits for others that are under way where it would fit without
 * them. Throws ERR_OUT_OF_MEMORY where no piece that is large enough fits, or ERR_UNSUPPORTED_MODEL where the network cannot work in pieces.
 */
export async function planPieces(
  restorer: Restorer,
  task: Task,
  options: CheckedPieces,
): Promise<PiecesPlan | WholePlan> {
  const [height, width] = task.size;
  const isSaid = options.memory !== undefined;
  // Of one size there is no other to measure, nor to cut into.
  if (!takesOtherSizes(restorer)) return { limit: options.memory, release: nothing };
  for (;;) {
    const { memory, most } = await budgetFor(restorer, options);
    if (!isSaid && height * width * generous + task.held <= memory)
      return { limit: undefined, release: nothing };
    const cost = await costOf(restorer, task.colours);
    const wholeResult = wholeResultBytes(task, cost.area);
    const whole = task.held + cost.fixed + height * width * cost.perPixel + wholeResult;
    // What somebody has said is theirs to share out.
    const grant = (bytes: number) => (isSaid ? nothing : grantMemory(bytes));
    const asWhole = (bytes: number): WholePlan => ({
      // A little more than what was measured, which is all that it may take.
      limit: Math.floor(bytes - task.held - wholeResult),
      release: grant(whole),
    });
    if (whole <= memory) return asWhole(memory);
    if (!isSaid && grantedMemory() > 0) {
      await nextGrantEnds(restorer.decoding.signal);
      continue;
    }
    const cut = await cutFor(restorer, task, options);
    if (typeof cut !== 'string') {
      const plan = gridPlan(task, cost, cut, memory);
      return plan ? { ...plan, release: grant(memory) } : asWhole(memory);
    }
    if (whole <= most) return asWhole(most);
    throw cannotCut(task, whole, cut);
  }
}
