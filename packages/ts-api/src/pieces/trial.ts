import { trialInputs } from '../image/inputs.js';
import { type Made, type NetworkOn, runNetwork, wholeOf } from '../image/network.js';
import type { Restorer } from '../image/restorer.js';

/** What a trial may take: images are small, and what a stranger's model takes may grow without measure. */
const mostBytes = 2 ** 32;

/** Runs a network on an image of fractions of white, in planes, or a piece of one, that is only to show something of the network. */
export async function runTrial(
  restorer: Restorer,
  data: Float32Array,
  [height, width]: readonly [number, number],
  colours: 1 | 3,
  piece?: NetworkOn['piece'],
): Promise<Made> {
  const { session, inputs } = restorer;
  const layout = { type: 'float32', channelsLast: false, channels: colours, height, width } as const;
  const pixels = { ...layout, data, isHandedOver: false };
  const picture = { pixels, colours, white: 1, rest: { bitDepth: 8 } } as const;
  const feedsOf = async (_: unknown, __: unknown, padded: readonly [number, number]) =>
    trialInputs(session, inputs, padded);
  return runNetwork(
    { restorer, picture, feedsOf, name: 'a trial image', piece },
    wholeOf(picture),
    mostBytes,
  );
}
