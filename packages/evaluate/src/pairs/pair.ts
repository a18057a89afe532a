/** A photo to restore, and what it should become. */
export interface Pair {
  /** By which reports call it. */
  readonly name: string;
  /** The path of what the network is fed. */
  readonly input: string;
  /** The path of what should come out; undefined where that is not known. */
  readonly target: string | undefined;
}
