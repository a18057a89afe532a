// Several images at once, as many as cores and memory allow.
import { availableParallelism, freemem } from 'node:os';
import { describeImage, TlscError } from '@tlsc/api';
import { type Destination, isThere, standard } from './destinations.js';

/** What networks take per pixel, in bytes: NAFNet of width 32, the largest that was measured; UNets take a third. */
const bytesPerPixel = 700;

/** The share of free memory that images may take together; one is always let through. */
const memoryShare = 0.7;

/** How many at once, and with how many threads each: runs of one thread side by side do more than one run of several threads. */
export interface Jobs {
  readonly count: number;
  readonly threads: number;
}

/** On a card one image is read and written while another is restored. */
const jobsOnCard = 2;

/** `jobs` and `threads` are what was asked for, if anything. */
export function chooseJobs(
  images: number,
  isOnCpu: boolean,
  jobs: number | undefined,
  threads: number | undefined,
): Jobs {
  const cores = availableParallelism();
  const usual = isOnCpu ? (threads === undefined || threads === 1 ? cores : 1) : jobsOnCard;
  const count = Math.max(1, Math.min(images, jobs ?? usual));
  // Runs of a session share its threads, all but the one that each is called on.
  return { count, threads: threads ?? (count === 1 ? 0 : Math.max(1, cores - count + 1)) };
}

export interface JobOptions {
  readonly maxPixels?: number;
  /** Whether outputs that are there are left alone. */
  readonly skipExisting?: boolean;
  readonly signal: AbortSignal;
}

/** An estimate, in bytes; nothing for an image that is not going to be restored, or cannot be read, as will be seen. */
async function costOf({ input, output }: Destination, options: JobOptions): Promise<number> {
  const { maxPixels, skipExisting, signal } = options;
  if (input === standard || (skipExisting && output !== standard && (await isThere(output)))) return 0;
  try {
    const limit = maxPixels === undefined ? {} : { maxPixels };
    const { height, width } = await describeImage(input, { ...limit, signal });
    return height * width * bytesPerPixel;
  } catch (error) {
    if (error instanceof TlscError) return 0;
    throw error;
  }
}

/**
 * Does `work` for each image, in their order, so many at a time, but none beside others for which there is no memory. Rejects with the
 * first error, when all that had begun has ended.
 */
export async function runJobs(
  images: readonly Destination[],
  count: number,
  options: JobOptions,
  work: (image: Destination, index: number) => Promise<void>,
): Promise<void> {
  const budget = memoryShare * freemem();
  const running = new Set<Promise<void>>();
  let taken = 0;
  let failure: { readonly error: unknown } | undefined;
  for (const [index, image] of images.entries()) {
    const cost = count > 1 ? await costOf(image, options) : 0;
    while (running.size >= count || (running.size > 0 && taken + cost > budget)) await Promise.race(running);
    if (failure) break;
    taken += cost;
    const job: Promise<void> = work(image, index)
      .catch((error: unknown) => {
        failure ??= { error };
      })
      .finally(() => {
        taken -= cost;
        running.delete(job);
      });
    running.add(job);
  }
  await Promise.all(running);
  if (failure) throw failure.error;
}
