import { readdir, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { readableExtensions, TlscError } from '@tlsc/api';
import type { Pair } from './pair.js';
import { type Named, namedBy, type Place } from './roles.js';
import { pairsOfTable } from './table.js';

/** What was found. */
export interface FoundPairs {
  readonly pairs: readonly Pair[];
  /** Images, by path, of which the other half was not found. */
  readonly left: readonly string[];
}

interface Found {
  /** Relative, without its extension. */
  readonly name: string;
  readonly path: string;
}

interface ImageFile extends Found, Named {}

async function imagesIn(folder: string): Promise<Found[]> {
  const files = await readdir(folder, { recursive: true });
  return files
    .filter((file) => readableExtensions.includes(extname(file).toLowerCase()))
    .filter((file) => !file.split(/[\\/]/).some((part) => part.startsWith('.')))
    .sort()
    .map((file) => ({ name: file.slice(0, -extname(file).length), path: join(folder, file) }));
}

function ambiguous(one: ImageFile, other: ImageFile): TlscError {
  const message = `${one.path} and ${other.path} go by the same name, and which belongs to what cannot be told; name pairs in a CSV file`;
  return new TlscError('ERR_INVALID_ARGUMENT', message, { parameter: 'pairs', received: one.path });
}

/** Two that nothing tells apart. */
type Twins = readonly [ImageFile, ImageFile];

/** By their keys, and the first two that have the same. */
function indexed(images: readonly ImageFile[], keyOf: (image: ImageFile) => string) {
  const index = new Map<string, ImageFile>();
  let twins: Twins | undefined;
  for (const image of images) {
    const other = index.get(keyOf(image));
    if (other) twins ??= [other, image];
    index.set(keyOf(image), image);
  }
  return { index, twins };
}

/** What has the same key, taken out of both lists; nothing where two of a list have the same, which are handed back. */
function joinBy(inputs: ImageFile[], targets: ImageFile[], keyOf: (image: ImageFile) => string) {
  const byKey = indexed(targets, keyOf);
  const twins = byKey.twins ?? indexed(inputs, keyOf).twins;
  const joined = (twins ? [] : inputs).flatMap((input) => {
    const target = byKey.index.get(keyOf(input));
    return target ? [[input, target] as const] : [];
  });
  for (const [input, target] of joined) {
    inputs.splice(inputs.indexOf(input), 1);
    targets.splice(targets.indexOf(target), 1);
  }
  return { joined, twins };
}

/** The shortest names that tell photos apart: without the folders that all of them are in, and words that all have. */
function named(pairs: readonly (readonly [ImageFile, string | undefined])[]): Pair[] {
  const short = ({ plainKey }: ImageFile) =>
    plainKey
      .split('\n')
      .map((word) => word.replace(/^\d+ /, ''))
      .join('-');
  const names = pairs.map(([input]) => short(input));
  const isUnique = new Set(names).size === names.length && !names.includes('');
  return pairs.map(([input, target], i) => ({
    name: isUnique ? (names[i] as string) : input.name.replaceAll(/[\\/]/g, '-'),
    input: input.path,
    target,
  }));
}

function nothing(path: string): TlscError {
  const message = `${path} has no images (${readableExtensions.join(', ')})`;
  return new TlscError('ERR_IMAGE_NOT_FOUND', message, { parameter: 'pairs', received: path });
}

function pairsBy(place: Place, found: readonly Found[]): FoundPairs & { readonly twins: Twins | undefined } {
  const images = found.map((one) => ({ ...one, ...namedBy(one.name, place) }));
  const targets = images.filter(({ role }) => role === 'target');
  const inputs = images.filter(({ role }) => role === 'input');
  const others = images.filter(({ role }) => role === undefined);
  // Names that say nothing are inputs where targets have those names with something to it, or where nothing says anything.
  if (targets.length === 0)
    return {
      pairs: named([...inputs, ...others].map((one) => [one, undefined])),
      left: [],
      twins: undefined,
    };
  const ways = [
    joinBy(inputs, targets, ({ key }) => key),
    joinBy(inputs, targets, ({ plainKey }) => plainKey),
    joinBy(others, targets, ({ key }) => key),
  ];
  const joined = ways.flatMap((way) => way.joined);
  return {
    pairs: named(joined.map(([input, target]) => [input, target.path])),
    left: [...inputs, ...targets, ...others].map(({ path }) => path),
    twins: ways.find((way) => way.twins)?.twins,
  };
}

/** As folders say, or names, whichever finds more. Throws where something says which are targets, and nothing belongs together. */
function pairsOf(images: readonly Found[], folder: string): FoundPairs {
  const ways = (['folders', 'files'] as const).map((place) => pairsBy(place, images));
  const count = ({ pairs }: FoundPairs) => pairs.filter(({ target }) => target !== undefined).length;
  const { twins, ...best } = ways.reduce((one, other) => (count(other) > count(one) ? other : one));
  // Nothing says of any that it is a target.
  if (count(best) > 0 || ways.every(({ pairs }) => pairs.length === images.length)) return best;
  const alike = twins ?? ways.find((way) => way.twins)?.twins;
  if (alike) throw ambiguous(...alike);
  const message = `${folder} has images, of which none belong together; names or folders say which are inputs and which targets, or a CSV file does`;
  throw new TlscError('ERR_INVALID_ARGUMENT', message, { parameter: 'pairs', received: folder });
}

/**
 * The photos in a folder, and those that they should become: in folders or under names that say which is which (input and target, blur and
 * sharp, rain and norain, NOISY and GT, lq and gt, …), at any depth; or those that a CSV file names. Photos without any such names have no
 * targets.
 *
 * Rejects with ERR_IMAGE_NOT_FOUND, or with ERR_INVALID_ARGUMENT where two have the same name.
 */
export async function findPairs(path: string): Promise<FoundPairs> {
  const info = await stat(path).catch((cause: Error) => {
    const message = `cannot read the photos of ${path}: ${cause.message}`;
    throw new TlscError('ERR_IMAGE_NOT_FOUND', message, { parameter: 'pairs', received: path, cause });
  });
  if (!info.isDirectory()) return { pairs: await pairsOfTable(path), left: [] };
  const images = await imagesIn(path);
  if (images.length === 0) throw nothing(path);
  return pairsOf(images, path);
}
