import { invalidArgument } from '../errors.js';
import { isBoolean, type OptionNames, wholeNumber } from '../options.js';
import { largestSide, type Size, type SizeOption } from '../size.js';

/** How much memory a photo may take, and how it is cut where it takes more. */
export interface PiecesOptions {
  /**
   * The most bytes that restoring may take, beside what the process has already. A photo that takes more is restored in pieces, if the
   * network can work so. Default: 0.7 of the memory that the machine, or its container, has left.
   */
  readonly memory?: number | undefined;
  /**
   * How many rows and columns around a piece the network sees: a number for both, or [rows, columns]. Default: what keeps the difference to
   * the whole photo below half a step of 8 bits. Of a network with global statistics photos are cut only where it is given.
   */
  readonly halo?: SizeOption | undefined;
  /** Whether pieces are to see all that their pixels depend on, which only networks of few layers with statistics allow. Default: false. */
  readonly exact?: boolean | undefined;
  /**
   * Whether to measure what the pieces differ from the whole by, at a place where four of them meet: two more runs. Default: false.
   */
  readonly checkPieces?: boolean | undefined;
  /** Told of each piece when it is done, and of how many there are; not of a photo that is restored whole. */
  readonly onPiece?: ((done: number, all: number) => void) | undefined;
}

export const piecesOptionNames: OptionNames<PiecesOptions> = {
  memory: true,
  halo: true,
  exact: true,
  checkPieces: true,
  onPiece: true,
};

export interface CheckedPieces {
  readonly memory: number | undefined;
  readonly halo: Size | undefined;
  readonly exact: boolean;
  readonly checks: boolean;
  readonly onPiece: PiecesOptions['onPiece'];
}

const [isMemory, memories] = wholeNumber(1, Number.MAX_SAFE_INTEGER);
const [isHalo, halos] = wholeNumber(0, largestSide);

/** Throws ERR_INVALID_ARGUMENT. */
export function toPieces(options: PiecesOptions): CheckedPieces {
  const { memory, halo, exact = false, checkPieces: checks = false, onPiece } = options;
  if (memory !== undefined && !isMemory(memory)) throw invalidArgument('memory', memories, memory);
  if (!isBoolean(exact)) throw invalidArgument('exact', 'true or false', exact);
  if (!isBoolean(checks)) throw invalidArgument('checkPieces', 'true or false', checks);
  if (onPiece !== undefined && typeof onPiece !== 'function')
    throw invalidArgument('onPiece', 'a function', onPiece);
  const sides: readonly unknown[] = Array.isArray(halo) ? halo : [halo, halo];
  if (halo !== undefined && !(sides.length === 2 && sides.every(isHalo)))
    throw invalidArgument('halo', `${halos}, or two, of rows and of columns`, halo);
  if (halo !== undefined && exact) throw invalidArgument('exact', 'not given together with halo', exact);
  return {
    memory,
    halo: halo === undefined ? undefined : (sides as unknown as Size),
    exact,
    checks,
    onPiece,
  };
}
