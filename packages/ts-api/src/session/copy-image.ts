// Images from one layout into another, on the addon's threads.
import { isMainThread } from 'node:worker_threads';
import {
  allocateImage as allocateNative,
  copyImage as copyNativeImage,
  discard,
  fillHidden as fillNativeHidden,
  mapFile as mapNativeFile,
  type NativeImage,
  type NativeImageLayout,
  type NativeImageMap,
  type NativeImageRegion,
  type NativeImageSummary,
  type NativeImageTarget,
  summarizeImage as summarizeNative,
} from '@tlsc/core-native';
import { fromNative, TlscError } from '../errors.js';

/** Gives memory that `copyImage` has made back at once, so that garbage collection need not hurry. */
export { discard };

/** How an image lies in memory, and its memory. */
export type ImageMemory = NativeImage;
export type ImageMemoryLayout = NativeImageLayout;
export type ImageRegion = NativeImageRegion;
export type ImageSummary = NativeImageSummary;

/** Whether memory that nobody else has may be read in place: in a worker it may go with the worker, in the middle of a copy. */
export const handsOver = isMainThread;

/** What becomes of a pixel x in one channel of the copy: (Σ weights[k] · x[k]) · multiply / divide + add. */
export interface ChannelMap {
  readonly weights: readonly number[];
  readonly multiply: number;
  readonly divide: number;
  readonly add: number;
}

/** By channel of the copy. */
export type PixelMap = readonly ChannelMap[];

/** A channel as it is. */
export function asItIs(channel: number): ChannelMap {
  return { weights: [0, 1, 2, 3].map((k) => (k === channel ? 1 : 0)), multiply: 1, divide: 1, add: 0 };
}

/** As `copyImage` of the addon, which says more. */
export async function copyImage(
  source: ImageMemory,
  map: PixelMap,
  target: Omit<NativeImageTarget, 'channels'>,
): Promise<ImageMemory> {
  return (await copy(source, map, target, false)).image;
}

/** An image whose values are yet to be written, by `copyImage` with its `data`. Throws ERR_OUT_OF_MEMORY. */
export function allocateImage(layout: ImageMemoryLayout): ImageMemory {
  try {
    return { ...layout, data: allocateNative(layout), isHandedOver: false };
  } catch (error) {
    throw toError(error, layout);
  }
}

/** As `mapFile` of the addon, which says more. */
export function mapFile(path: string): Uint8Array {
  try {
    return mapNativeFile(path);
  } catch (error) {
    throw fromNative(error);
  }
}

/** Copies a part of an image, its pixels mapped, into a part of another; a summary of that part before it is rounded. */
export async function copyRegion(
  source: ImageMemory,
  map: PixelMap,
  target: ImageMemory,
  region: ImageRegion,
): Promise<ImageSummary> {
  const { isHandedOver: _, channels: __, ...layout } = target;
  const sums = target.type === 'float32';
  const { summary } = await copy(source, map, { ...layout, region }, sums);
  return summary ?? summarize(source, map);
}

/** What several parts of an image come to, by how many values each has. */
export function joinSummaries(parts: readonly (readonly [ImageSummary, number])[]): ImageSummary {
  const total = parts.reduce((sum, [, count]) => sum + count, 0);
  const average = (of: (summary: ImageSummary) => number) =>
    parts.reduce((sum, [summary, count]) => sum + of(summary) * count, 0) / total;
  return {
    finite: parts.every(([{ finite }]) => finite),
    least: Math.min(...parts.map(([{ least }]) => least)),
    greatest: Math.max(...parts.map(([{ greatest }]) => greatest)),
    mean: average(({ mean }) => mean),
    outside: average(({ outside }) => outside),
  };
}

/** Channels without anything in them. */
const nothing: ChannelMap = { weights: [0], multiply: 1, divide: 1, add: 0 };

/**
 * An image, in planes of float32, with one more channel behind its own: the first of another image of the same size, both as fractions of
 * white.
 */
export async function withChannel(
  image: ImageMemory,
  map: PixelMap,
  other: ImageMemory,
): Promise<ImageMemory> {
  const { height, width } = image.region ?? image;
  const layout = { type: 'float32', channelsLast: false, height, width } as const;
  const joined = await copyImage(image, [...map, nothing], layout);
  const data = joined.data.subarray(map.length * height * width);
  await copyImage(other, [asItIs(0)], { ...layout, data });
  return joined;
}

/** Whether a map changes nothing. */
export function isPlain(map: PixelMap, channels: number): boolean {
  return (
    map.length === channels &&
    map.every(
      ({ weights, multiply, divide, add }, channel) =>
        multiply === 1 &&
        divide === 1 &&
        add === 0 &&
        weights.every((weight, k) => weight === (k === channel ? 1 : 0)),
    )
  );
}

/** The same in planes of float32, with a summary of its values; no copy where the image is all that already. */
export async function copyAndSummarize(
  source: ImageMemory,
  map: PixelMap,
  target: Pick<ImageMemoryLayout, 'height' | 'width'>,
): Promise<{ readonly image: ImageMemory; readonly summary: ImageSummary }> {
  const layout = { type: 'float32', channelsLast: false, ...target } as const;
  const isAlike =
    source.type === 'float32' &&
    (!source.channelsLast || source.channels === 1) &&
    source.height === target.height &&
    source.width === target.width;
  if (isAlike && isPlain(map, source.channels))
    return { image: source, summary: await summarize(source, map) };
  const { image, summary } = await copy(source, map, layout, true);
  return { image, summary: summary as ImageSummary };
}

/** A summary of what a copy in float32 would have. */
export async function summarize(source: ImageMemory, map: PixelMap): Promise<ImageSummary> {
  const { height, width } = source.region ?? source;
  const target = { type: 'float32', channelsLast: false, channels: map.length, height, width } as const;
  try {
    return await summarizeNative(source, nativeMap(map), target);
  } catch (error) {
    throw toError(error, source);
  }
}

/** Gives the pixels whose alpha is 0 the colours of visible ones around them, in place; both are copies that `copyImage` has made. */
export async function fillHidden(planes: ImageMemory, alpha: ImageMemory): Promise<void> {
  try {
    await fillNativeHidden(planes, alpha.data);
  } catch (error) {
    throw toError(error, planes);
  }
}

function toError(error: unknown, { height, width }: Pick<ImageMemoryLayout, 'height' | 'width'>): unknown {
  const ours = fromNative(error);
  if (!(ours instanceof TlscError) || ours.code !== 'ERR_OUT_OF_MEMORY') return ours;
  const message = `there is no memory for ${width}x${height} pixels; take a smaller photo, or fewer at once`;
  return new TlscError('ERR_OUT_OF_MEMORY', message, { cause: error });
}

function nativeMap(map: PixelMap): NativeImageMap {
  return {
    mix: map.map(({ weights }) => weights),
    multiply: map.map(({ multiply }) => multiply),
    divide: map.map(({ divide }) => divide),
    add: map.map(({ add }) => add),
  };
}

async function copy(
  source: ImageMemory,
  map: PixelMap,
  layout: Omit<NativeImageTarget, 'channels'>,
  summarizes: boolean,
) {
  const target = { ...layout, channels: map.length };
  try {
    const { data = target.data, summary } = await copyNativeImage(source, nativeMap(map), target, summarizes);
    return { image: { ...target, data: data as ImageMemory['data'], isHandedOver: false }, summary };
  } catch (error) {
    throw toError(error, layout);
  }
}
