// How many runs at once, and on how many threads each: what is fastest depends on the network, and shows when it is tried.
import { availableParallelism } from 'node:os';
import { TlscError } from '../errors.js';
import { sidesFor } from '../image/network.js';
import { type Restorer, toRestorer } from '../image/restorer.js';
import { runGray } from '../pieces/cost.js';
import type { InferenceSession } from '../session/inference-session.js';
import { fixedSides, trialChannels } from '../session/known-sides.js';
import { fittingSide } from '../session/sides.js';

export interface Parallelism {
  /** Runs at once. */
  readonly concurrency: number;
  /** Of each run. */
  readonly threads: number;
}

/** The threads of a session that so many runs use at once: they share all but the one that each is called on. */
export function sessionThreads({ concurrency, threads }: Parallelism): number {
  return concurrency * (threads - 1) + 1;
}

/** Ways to share out the cores, evenly, by how many run at once. */
function ways(cores: number): Parallelism[] {
  const found: Parallelism[] = [{ concurrency: cores, threads: 1 }];
  for (let threads = 2; threads <= cores; threads *= 2)
    found.push({ concurrency: Math.floor(cores / threads), threads });
  return found;
}

/** The ways that what was said leaves. */
export function waysFor(concurrency: number | undefined, threads: number | undefined): Parallelism[] {
  const cores = availableParallelism();
  const rest = (count: number) => Math.max(1, Math.floor(cores / count));
  if (concurrency !== undefined) return [{ concurrency, threads: threads ?? rest(concurrency) }];
  if (threads !== undefined) return [{ concurrency: rest(threads), threads }];
  return ways(cores);
}

/** The side of the images that are run. */
const trialSide = 256;

/** How long runs are repeated, in milliseconds, once each. */
const patience = 600;

/**
 * How much faster fewer at once have to be on more threads each: beside decoders and encoders, which are not there when they are tried, a run
 * waits for whichever of its threads has to share a core.
 */
const worthwhile = 1.15;

/** A network that can be tried, or undefined. */
function restorerOf(session: InferenceSession): Restorer | undefined {
  try {
    return toRestorer(session, { output: session.outputNames[0] ?? '' });
  } catch (error) {
    if (error instanceof TlscError) return undefined;
    throw error;
  }
}

/** Images per second; undefined where the network cannot be tried. */
async function speedOf(session: InferenceSession, concurrency: number): Promise<number | undefined> {
  const restorer = restorerOf(session);
  const channels = restorer && trialChannels(restorer.input);
  if (!restorer || channels === undefined) return undefined;
  const colours = channels === 1 ? 1 : 3;
  try {
    const [rows, columns] = fixedSides(restorer.input);
    const side = fittingSide(trialSide, (await sidesFor(restorer)) ?? { multiple: 1, minimum: 1 });
    const [height, width] = [rows ?? side, columns ?? side];
    const run = () => runGray(restorer, [height, width], colours);
    await run();
    const begin = performance.now();
    let count = 0;
    const loop = async () => {
      do {
        await run();
        count++;
      } while (performance.now() - begin < patience);
    };
    await Promise.all(Array.from({ length: concurrency }, loop));
    return count / (performance.now() - begin);
  } catch (error) {
    if (error instanceof TlscError) return undefined;
    throw error;
  }
}

/** The way in which a network restores most, with a session for it. Where it cannot be tried the first one is taken. */
export async function fastest(
  ways: readonly Parallelism[],
  open: (way: Parallelism) => Promise<InferenceSession>,
): Promise<{ way: Parallelism; session: InferenceSession }> {
  const first = ways[0] as Parallelism;
  if (ways.length === 1) return { way: first, session: await open(first) };
  let best: { way: Parallelism; session: InferenceSession; speed: number } | undefined;
  for (const way of ways) {
    const session = await open(way);
    const speed = await speedOf(session, way.concurrency);
    const isBetter = speed !== undefined && speed >= (best?.speed ?? 0) * worthwhile;
    await (isBetter ? best?.session : session)?.release();
    if (speed === undefined) break;
    if (isBetter) best = { way, session, speed };
  }
  return best ?? { way: first, session: await open(first) };
}
