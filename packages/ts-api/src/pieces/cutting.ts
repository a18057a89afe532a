// How photos may be cut for the network of a session, found once by running it on strips of a made-up image.
import { recordIn } from '../conversion/record.js';
import { sidesFor } from '../image/network.js';
import type { Restorer } from '../image/restorer.js';
import { asItIs, copyImage } from '../session/copy-image.js';
import { fittingSide } from '../session/sides.js';
import type { Size } from '../size.js';
import { type Agreement, agreementAt, type Strip, stripLength } from './agreement.js';
import { halosFor } from './halo.js';
import { remembered } from './remembered.js';
import { runTrial } from './trial.js';

/** How photos may be cut for a network. */
export interface Cutting {
  readonly multiple: Size;
  /** Beyond which a piece differs by less than half a step of 8 bits. */
  readonly halo: Size;
  /** The windows of its statistics, at the size of the photo; [1, 1] where it has none. */
  readonly base: Size;
  /** Whether `halo` is all that pixels depend on, as far as rounding shows. */
  readonly isExact: boolean;
}

/** Why pieces of a photo are no pieces of the result. */
export interface Uncuttable {
  readonly why: string;
  /** Whether it is for statistics of the whole image, so that pieces can be had for what they cost. */
  readonly isGlobal: boolean;
}

/** For networks that nothing is known of: how far away pieces may come to agree, in pixels. */
const distances = [96, 384, 1024];

/** As thin as a strip may be, so that it costs little. */
const thinnest = 32;

/** Every channel of it is other, and no two places are alike: neither in what is near them nor in what the whole has on average. */
function valueAt(along: number, across: number, channel: number): number {
  const slow = Math.sin(along / 61 + channel) * 0.2 + Math.sin(along / 230 + 2 * channel) * 0.15;
  const fast = Math.sin(along * 1.7 + across * 0.9) * 0.05;
  const hash = Math.imul((along * 8191 + across * 131 + channel * 31) | 0, 0x9e3779b1) >>> 8;
  const noise = (hash / 2 ** 24 - 0.5) * 0.3 * (0.6 + 0.4 * Math.sin(along / 97));
  return Math.min(1, Math.max(0, 0.5 + slow + fast + noise));
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

async function runStrip(
  restorer: Restorer,
  data: Float32Array,
  length: number,
  axis: 0 | 1,
  colours: 1 | 3,
): Promise<Strip> {
  const across = data.length / colours / length;
  const made = await runTrial(restorer, data, axis === 0 ? [length, across] : [across, length], colours);
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

async function alongAxis(
  restorer: Restorer,
  colours: 1 | 3,
  axis: 0 | 1,
  halos: readonly number[],
): Promise<(Agreement & { readonly halo: number }) | undefined> {
  const sides = (await sidesFor(restorer)) ?? { multiple: 1, minimum: 1 };
  const across = fittingSide(thinnest, sides);
  const isFloat16 = restorer.input.type === 'float16';
  const run = (begin: number, end: number) =>
    runStrip(restorer, strip(begin, end, across, axis, colours), end - begin, axis, colours);
  for (const halo of halos) {
    // The shortest piece must be one that the network takes.
    if (stripLength(halo) < 2 * sides.minimum) continue;
    const agreement = await agreementAt(run, halo, sides.multiple, isFloat16);
    if (agreement) return { ...agreement, halo };
  }
  return undefined;
}

/** The exact or approximate ways to cut for a network; why not, where there are none. */
async function find(restorer: Restorer, colours: 1 | 3): Promise<Cutting | Uncuttable> {
  const record = recordIn(restorer.session.modelMetadata);
  const sites = record?.sites ?? [];
  const fast = sites.find(({ maxStride }) => maxStride !== undefined);
  if (fast)
    return {
      why: `the model was converted in fast mode, in which node ${fast.node} takes samples whose places depend on the size of the photo; convert it without`,
      isGlobal: false,
    };
  const halos = (axis: 0 | 1) =>
    record && sites.length > 0 ? halosFor(sites, record.baseSize[axis]) : distances;
  const rows = await alongAxis(restorer, colours, 0, halos(0));
  const columns = rows && (await alongAxis(restorer, colours, 1, halos(1)));
  if (!rows || !columns) return uncuttable(sites.length > 0);
  const base: Size = record && sites.length > 0 ? record.baseSize : [1, 1];
  // Without statistics there is nothing that damps what comes from afar: all of it counts.
  const halo: Size = sites.length > 0 ? [rows.halo, columns.halo] : [rows.reach + 1, columns.reach + 1];
  return { multiple: [rows.multiple, columns.multiple], halo, base, isExact: sites.length === 0 };
}

function uncuttable(isConverted: boolean): Uncuttable {
  if (!isConverted)
    return {
      why: 'the network computes over the whole image, so that pieces of it would come out as other pictures; `tlsc convert` makes such statistics local',
      isGlobal: true,
    };
  return {
    why: `pieces of it come out as other pictures than the whole, wherever they begin`,
    isGlobal: false,
  };
}

/** How photos may be cut for the network of a session, or why they cannot be; found at the first call. */
export const cuttingFor = remembered(find);

export function isUncuttable(cutting: Cutting | Uncuttable): cutting is Uncuttable {
  return 'why' in cutting;
}
