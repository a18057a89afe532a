import type { Size } from '../size.js';

/** What holds of a photo that was restored in pieces, beside the photo restored whole. */
export type PiecesBound =
  /** The pieces see all that their pixels depend on: but for rounding nothing is other. */
  | 'exact'
  /** Values differ by less than half a step of 8 bits, as measured on the networks that are known (docs/photos.md). */
  | 'half-level'
  /** The network computes over whole images, or nobody knows: pieces are other than the whole. */
  | 'none';

/** How a photo was restored in pieces. */
export interface Pieces {
  /** How many below each other, and side by side. */
  readonly rows: number;
  readonly columns: number;
  /** The rows and columns of the photo that the network saw around a piece. */
  readonly halo: Size;
  /** What pieces begin at multiples of. */
  readonly multiple: Size;
  /** How many pixels the network saw for one of the photo. */
  readonly work: number;
  readonly bound: PiecesBound;
  /** What `checkPieces` has measured. */
  readonly check: PiecesCheck | undefined;
}

/** The difference between pieces and the whole, at a seam. */
export interface PiecesCheck {
  /** The part of the photo that was compared: the first row and column, and how many. */
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
  /** The largest difference, in steps of 8 bits, before rounding. */
  readonly levels: number;
  /** How far around it the network saw the photo for comparison, in rows and columns. */
  readonly seen: Size;
}
