// What parent and child say to each other.
import type { CallName } from './calls.js';

/** Parent to child: the bytes of a file, and what to do with them, in this order. */
export interface Order {
  readonly bytes: Uint8Array;
  readonly calls: readonly CallName[];
  /** The side of the images that models are measured, checked and run with; undefined for the defaults of the calls. */
  readonly side: number | undefined;
}

/** Child to parent, before each call: what it dies of is the call that it named last. */
export interface Begun {
  readonly begun: CallName;
}

export interface Outcome {
  readonly call: CallName;
  /** The code of a TlscError; '' where the call succeeded. */
  readonly code: string;
  /** What is wrong with the way it ended, if anything: an error that is not documented, outputs that disagree. */
  readonly fault: Fault | undefined;
  readonly ms: number;
  /** The longest time that the event loop stood still, without the time in which the thread waited for a core. */
  readonly stallMs: number;
  /** The most memory that the process has held so far. */
  readonly peakBytes: number;
}

export interface Fault {
  readonly kind: 'error' | 'disagreement';
  readonly detail: string;
}

/** Child to parent, once all calls have ended. */
export interface Done {
  readonly outcomes: readonly Outcome[];
}

export type Reply = Begun | Done;
