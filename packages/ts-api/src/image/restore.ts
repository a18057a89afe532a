import type { Tensor } from 'onnxruntime-common';
import { abortable } from '../abort.js';
import { TlscError, throwIfAborted } from '../errors.js';
import { checkOptions } from '../options.js';
import { isCut, type PiecesPlan, planPieces, type WholePlan } from '../pieces/plan.js';
import type { Pieces, PiecesCheck } from '../pieces/report.js';
import {
  asItIs,
  copyAndSummarize,
  discard,
  handsOver,
  type ImageSummary,
  summarize,
} from '../session/copy-image.js';
import type { InferenceSession } from '../session/inference-session.js';
import { trim } from '../session/trim.js';
import { photoTurns, type TurnTaker } from '../turns.js';
import type { Samples } from './canvas.js';
import { type ImageSource, ownBytes } from './decode.js';
import { readPicture } from './files.js';
import { withoutHidden } from './hidden.js';
import { type OtherFeeds, prepareInputs } from './inputs.js';
import { judge } from './judge.js';
import { withMemoryFor } from './memory.js';
import { type NetworkOn, runNetwork, wholeOf } from './network.js';
import { checkPhoto, isPhoto, type Photo, type Picture, pictureOf, toPhoto } from './photo.js';
import { type Restored, restoreInPieces } from './pieces.js';
import { checkPieces } from './pieces-check.js';
import { fitAlpha, recoloured } from './resizing.js';
import { type RestoreOptions, type Restorer, restoreOptionNames, toRestorer } from './restorer.js';
import type { Scratch } from './scratch.js';
import { fromNetwork } from './values.js';

/** A photo, and how it came about. */
export interface RestoredPhoto extends Photo {
  /** How it was cut; undefined of a photo that was restored whole. */
  readonly pieces: Pieces | undefined;
  /** What `fetches` asked for. */
  readonly outputs: Readonly<Record<string, Tensor>>;
}

async function restoreWhole(
  network: NetworkOn,
  { limit }: WholePlan,
): Promise<Restored & Pick<RestoredPhoto, 'outputs'>> {
  const { restorer, picture } = network;
  const { image, size, others } = await runNetwork(network, wholeOf(picture), limit);
  const restored = await copyAndSummarize(
    image,
    fromNetwork(restorer.values, picture.colours, image.channels),
    size,
  );
  if (restored.image.data !== image.data) discard(image.data as Float32Array | Uint16Array);
  return { ...restored, outputs: others };
}

const sampleBytes: Readonly<Record<Samples, number>> = { float32: 4, uint16: 2, uint8: 1 };

/** A picture as it was restored, and how it was cut. */
export interface RestoredPicture {
  readonly picture: Picture;
  readonly pieces: Pieces | undefined;
  readonly outputs: RestoredPhoto['outputs'];
}

/** What a picture is restored for. */
interface Purpose {
  /** What its values become in the end: kept so where it is cut, they need no more memory than in the file that they are for. */
  readonly samples: Samples;
  /** Where they may be kept instead of in memory. */
  readonly scratch?: Scratch | undefined;
  /** The bytes of what else is in memory for this, besides the picture's pixels. */
  readonly held: number;
  /** Whether the session may keep memory for a next run. */
  readonly keepsMemory: boolean;
}

/** Restores one picture. `feedsOf` are the model's other inputs; `name` is how messages speak of it. */
export async function restorePicture(
  given: Picture,
  restorer: Restorer,
  feedsOf: OtherFeeds,
  name: string,
  { samples, held, scratch, keepsMemory }: Purpose,
): Promise<RestoredPicture> {
  const { values } = restorer;
  const { height, width } = given.pixels;
  return withMemoryFor(`the ${width}x${height} pixels of ${name}`, async () => {
    const picture = await withoutHidden(given);
    const network = { restorer, picture, feedsOf, name };
    const { colours } = picture;
    const { bitDepth } = picture.rest;
    // Luma is mixed with colours yet.
    const kept = values.channels === 'y' ? 'float32' : samples;
    const pixelBytes = given.pixels.data.byteLength;
    const isOnDisk = scratch?.fileOf(given.pixels.data) !== undefined;
    const inMemory = (isOnDisk ? 0 : pixelBytes) + (picture === given ? 0 : picture.pixels.data.byteLength);
    const task = {
      size: [height, width],
      colours,
      bitDepth,
      held: held + inMemory,
      pixelBytes,
      isOnDisk,
      bytesPerResult: colours * sampleBytes[kept],
      mayGoToDisk: scratch !== undefined && kept !== 'float32',
      name,
    } as const;
    const plan = await planPieces(restorer, task, restorer.pieces);
    try {
      return await restoreBy(plan, network, given, kept, scratch);
    } finally {
      plan.release();
      // Kept for a photo of the same size it would look as if it were taken.
      if (plan.limit !== undefined && (isCut(plan) || !keepsMemory)) trim(restorer.session);
    }
  });
}

async function restoreBy(
  plan: PiecesPlan | WholePlan,
  network: NetworkOn,
  given: Picture,
  samples: Samples,
  scratch: Scratch | undefined,
): Promise<RestoredPicture> {
  const { restorer, picture, name } = network;
  const { values, output, judges, decoding } = restorer;
  const pieces = isCut(plan) ? plan : undefined;
  if (pieces && restorer.fetches.length > 0) throw noOutputsOfPieces(name);
  const {
    image: restored,
    summary,
    outputs,
  } = pieces
    ? {
        ...(await restoreInPieces(network, pieces, samples, pieces.goesToDisk ? scratch : undefined)),
        outputs: {},
      }
    : await restoreWhole(network, plan);
  checkFinite(summary, output);
  if (judges) await judge(summary, () => summaryOf(picture), values, name);
  const isRecoloured = values.channels === 'y' && picture.colours === 3 && restored.channels === 1;
  const pixels = isRecoloured ? await recoloured(picture, restored) : restored;
  const alpha = await fitAlpha(given, pixels.height, pixels.width);
  throwIfAborted(decoding.signal);
  const check = pieces && restorer.pieces.checks ? await checkPieces(network, pieces) : undefined;
  return {
    picture: {
      pixels: { ...pixels, isHandedOver: pixels.isHandedOver || handsOver },
      colours: pixels.channels === 1 ? 1 : 3,
      white: 1,
      rest: { ...given.rest, ...alpha },
    },
    pieces: pieces && reportOf(pieces, check),
    outputs,
  };
}

function noOutputsOfPieces(name: string): TlscError {
  const message = `${name} does not fit into memory whole, and what fetches asks for is of whole photos`;
  return new TlscError('ERR_OUT_OF_MEMORY', message, { parameter: 'fetches' });
}

function reportOf({ grid, halo, multiple, bound }: PiecesPlan, check: PiecesCheck | undefined): Pieces {
  const { rows, columns, work } = grid;
  return { rows: rows.length, columns: columns.length, halo, multiple, work, bound, check };
}

function summaryOf({ pixels, colours }: Picture): Promise<ImageSummary> {
  return summarize(
    pixels,
    Array.from({ length: colours }, (_, channel) => asItIs(channel)),
  );
}

function checkFinite({ finite }: ImageSummary, output: string): void {
  if (finite) return;
  throw new TlscError(
    'ERR_RUN_FAILED',
    `output ${output} has pixels that are not finite numbers; if the network wants other values than from 0 to 1, say so by the option range, or the option mean and the option std`,
    { parameter: 'range' },
  );
}

/**
 * Restores a photo at its full size: a path, the bytes of an image file, or a `Photo`. Bit depth, alpha and metadata are carried over.
 * A photo of a size that the network cannot take is filled up by reflection at the bottom and on the right, and what it makes of that
 * is cropped; which sizes it takes, runs on small images show once per session, unless `convert` has recorded it.
 *
 * At most as many photos as there are cores (two at least) are on their way at once, in all sessions together; the others wait
 * their turn and are read only then. Once aborted the promise rejects at once; a decoder that is at work, and the operator that the network
 * is in, end in the background, and the turn with them.
 *
 * Rejects with ERR_IMAGE_NOT_FOUND, ERR_INVALID_IMAGE, ERR_IMAGE_TOO_LARGE, ERR_IMAGE_CHANNELS, ERR_UNSUPPORTED_MODEL (no image
 * in, or none out), ERR_IMPLAUSIBLE_RESULT, ERR_ABORTED, or what `InferenceSession.run` does.
 */
export async function restore(
  session: InferenceSession,
  image: ImageSource | Photo,
  options: RestoreOptions = {},
): Promise<RestoredPhoto> {
  checkOptions(options, restoreOptionNames);
  return restoreInTurn(photoTurns, session, image, options);
}

/** The same, in a turn of somebody's. */
export async function restoreInTurn(
  turns: TurnTaker,
  session: InferenceSession,
  image: ImageSource | Photo,
  options: RestoreOptions,
): Promise<RestoredPhoto> {
  const restorer = toRestorer(session, options);
  const { decoding, inputs, values } = restorer;
  const { signal } = decoding;
  const name = typeof image === 'string' ? image : 'the image';
  if (isPhoto(image)) checkPhoto(image, 'image');
  return turns.take(async (hold) => {
    const read = async () => {
      const feedsOf = await prepareInputs(session, inputs, values, decoding);
      const picture = isPhoto(image)
        ? pictureOf(image)
        : await readPicture(ownBytes(image, signal), options.page, decoding);
      return { feedsOf, picture };
    };
    const { feedsOf, picture } = await abortable(hold(read()), signal);
    const restored = async () => {
      const purpose = { samples: 'float32', held: 0, keepsMemory: turns.keepsMemory ?? false } as const;
      const { picture: made, ...more } = await restorePicture(picture, restorer, feedsOf, name, purpose);
      return { ...toPhoto(made.pixels, made.rest), ...more };
    };
    return abortable(hold(restored()), signal);
  }, signal);
}
