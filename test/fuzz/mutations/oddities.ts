// Values that programs stumble over.
import type { Random } from '../random.js';

const numbers = [
  0n,
  1n,
  -1n,
  2n,
  -2n,
  3n,
  4n,
  5n,
  7n,
  8n,
  13n,
  16n,
  17n,
  64n,
  127n,
  255n,
  1000n,
  65_535n,
  65_536n,
  1_000_000n,
  2n ** 31n - 1n,
  -(2n ** 31n),
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 32n,
  2n ** 33n,
  2n ** 40n,
  2n ** 53n,
  2n ** 61n,
  2n ** 62n,
  2n ** 63n - 1n,
  -(2n ** 63n),
  -(2n ** 40n),
  -100n,
] as const;

export function oddNumber(random: Random): bigint {
  return random.pick(numbers);
}

/** As often small as extreme, so that it gets past first checks. */
export function oddSide(random: Random): bigint {
  return random.chance(0.5) ? BigInt(random.below(5)) : oddNumber(random);
}

const floats = [
  0,
  -0,
  1,
  -1,
  0.5,
  1e-45,
  1e-12,
  65504,
  1e9,
  3.4e38,
  -3.4e38,
  Infinity,
  -Infinity,
  NaN,
] as const;

export function oddFloat(random: Random): number {
  return random.pick(floats);
}

const texts = [
  '',
  ' ',
  'x',
  'y',
  'tlsc',
  'a\0b',
  '\0',
  '../../secret',
  '/dev/zero',
  'a/b\\c',
  '%s%n',
  '__proto__',
  'constructor',
  'NOTSET',
  'SAME_UPPER',
  'VALID',
  'linear',
  'cubic',
  'nearest',
  'reflect',
  'wrap',
  'edge',
  'constant',
  'sum',
  'ij,jk->ik',
  '...->',
  'i'.repeat(70_000),
  '\u{1f600}',
  '\r\n',
] as const;

export function oddText(random: Random): string {
  return random.pick(texts);
}
