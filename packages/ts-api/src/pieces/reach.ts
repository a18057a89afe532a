// How far from a pixel of the result the pixels of the image lie that it depends on: where what is not a number gets to.
import type { Tensor } from 'onnxruntime-common';
import { TlscError } from '../errors.js';
import { encodeModel, type Model } from '../graph/model.js';
import type { ImageInput } from '../session/image-input.js';
import { layoutOf, sidesIn } from '../session/image-layout.js';
import { floatsOf, isImageType, toImageTensor } from '../session/image-tensors.js';
import { InferenceSession } from '../session/inference-session.js';
import { gray, trialChannels } from '../session/known-sides.js';
import { fittingSide, isScale, type Sides } from '../session/sides.js';
import type { Size } from '../size.js';
import { nanModel } from './nan-model.js';

/** By output: rows and columns, from the nearest place at which the network's strides begin. An output that depends on all is left out. */
export type Reaches = Readonly<Record<string, Size>>;

/** Of the model's custom metadata. */
export const reachesKey = 'tlsc.reach';
/** The node that may anchor it to the image. */
export const anchorKey = 'tlsc.anchor';

/** What a model has recorded of an output; undefined where that is nothing, or nothing sensible. */
export function recordedReach(metadata: Readonly<Record<string, string>>, output: string): Size | undefined {
  try {
    const reaches: unknown = JSON.parse(metadata[reachesKey] ?? '');
    if (typeof reaches !== 'object' || reaches === null || !Object.hasOwn(reaches, output)) return undefined;
    const reach: unknown = (reaches as Record<string, unknown>)[output];
    const isReach = (one: unknown) =>
      Number.isInteger(one) && (one as number) >= 0 && (one as number) <= farthest;
    return Array.isArray(reach) && reach.length === 2 && reach.every(isReach)
      ? (reach as unknown as Size)
      : undefined;
  } catch {
    return undefined;
  }
}

/** More rows than the strides of any network that is known, so that one of each place among them is not a number. */
const band = 64;

/** As thin as a strip may be, so that it costs little. */
const thinnest = 16;

/** How far is looked, in pixels; deeper networks are restored by halos that are none of all that they see. */
const [nearest, farthest] = [128, 2048];

/** What a run may take, in bytes: whether it is worth it, nobody has asked yet. */
const memory = 2 ** 30;

/** First and last row (or column) of an output that is not a number, in rows of the image; undefined where there is none. */
async function extentIn(tensor: Tensor, layout: readonly (number | string)[], axis: 0 | 1, length: number) {
  const values = tensor.dims.length === 4 && isImageType(tensor.type) ? await floatsOf(tensor) : undefined;
  if (!values) return undefined;
  const { rows, columns } = layoutOf(layout.length === 4 ? layout : tensor.dims);
  const along = axis === 0 ? rows : columns;
  const made = tensor.dims[along] ?? 0;
  if (!isScale(made, length)) return undefined;
  const inner = tensor.dims.slice(along + 1).reduce((product, side) => product * side, 1);
  let [first, last] = [made, -1];
  for (let i = 0; i < values.length; i++) {
    if (!Number.isNaN(values[i])) continue;
    const row = Math.floor(i / inner) % made;
    if (row < first) first = row;
    if (row > last) last = row;
  }
  const scale = made / length;
  return { first: Math.floor(first / scale), last: Math.ceil((last + 1) / scale) - 1 };
}

async function reachAlong(
  session: InferenceSession,
  input: ImageInput,
  channels: number,
  sides: Sides,
  axis: 0 | 1,
  outputs: readonly string[],
  most: number,
): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  const across = fittingSide(thinnest, sides);
  let open = outputs;
  for (let reach = nearest; reach <= farthest && open.length > 0; reach *= 2) {
    const length = fittingSide(2 * reach + band, sides);
    if (length * across > most) break;
    const [height, width] = axis === 0 ? [length, across] : [across, length];
    const begin = Math.floor((length - band) / 2 / band) * band;
    const values = new Float32Array(channels * height * width).fill(gray);
    const dims = sidesIn(input.layout, [1, channels, height, width]);
    const at = axis === 0 ? input.layout.rows : input.layout.columns;
    const inner = dims.slice(at + 1).reduce((product, side) => product * side, 1);
    for (let i = 0; i < values.length; i++) {
      const row = Math.floor(i / inner) % length;
      if (row >= begin && row < begin + band) values[i] = Number.NaN;
    }
    const image = toImageTensor(input.type, values, dims);
    const made = await session.run({ [input.name]: image }, open, { memory });
    const still: string[] = [];
    for (const name of open) {
      const declared = session.outputMetadata.find((one) => one.name === name);
      const tensor = made[name] as Tensor;
      const extent = await extentIn(tensor, declared?.isTensor ? declared.shape : [], axis, length);
      if (!extent || extent.last < 0) continue;
      if (extent.first === 0 || extent.last === length - 1) still.push(name);
      else found.set(name, Math.max(begin - extent.first, extent.last - (begin + band - 1), 0));
    }
    open = still;
  }
  return found;
}

/**
 * How far the outputs of a network reach. Undefined where that cannot be told: the copy does not run, or takes too much memory. The model takes
 * nothing but the image, which is run with no more than `most` pixels: what a stranger's model takes to run may grow without measure.
 */
export async function reachesOf(
  model: Model,
  input: ImageInput,
  sides: Sides,
  most: number,
): Promise<Reaches | undefined> {
  try {
    const session = await InferenceSession.create(encodeModel(nanModel(model, input.name)), {
      externalDataFolder: model.externalDataFolder,
      graphOptimizationLevel: 'disabled',
      logSeverityLevel: 4,
    });
    try {
      const channels = trialChannels(input);
      if (channels === undefined) return undefined;
      const rows = await reachAlong(session, input, channels, sides, 0, session.outputNames, most);
      const columns = await reachAlong(session, input, channels, sides, 1, [...rows.keys()], most);
      return Object.fromEntries(
        [...columns].map(([name, across]) => [name, [rows.get(name) as number, across] as const]),
      );
    } finally {
      await session.release();
    }
  } catch (error) {
    if (error instanceof TlscError && error.code !== 'ERR_ABORTED') return undefined;
    throw error;
  }
}
