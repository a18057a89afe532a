import { TlscError } from '../src/errors.js';
import type { Photo } from '../src/image/photo.js';
import { type RestoredPhoto, restore } from '../src/image/restore.js';
import type { RestoreOptions } from '../src/image/restorer.js';
import type { InferenceSession } from '../src/session/inference-session.js';

const plenty = 1e12;

/** A photo restored whole, whatever it takes. */
export function restoreWhole(
  session: InferenceSession,
  photo: Photo,
  options: RestoreOptions = {},
): Promise<RestoredPhoto> {
  return restore(session, photo, { ...options, memory: plenty });
}

/** The same with so little memory that it is cut into so many pieces at least. Throws what `restore` does where it cannot be cut. */
export async function restoreInPieces(
  session: InferenceSession,
  photo: Photo,
  options: RestoreOptions = {},
  pieces = 4,
): Promise<RestoredPhoto> {
  const { onPiece: _, ...silent } = options;
  const refusal: unknown = await restore(session, photo, { ...silent, memory: 1 }).catch((error) => error);
  if (!(refusal instanceof TlscError) || refusal.code !== 'ERR_OUT_OF_MEMORY') throw refusal;
  const least = Number(refusal.expected);
  for (const times of [1.6, 1.3, 1.1]) {
    const memory = Math.ceil(least * times);
    const restored = await restore(session, photo, { ...options, memory });
    if (restored.pieces && restored.pieces.rows * restored.pieces.columns >= pieces) return restored;
  }
  return restore(session, photo, { ...options, memory: least });
}

/** The largest difference of two photos, in steps of 8 bits. */
export function levelsBetween(a: Photo, b: Photo): number {
  const [one, other] = [a, b].map(({ tensor }) => tensor.data as Float32Array) as [
    Float32Array,
    Float32Array,
  ];
  if (one.length !== other.length) return Number.NaN;
  let largest = 0;
  for (let i = 0; i < one.length; i++) {
    const difference = Math.abs((one[i] as number) - (other[i] as number));
    if (!(difference <= largest)) largest = difference;
  }
  return largest * 255;
}
