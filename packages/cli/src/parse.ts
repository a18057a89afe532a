import {
  type ImageExtension,
  imageExtensions,
  largestSide,
  lowestOpset,
  newestOpset,
  type Size,
} from '@tlsc/api';
import { InvalidArgumentError } from 'commander';

function isSide(value: number): boolean {
  return value >= 1 && value <= largestSide;
}

/** '256' or '256x384' (height first). */
export function parseSize(text: string): Size {
  const match = text.match(/^(\d{1,5})(?:x(\d{1,5}))?$/);
  const [height, width] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
  if (!match || !isSide(height) || !isSide(width)) {
    throw new InvalidArgumentError(
      'Write it as HEIGHTxWIDTH in pixels, up to 65536 each: 256x256 for example.',
    );
  }
  return [height, width];
}

export function parseOpset(text: string): number {
  const opset = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (opset >= lowestOpset && opset <= newestOpset) return opset;
  throw new InvalidArgumentError(`Write it as a whole number from ${lowestOpset} to ${newestOpset}.`);
}

/** A number of threads, or of a card. */
export function parseCount(text: string): number {
  if (!/^\d{1,3}$/.test(text)) throw new InvalidArgumentError('Write it as a whole number up to 999.');
  return Number(text);
}

export function parsePixels(text: string): number {
  const count = /^\d{1,10}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= 2 ** 30) return count;
  throw new InvalidArgumentError(`Write it as a whole number from 1 to ${2 ** 30}.`);
}

const number = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i;

/** '0..255' */
export function parseRange(text: string): readonly [number, number] {
  const [black = '', white = '', ...rest] = text.split('..');
  const isRange =
    number.test(black) && number.test(white) && rest.length === 0 && Number(black) < Number(white);
  if (isRange) return [Number(black), Number(white)];
  throw new InvalidArgumentError('Write it as BLACK..WHITE: 0..255 or -1..1 for example.');
}

/** '0.5', or '0.485,0.456,0.406'. */
export function parsePerChannel(text: string): number | readonly number[] {
  const parts = text.split(',');
  const [first = 0, ...others] = parts.map(Number);
  if (parts.every((part) => number.test(part)) && (parts.length === 1 || parts.length === 3))
    return others.length > 0 ? [first, ...others] : first;
  throw new InvalidArgumentError('Write it as one number, or as three with commas in between.');
}

/** 'w=0.5' or 'mask=mask.png'; of an option that may be given several times. */
export function parseInput(
  text: string,
  before: Readonly<Record<string, number | string>> = {},
): Readonly<Record<string, number | string>> {
  const at = text.indexOf('=');
  const [name, value] = [text.slice(0, at), text.slice(at + 1)];
  if (at < 1 || value === '')
    throw new InvalidArgumentError(
      'Write it as NAME=NUMBER or NAME=IMAGE: w=0.5 or mask=mask.png for example.',
    );
  if (Object.hasOwn(before, name)) throw new InvalidArgumentError(`${name} is given twice.`);
  return { ...before, [name]: number.test(value) ? Number(value) : value };
}

export function parseQuality(text: string): number {
  const quality = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (quality >= 1 && quality <= 100) return quality;
  throw new InvalidArgumentError('Write it as a whole number from 1 to 100.');
}

/** At least one. */
export function parseJobs(text: string): number {
  const jobs = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (jobs >= 1) return jobs;
  throw new InvalidArgumentError('Write it as a whole number from 1 to 999.');
}

export function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : -1;
  if (port >= 0 && port <= 65535) return port;
  throw new InvalidArgumentError('Write it as a whole number from 0 to 65535.');
}

export function parsePending(text: string): number {
  const count = /^\d{1,7}$/.test(text) ? Number(text) : -1;
  if (count >= 0 && count <= 1_000_000) return count;
  throw new InvalidArgumentError('Write it as a whole number from 0 to 1000000.');
}

/** '0' as well. */
export function parseDrain(text: string): number {
  return /^0+(\.0+)?$/.test(text) ? 0 : parseSeconds(text);
}

/** '30' or '0.5' */
export function parseSeconds(text: string): number {
  const seconds = /^\d{1,6}(\.\d{1,3})?$/.test(text) ? Number(text) : -1;
  if (seconds > 0) return seconds;
  throw new InvalidArgumentError('Write it as a number of seconds above 0: 30 for example.');
}

/** 'png' or '.png' */
export function parseFormat(text: string): ImageExtension {
  const extension = imageExtensions.find((known) => known === `.${text.replace(/^\./, '').toLowerCase()}`);
  if (extension) return extension;
  const names = imageExtensions.map((known) => known.slice(1)).join(', ');
  throw new InvalidArgumentError(`Write one of ${names}.`);
}

const units: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12 };
const binaryUnits: Readonly<Record<string, number>> = { k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/** '2GB', '1.5g', '800MiB' or a number of bytes. */
export function parseBytes(text: string): number {
  const [, count = '', unit = '', binary] = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?$/i.exec(text) ?? [];
  const factor = (binary ? binaryUnits : units)[unit.toLowerCase()];
  const bytes = count === '' || factor === undefined ? 0 : Math.floor(Number(count) * factor);
  if (bytes >= 1 && Number.isSafeInteger(bytes)) return bytes;
  throw new InvalidArgumentError('Write it as a number of bytes: 2GB, 1.5GiB or 800MB for example.');
}

/** A number of pixels, which may be 0. */
export function parseHalo(text: string): number {
  const halo = /^\d{1,5}$/.test(text) ? Number(text) : -1;
  if (halo >= 0 && halo <= largestSide) return halo;
  throw new InvalidArgumentError(`Write it as a whole number from 0 to ${largestSide}.`);
}

/** Of an option that may be given several times. */
export function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

/** Multiples of the training size. */
export interface Multiples {
  readonly multiples: readonly number[];
}

/** '64,96,128x160', or '1,1.5,2x': multiples of the training size. */
export function parseSizes(text: string): readonly Size[] | Multiples {
  if (!text.endsWith('x')) return text.split(',').map(parseSize);
  const parts = text.slice(0, -1).split(',');
  const multiples = parts.map(Number);
  if (
    parts.every((part) => number.test(part)) &&
    multiples.every((multiple) => multiple > 0 && multiple <= 64)
  )
    return { multiples };
  throw new InvalidArgumentError(
    'Write it as sizes, 64,96,128, or as multiples of the training size, 1,1.5,2x.',
  );
}

/** The sizes that were meant. */
export function sizesOf(sizes: readonly Size[] | Multiples, [height, width]: Size): readonly Size[] {
  if (!('multiples' in sizes)) return sizes;
  return sizes.multiples.map(
    (multiple): Size => [
      Math.max(1, Math.floor(height * multiple)),
      Math.max(1, Math.floor(width * multiple)),
    ],
  );
}

/** '64,96,128'; '' is none. */
export function parseSides(text: string): readonly number[] {
  const sides = text === '' ? [] : text.split(',').map((part) => (/^\d{1,5}$/.test(part) ? Number(part) : 0));
  if (sides.every(isSide)) return sides;
  throw new InvalidArgumentError('Write it as sides in pixels, up to 65536 each: 64,96,128 for example.');
}

/** 'lpips=lpips.onnx'; of an option that may be given several times. */
export function parseMetric(
  text: string,
  before: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const [, name = '', file = ''] = /^([\w-]+)=(.+)$/.exec(text) ?? [];
  if (name === '') throw new InvalidArgumentError('Write it as NAME=FILE: lpips=lpips.onnx for example.');
  if (Object.hasOwn(before, name)) throw new InvalidArgumentError(`${name} is given twice.`);
  return { ...before, [name]: file };
}

/** 'w=0.5'; of an option that may be given several times. */
export function parseNumber(
  text: string,
  before: Readonly<Record<string, number>> = {},
): Readonly<Record<string, number>> {
  const parsed = parseInput(text, before);
  for (const [name, value] of Object.entries(parsed))
    if (typeof value !== 'number')
      throw new InvalidArgumentError(`Write it as NAME=NUMBER: ${name}=0.5 for example.`);
  return parsed as Record<string, number>;
}
