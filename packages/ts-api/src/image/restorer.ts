// A session, and how photos go through it: the options of `restore`, checked once.
import { invalidArgument, TlscError, throwIfAborted } from '../errors.js';
import { checkSignal, isBoolean, type OptionNames } from '../options.js';
import { type CheckedPieces, type PiecesOptions, piecesOptionNames, toPieces } from '../pieces/options.js';
import { type ImageInput, imageInputOf } from '../session/image-input.js';
import { InferenceSession } from '../session/inference-session.js';
import { checkMaxPixels, type DecodeOptions } from './decode.js';
import { checkPage } from './files.js';
import type { OtherInputs } from './inputs.js';
import { checkValues, givenValues, recordedValues, type ValueOptions, valueOptionNames } from './values.js';

export interface RestoreOptions extends ValueOptions, PiecesOptions {
  /** The output that is the restored image; needed when the model has several. */
  readonly output?: string;
  /** Other outputs that `restore` hands out as they come, of photos that are restored whole. Default: none. */
  readonly fetches?: readonly string[] | undefined;
  /** What the model takes beside the photo, by the names of its inputs; the one that is left is the photo's. */
  readonly inputs?: OtherInputs | undefined;
  /**
   * Whether to reject with ERR_IMPLAUSIBLE_RESULT where nothing says what the network's values mean and the result cannot be a photo: far
   * beyond black and white, or of one colour. Default: false.
   */
  readonly judge?: boolean | undefined;
  /** As for `readPhoto`; of no use with a `Photo`. */
  readonly maxPixels?: number;
  /** As for `readPhoto`; of no use with a `Photo`. */
  readonly page?: number | undefined;
  readonly signal?: AbortSignal;
}

export const restoreOptionNames: OptionNames<RestoreOptions> = {
  ...valueOptionNames,
  ...piecesOptionNames,
  output: true,
  fetches: true,
  inputs: true,
  judge: true,
  maxPixels: true,
  page: true,
  signal: true,
};

function chooseOutput(session: InferenceSession, output: string | undefined): string {
  const [only, ...others] = session.outputNames;
  const chosen = output ?? (others.length === 0 ? only : undefined);
  if (chosen !== undefined && session.outputNames.includes(chosen)) return chosen;
  const names = session.outputNames.join(', ');
  const message =
    output === undefined
      ? `the model has several outputs (${names}); choose the restored image by the option output`
      : `the model has no output ${output}; it has ${names}`;
  throw new TlscError('ERR_INVALID_ARGUMENT', message, { parameter: 'output', expected: names });
}

/** Throws ERR_INVALID_ARGUMENT where the model has no such outputs beside the image, which becomes a photo. */
function checkFetches(
  { outputNames }: InferenceSession,
  output: string,
  fetches: unknown,
): readonly string[] {
  const others = outputNames.filter((name) => name !== output);
  const isOther = (one: unknown) => others.includes(one as string);
  if (Array.isArray(fetches) && fetches.every(isOther)) return fetches;
  throw invalidArgument(
    'fetches',
    `an array of outputs beside ${output}: ${others.join(', ') || 'there are none'}`,
    fetches,
  );
}

/** A session, and how photos go through it. */
export interface Restorer {
  readonly session: InferenceSession;
  readonly input: ImageInput;
  readonly output: string;
  readonly fetches: readonly string[];
  readonly values: ValueOptions;
  readonly inputs: OtherInputs;
  readonly judges: boolean;
  readonly decoding: DecodeOptions;
  readonly pieces: CheckedPieces;
}

/** Throws what `restore` says of its arguments. */
export function toRestorer(session: InferenceSession, options: RestoreOptions): Restorer {
  if (!(session instanceof InferenceSession))
    throw invalidArgument('session', 'an InferenceSession', session);
  checkValues(options);
  const { output, fetches = [], inputs = {}, judge: judges = false, signal } = options;
  if (typeof inputs !== 'object' || inputs === null)
    throw invalidArgument('inputs', 'an object of numbers, images and tensors by name', inputs);
  if (!isBoolean(judges)) throw invalidArgument('judge', 'true or false', judges);
  const maxPixels = checkMaxPixels(options.maxPixels);
  checkPage(options.page);
  checkSignal(signal);
  throwIfAborted(signal);
  const chosen = chooseOutput(session, output);
  return {
    session,
    input: imageInputOf(session, 'the model', Object.keys(inputs)),
    output: chosen,
    fetches: checkFetches(session, chosen, fetches),
    values: { ...recordedValues(session.modelMetadata), ...givenValues(options) },
    inputs,
    judges,
    decoding: { maxPixels, signal },
    pieces: toPieces(options),
  };
}
