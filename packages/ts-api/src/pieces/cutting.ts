// How photos may be cut for the network of a session, found once by running it on strips of a made-up image.
import { recordIn } from '../conversion/record.js';
import { sidesFor } from '../image/network.js';
import type { Restorer } from '../image/restorer.js';
import { asItIs, copyImage } from '../session/copy-image.js';
import { fittingSide } from '../session/sides.js';
import type { Size } from '../size.js';
import { type Agreement, agreementAt, type Strip, stripLength } from './agreement.js';
import { halosFor, spareFor } from './halo.js';
import { anchorKey, recordedReach } from './reach.js';
import { remembered } from './remembered.js';
import { runTrial } from './trial.js';

/** How photos may be cut for a network. */
export interface Cutting {
  readonly multiple: Size;
  /** Beyond which a piece differs from the whole by less than half a step, by the bits of a photo. */
  readonly halo: Readonly<Record<8 | 16, Size>>;
  /** All that pixels depend on; undefined where that is not known. */
  readonly exact: Size | undefined;
  /** The windows of its statistics, at the size of the photo; [1, 1] where it has none. */
  readonly base: Size;
}

/** Why pieces of a photo are no pieces of the result. */
export interface Uncuttable {
  readonly why: string;
  /** Whether it is for statistics of the whole image, so that pieces can be had for what they cost. */
  readonly isGlobal: boolean;
}

/** How far away pieces may come to agree of a network that nothing is known of, in pixels. */
const distances = [96, 384, 1024];

/** As far as strips are run for the windows that a model says it has: beyond, pieces would be larger than photos. */
const farthest = 8192;

/** What a strip may have: it is made up on the event loop's thread. */
const mostPixels = 2 ** 21;

/** As thin as a strip may be, so that it costs little. */
const thinnest = 32;

/** In [0, 1), always the same for the same numbers. */
function hash(a: number, b: number, c: number): number {
  let bits = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b) ^ Math.imul(c, 0xc2b2ae35);
  bits = Math.imul(bits ^ (bits >>> 15), 0x2c1b3c6d);
  bits = Math.imul(bits ^ (bits >>> 12), 0x297a2d39);
  return ((bits ^ (bits >>> 15)) >>> 0) / 2 ** 32;
}

/** How far apart, in pixels, one thing in it ends and the next begins. */
const patch = 71;

/**
 * Things side by side as in photos at their worst: dark ones and bright ones, smooth and rough, so that what is near a place differs from
 * what is a little farther away; no two places are alike.
 */
function valueAt(along: number, across: number, channel: number): number {
  const thing = Math.floor(along / patch);
  const brightness = hash(thing, 1, 0) * 0.8 + hash(thing, 2, channel) * 0.2;
  const roughness = hash(thing, 3, 0) ** 2 * 0.6;
  const value = brightness + (hash(along, across, channel + 7) - 0.5) * roughness;
  return Math.min(1, Math.max(0, value));
}

/** A strip of the image, in planes, from row or column `begin` up to `end`. */
function strip(begin: number, end: number, across: number, axis: 0 | 1, colours: 1 | 3): Float32Array {
  const [height, width] = axis === 0 ? [end - begin, across] : [across, end - begin];
  const data = new Float32Array(colours * height * width);
  let at = 0;
  for (let channel = 0; channel < colours; channel++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++)
        data[at++] = axis === 0 ? valueAt(begin + y, x, channel) : valueAt(begin + x, y, channel);
    }
  }
  return data;
}

/** Swaps rows and columns of each channel. */
function turned(values: Float32Array, channels: number, height: number, width: number): Float32Array {
  const made = new Float32Array(values.length);
  for (let channel = 0; channel < channels; channel++) {
    const plane = channel * height * width;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) made[plane + x * height + y] = values[plane + y * width + x] as number;
    }
  }
  return made;
}

/** Runs the network on a stretch of a strip that is `whole` long. */
async function runStrip(
  restorer: Restorer,
  data: Float32Array,
  { begin, length, whole }: Readonly<Record<'begin' | 'length' | 'whole', number>>,
  axis: 0 | 1,
  colours: 1 | 3,
): Promise<Strip> {
  const across = data.length / colours / length;
  const sizeOf = (along: number) => (axis === 0 ? ([along, across] as const) : ([across, along] as const));
  const piece = { top: axis === 0 ? begin : 0, left: axis === 1 ? begin : 0, size: sizeOf(whole) };
  const made = await runTrial(restorer, data, sizeOf(length), colours, piece);
  const { height, width } = made.size;
  const { channels } = made.image;
  const map = Array.from({ length: channels }, (_, channel) => asItIs(channel));
  const layout = { type: 'float32', channelsLast: false, height, width } as const;
  const values = (await copyImage(made.image, map, layout)).data as Float32Array;
  const scale = made.scale[axis];
  return axis === 0
    ? { values, channels, length: height, across: width, scale }
    : { values: turned(values, channels, height, width), channels, length: width, across: height, scale };
}

/** How an axis may be cut so that pieces agree from the first of these distances on at which they do. */
async function alongAxis(
  restorer: Restorer,
  colours: 1 | 3,
  axis: 0 | 1,
  distances: readonly number[],
  isEnough: (agreement: Agreement, distance: number) => boolean,
): Promise<Agreement | undefined> {
  const sides = (await sidesFor(restorer)) ?? { multiple: 1, minimum: 1 };
  const across = fittingSide(thinnest, sides);
  const isFloat16 = restorer.input.type === 'float16';
  for (const distance of distances) {
    const whole = stripLength(distance);
    const run = (begin: number, end: number) => {
      const data = strip(begin, end, across, axis, colours);
      return runStrip(restorer, data, { begin, length: end - begin, whole }, axis, colours);
    };
    // The shortest piece must be one that the network takes, and the whole no more than is worth it.
    if (whole < 2 * sides.minimum || whole * across > mostPixels) continue;
    const agreement = await agreementAt(run, distance, sides.multiple, isFloat16);
    if (agreement && isEnough(agreement, distance)) return agreement;
  }
  return undefined;
}

/**
 * Differences to the whole, by the bits of a photo, in units of the range, that one cut of the made-up image may show at the halo: on a photo
 * cut thousands of times the largest one was seventy times that, and is to be less than half a step of 8 bits. For photos of 16 bits as little
 * as rounding leaves.
 */
const shown: Readonly<Record<8 | 16, number>> = { 8: 1e-5, 16: 4e-7 };

/** Without statistics there is nothing that damps what comes from afar: all counts that is more than rounding. */
const rounding = 1e-6;

/** In float16 it is rounding that shows. */
const float16Rounding = 2e-3;

async function find(restorer: Restorer, colours: 1 | 3): Promise<Cutting | Uncuttable> {
  const { session, output, input } = restorer;
  const record = recordIn(session.modelMetadata);
  const sites = record?.sites ?? [];
  const fast = sites.find(({ maxStride }) => maxStride !== undefined);
  if (fast)
    return {
      why: `in fast mode node ${fast.node} takes samples whose places depend on the size of the image; convert the model without it`,
      isGlobal: false,
    };
  const local = record && sites.length > 0 ? record : undefined;
  const halosAlong = (axis: 0 | 1) => halosFor(sites, local?.baseSize[axis] ?? 1);
  const tried = (axis: 0 | 1) => (local ? [halosAlong(axis)[1]] : distances);
  if (Math.max(...tried(0), ...tried(1)) > farthest)
    return { why: 'its windows are larger than the pieces that a photo is cut into', isGlobal: false };
  const isFloat16 = input.type === 'float16';
  const plain = isFloat16 ? float16Rounding : rounding;
  // Without statistics that are local, what is left far away is none that is damped.
  const isEnough = ({ reachOf }: Agreement, distance: number) =>
    local !== undefined || reachOf(plain) < distance;
  const rows = await alongAxis(restorer, colours, 0, tried(0), isEnough);
  const columns = rows && (await alongAxis(restorer, colours, 1, tried(1), isEnough));
  if (!rows || !columns) return uncuttable(restorer, local !== undefined);
  const both = (of: (agreement: Agreement, axis: 0 | 1) => number): Size => [of(rows, 0), of(columns, 1)];
  const multiple = both((agreement) => agreement.multiple);
  if (!local) {
    const seen = both(({ reachOf }) => reachOf(plain) + 1);
    return { multiple, halo: { 8: seen, 16: seen }, exact: isFloat16 ? undefined : seen, base: [1, 1] };
  }
  const reach = recordedReach(session.modelMetadata, output);
  const exact =
    reach && both(({ multiple: step }, axis) => reach[axis] + step + spareFor(sites, local.baseSize[axis]));
  const haloOf = (bitDepth: 8 | 16) =>
    both(({ reachOf }, axis) => {
      const [least, agreed] = halosAlong(axis);
      // What float16 rounds away cannot be seen.
      const needed = isFloat16 ? Math.ceil((least + agreed) / 2) : reachOf(shown[bitDepth]);
      return Math.min(Math.max(least, needed), exact?.[axis] ?? Number.POSITIVE_INFINITY);
    });
  return { multiple, halo: { 8: haloOf(8), 16: haloOf(16) }, exact, base: local.baseSize };
}

function uncuttable({ session }: Restorer, isLocal: boolean): Uncuttable {
  if (!isLocal)
    return {
      why: 'it computes over the whole image, so that pieces of it would come out as other pictures; `tlsc convert` makes such statistics local',
      isGlobal: true,
    };
  const anchor = session.modelMetadata[anchorKey];
  const cut = anchor === undefined ? '' : `, because of node ${anchor}`;
  return {
    why: `pieces come out as other pictures than the whole, wherever they begin${cut}`,
    isGlobal: false,
  };
}

/** How photos may be cut for the network of a session, or why they cannot be; found at the first call. */
export const cuttingFor = remembered(find);

export function isUncuttable(cutting: Cutting | Uncuttable): cutting is Uncuttable {
  return 'why' in cutting;
}
