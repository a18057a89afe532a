// The memory that a network takes for an image, as runs show.
import { channelsFor, type Made, sidesFor } from '../image/network.js';
import type { Restorer } from '../image/restorer.js';
import { fixedSides } from '../session/known-sides.js';
import { fittingSide } from '../session/sides.js';
import type { Size } from '../size.js';
import { remembered } from './remembered.js';
import { runTrial } from './trial.js';

/** In bytes. */
export interface Cost {
  /** For each pixel of the image, input and output included. */
  readonly perPixel: number;
  /** Whatever the size of the image. */
  readonly fixed: number;
  /** Pixels of the output for one of the image. */
  readonly area: number;
}

/** The side of the smaller of two images that are run; the other one is twice as high and wide. */
const trialSide = 192;

/** For blocks that are rounded up, and what grows a little faster than the image. */
const slack = 1.05;

/** Where a run does not say what it took, as on a card: twice what a NAFNet of width 32 needs, the largest that was measured. */
const assumedPerPixel = 2200;

/** A run on gray. */
export function runGray(restorer: Restorer, [height, width]: Size, colours: 1 | 3): Promise<Made> {
  const data = new Float32Array(colours * height * width).fill(0.5);
  return runTrial(restorer, data, [height, width], colours);
}

/** Of one size there is one run to look at. */
async function measureFixed(restorer: Restorer, size: Size, colours: 1 | 3): Promise<Cost> {
  const { scale, peak, padded } = await runGray(restorer, size, colours);
  const fixed = (peak ?? padded[0] * padded[1] * assumedPerPixel) * slack;
  return { perPixel: 0, fixed, area: scale[0] * scale[1] };
}

async function measure(restorer: Restorer, colours: 1 | 3): Promise<Cost> {
  const [height, width] = fixedSides(restorer.input);
  if (height !== undefined && width !== undefined) return measureFixed(restorer, [height, width], colours);
  const sides = (await sidesFor(restorer)) ?? { multiple: 1, minimum: 1 };
  const first = fittingSide(trialSide, sides);
  const second = fittingSide(2 * first, sides);
  const small = await runGray(restorer, [first, first], colours);
  const large = await runGray(restorer, [second, second], colours);
  const area = large.scale[0] * large.scale[1];
  const [few, many] = [small, large].map(({ padded }) => padded[0] * padded[1]) as [number, number];
  const inputBytes = (restorer.input.type === 'float16' ? 2 : 4) * channelsFor(restorer, colours);
  if (small.peak === undefined || large.peak === undefined)
    return { perPixel: assumedPerPixel, fixed: 0, area };
  const slope = Math.max((large.peak - small.peak) / (many - few), 0);
  return {
    perPixel: (slope + inputBytes) * slack,
    fixed: Math.max(0, large.peak - slope * many) * slack,
    area,
  };
}

/** What the network of a session takes; found at the first call. */
export const costOf = remembered(measure);
