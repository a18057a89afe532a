// The sides that the network of a session takes: what its model has recorded, or what runs show, once.
import type { Tensor } from 'onnxruntime-common';
import { TlscError } from '../errors.js';
import type { Size } from '../size.js';
import type { Feeds } from './feeds.js';
import { type ImageInput, imageInputOf } from './image-input.js';
import { layoutOf, sidesIn } from './image-layout.js';
import { toImageTensor } from './image-tensors.js';
import type { InferenceSession } from './inference-session.js';
import { findSides, isRefusal, isSides, type Sides, type Trial } from './sides.js';

/** Of the model's custom metadata. */
export const sidesKey = 'tlsc.sides';

/** What a model has recorded; undefined where that is nothing, or nothing sensible. */
export function recordedSides(metadata: Readonly<Record<string, string>>): Sides | undefined {
  try {
    const sides: unknown = JSON.parse(metadata[sidesKey] ?? '');
    return isSides(sides) ? { multiple: sides.multiple, minimum: sides.minimum } : undefined;
  } catch {
    return undefined;
  }
}

/** Of a number of channels that the model leaves open. */
const usualChannels = 3;
/** No photo has more, and a model may ask for any number. */
const mostChannels = 4;
/** Neither black nor white. */
export const gray = 0.5;

/** How many channels an image has that a network is only tried on; undefined where it wants more than photos have. */
export function trialChannels({ shape, layout }: ImageInput): number | undefined {
  const declared = shape[layout.channels];
  const channels = typeof declared === 'number' ? declared : usualChannels;
  return channels > mostChannels ? undefined : channels;
}

/** Runs the session on gray images; `others` are the feeds of its other inputs for an image of such a side. */
function trialOf(
  session: InferenceSession,
  input: ImageInput,
  others: (side: number) => Feeds = () => ({}),
): Trial {
  const fixed = fixedSides(input);
  return async (side) => {
    const [height, width] = [fixed[0] ?? side, fixed[1] ?? side];
    const channels = trialChannels(input);
    if (channels === undefined) return undefined;
    const values = new Float32Array(channels * height * width).fill(gray);
    const image = toImageTensor(input.type, values, sidesIn(input.layout, [1, channels, height, width]));
    try {
      const outputs = await session.run({ ...others(side), [input.name]: image });
      return new Map(
        Object.entries(outputs).flatMap(([name, tensor]) => sizeOf(session, name, tensor, fixed, side)),
      );
    } catch (error) {
      if (isRefusal(error)) return undefined;
      throw error;
    }
  };
}

/** Height and width of an output that is an image; along a side that is fixed it is as large as any. */
function sizeOf(
  session: InferenceSession,
  name: string,
  { dims }: Tensor,
  fixed: readonly (number | undefined)[],
  side: number,
): [string, Size][] {
  if (dims.length !== 4) return [];
  const declared = session.outputMetadata.find((output) => output.name === name);
  const { rows, columns } = layoutOf(
    declared?.isTensor && declared.shape.length === 4 ? declared.shape : dims,
  );
  const along = (axis: 0 | 1) =>
    fixed[axis] === undefined ? (dims[axis === 0 ? rows : columns] ?? 0) : side;
  return [[name, [along(0), along(1)]]];
}

/** Height and width that the model fixes, each undefined where it is free. */
export function fixedSides({ shape, layout }: ImageInput): readonly (number | undefined)[] {
  return [layout.rows, layout.columns].map((axis) => {
    const side = shape[axis];
    return typeof side === 'number' ? side : undefined;
  });
}

const found = new WeakMap<InferenceSession, Promise<Sides | undefined>>();

async function search(trial: Trial, largest?: number): Promise<Sides | undefined> {
  try {
    return await findSides(trial, largest);
  } catch (error) {
    // There may be more of it another time.
    if (error instanceof TlscError && error.code === 'ERR_OUT_OF_MEMORY') return undefined;
    throw error;
  }
}

/** The sides that the network takes, where its input leaves them open; undefined where none is known. Only what was found is kept. */
export async function sidesOf(
  session: InferenceSession,
  input: ImageInput,
  others?: (side: number) => Feeds,
  largest?: number,
): Promise<Sides | undefined> {
  const recorded = recordedSides(session.modelMetadata);
  if (recorded) return recorded;
  const known = found.get(session) ?? search(trialOf(session, input, others), largest);
  found.set(session, known);
  try {
    const sides = await known;
    if (!sides) found.delete(session);
    return sides;
  } catch (error) {
    found.delete(session);
    throw error;
  }
}

/** The image of a session that takes one, free in its sides, and nothing else; undefined for any other. */
export function freeImageOf(session: InferenceSession): ImageInput | undefined {
  try {
    const input = imageInputOf(session, 'the model', []);
    return fixedSides(input).every((side) => side === undefined) ? input : undefined;
  } catch (error) {
    if (error instanceof TlscError) return undefined;
    throw error;
  }
}

/** The sides that such a session takes; undefined for any other, and where none up to `largest` is taken. */
export async function sidesOfOnly(session: InferenceSession, largest: number): Promise<Sides | undefined> {
  const input = freeImageOf(session);
  return input && sidesOf(session, input, undefined, largest);
}
