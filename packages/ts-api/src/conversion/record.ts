// What a converted model says of its conversion, in its custom metadata.
import { create } from '@bufbuild/protobuf';
import { type ModelProto, StringStringEntryProtoSchema } from 'onnx-buf';
import { type ValueOptions, valuesKey } from '../image/values.js';
import { anchorKey, type Reaches, reachesKey } from '../pieces/reach.js';
import { sidesKey } from '../session/known-sides.js';
import type { Sides } from '../session/sides.js';
import { isSize, type Size, showSize } from '../size.js';
import { version } from '../version.js';
import type { ConversionSizes } from './sizes.js';

/** A statistic that was made local. */
export interface Site {
  /** Name of the node, or its operator and output where it has none. */
  readonly node: string;
  readonly rule: string;
  /** The operator of domain `tlsc` that was put there; one that was fused may do its work. */
  readonly operator: string;
  /** Height and width of its input at the training size. */
  readonly featureSize: Size;
  /** Height and width of the window; on a smaller plane it ends at the plane's borders. */
  readonly window: Size;
  /**
   * In fast mode the most rows and columns of its input from a sample to the next; else, and for statistics of which no
   * approximation was published, undefined.
   */
  readonly maxStride: Size | undefined;
  /**
   * For a mean that, after so many layers, only scales images (channel attention): the layers run once per position of the
   * window within the plane, and the products, now `ReplicateScale`, repeat the borders. Undefined where the mean itself
   * is padded to the size of the plane.
   */
  readonly validLayers: number | undefined;
}

/** What is known of a conversion from the model that it made. */
export interface ConversionRecord extends ConversionSizes {
  /** Of the @tlsc/api that made it. */
  readonly version: string;
  readonly sites: readonly Site[];
}

const keys = {
  version: 'tlsc.version',
  trainSize: 'tlsc.train_size',
  baseSize: 'tlsc.base_size',
  sites: 'tlsc.sites',
} as const;

/** In the place of what the model may say of an earlier conversion, of which nothing else is left. */
export function writeRecord(model: ModelProto, sizes: ConversionSizes, sites: readonly Site[]): void {
  const entries = {
    [keys.version]: version,
    [keys.trainSize]: showSize(sizes.trainSize),
    [keys.baseSize]: showSize(sizes.baseSize),
    [keys.sites]: JSON.stringify(sites),
  };
  writeMetadata(model, entries);
}

/** Puts entries into a model's custom metadata, in the place of older ones. */
function writeMetadata(model: ModelProto, entries: Readonly<Record<string, string>>): void {
  model.metadataProps = model.metadataProps.filter(({ key }) => !Object.hasOwn(entries, key));
  for (const [key, value] of Object.entries(entries))
    model.metadataProps.push(create(StringStringEntryProtoSchema, { key, value }));
}

/** What `restore` is to know of a network, as far as it is known. */
export interface NetworkRecord {
  /** What its values mean. */
  readonly values: ValueOptions | undefined;
  /** Which sides it takes. */
  readonly sides: Sides | undefined;
  readonly reaches: Reaches | undefined;
  /** A node that may anchor it to the image. */
  readonly anchor: string | undefined;
}

export function recordNetwork(model: ModelProto, { values, sides, reaches, anchor }: NetworkRecord): void {
  writeMetadata(model, {
    ...(values && { [valuesKey]: JSON.stringify(values) }),
    ...(sides && { [sidesKey]: JSON.stringify(sides) }),
    ...(anchor !== undefined && { [anchorKey]: anchor }),
    ...(reaches && { [reachesKey]: JSON.stringify(reaches) }),
  });
}

/** Leaves out what a model says of how it takes images, so that it is found out anew. */
export function forgetNetwork(model: ModelProto): void {
  const found = [sidesKey, reachesKey, anchorKey];
  model.metadataProps = model.metadataProps.filter(({ key }) => !found.includes(key));
}

/** The custom metadata of a model by their keys. */
export function metadataOf({ metadataProps }: ModelProto): Readonly<Record<string, string>> {
  return Object.fromEntries(metadataProps.map(({ key, value }) => [key, value]));
}

/** Whether custom metadata speaks of a conversion, sensibly or not. */
export function hasRecord(metadata: Readonly<Record<string, string>>): boolean {
  return Object.hasOwn(metadata, keys.version);
}

/** What a model says of its conversion; undefined when that is nothing, or nothing sensible. */
export function readRecord(model: ModelProto): ConversionRecord | undefined {
  return recordIn(metadataOf(model));
}

/** The same of custom metadata by their keys. */
export function recordIn(metadata: Readonly<Record<string, string>>): ConversionRecord | undefined {
  const textOf = (key: string) => metadata[key] ?? '';
  const readSize = (key: string): Size | undefined => {
    const size = textOf(key).split('x').map(Number);
    return isSize(size) ? size : undefined;
  };
  const trainSize = readSize(keys.trainSize);
  const baseSize = readSize(keys.baseSize);
  const sites = readSites(textOf(keys.sites));
  return trainSize && baseSize && sites && { version: textOf(keys.version), trainSize, baseSize, sites };
}

function readSites(text: string): Site[] | undefined {
  try {
    const sites: unknown = JSON.parse(text);
    return Array.isArray(sites) && sites.every(isSite) ? sites.map(siteOf) : undefined;
  } catch {
    return undefined;
  }
}

/** Values that are undefined have no place in JSON. */
function siteOf({ maxStride, validLayers, ...site }: Site): Site {
  return { ...site, maxStride, validLayers };
}

/** A model is untrusted, and so is what it says of itself. */
function isSite(value: unknown): value is Site {
  if (typeof value !== 'object' || value === null) return false;
  const { node, rule, operator, featureSize, window, maxStride, validLayers } = value as Partial<Site>;
  return (
    [node, rule, operator].every((text) => typeof text === 'string') &&
    isSize(featureSize) &&
    isSize(window) &&
    (maxStride === undefined || isSize(maxStride)) &&
    (validLayers === undefined || Number.isSafeInteger(validLayers))
  );
}
