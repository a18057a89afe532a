// Images that lie about their size, or are broken.
import { crc32 } from 'node:zlib';
import type { ImageSeed } from '../image-seeds.js';
import type { Random } from '../random.js';
import { mutateBytes } from './bytes.js';

const sizes = [
  0,
  1,
  2,
  22,
  24,
  255,
  256,
  4_095,
  16_383,
  16_384,
  30_000,
  65_500,
  65_535,
  65_536,
  1_000_000,
  2 ** 30,
  2 ** 31 - 1,
  2 ** 32 - 1,
];

interface Coding {
  readonly bytes: number;
  /** WebP writes a side less one. */
  readonly less: 0 | 1;
  readonly littleEndian: boolean;
}

const codings: readonly Coding[] = [2, 3, 4].flatMap((bytes) =>
  [true, false].flatMap((littleEndian) => ([0, 1] as const).map((less) => ({ bytes, less, littleEndian }))),
);

function encode(value: number, { bytes, less, littleEndian }: Coding): Uint8Array {
  const code = Buffer.alloc(bytes);
  const wrapped = Math.max(0, value - less) % 2 ** (8 * bytes);
  if (littleEndian) code.writeUIntLE(wrapped, 0, bytes);
  else code.writeUIntBE(wrapped, 0, bytes);
  return code;
}

/** Everywhere where the header may say width or height: which it is does not matter. */
function placesOf(bytes: Uint8Array, value: number): { at: number; coding: Coding }[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return codings.flatMap((coding) => {
    const places: { at: number; coding: Coding }[] = [];
    const code = encode(value, coding);
    for (let at = buffer.indexOf(code); at >= 0; at = buffer.indexOf(code, at + 1))
      places.push({ at, coding });
    return places;
  });
}

function lie({ bytes, width, height }: ImageSeed, random: Random): Uint8Array {
  const copy = new Uint8Array(bytes);
  for (const side of random.chance(0.5) ? [width, height] : [random.pick([width, height])]) {
    const place = random.any(placesOf(bytes, side));
    if (place) copy.set(encode(random.pick(sizes), place.coding), place.at);
  }
  return copy;
}

const signature = '\x89PNG\r\n\x1a\n';

/** Makes the checksums of a PNG right again, without which no decoder looks any further. */
function mendChecksums(bytes: Uint8Array): Uint8Array {
  const copy = Buffer.from(bytes);
  if (copy.toString('latin1', 0, 8) !== signature) return copy;
  for (let at = 8; at + 12 <= copy.length; ) {
    const end = at + 8 + copy.readUInt32BE(at);
    if (end + 4 > copy.length) break;
    copy.writeUInt32BE(crc32(copy.subarray(at + 4, end)), end);
    at = end + 4;
  }
  return copy;
}

export function mutateImage(seed: ImageSeed, random: Random): Uint8Array {
  if (random.chance(0.02)) return seed.bytes;
  let bytes = random.chance(0.6) ? lie(seed, random) : mutateBytes(seed.bytes, random);
  while (random.chance(0.3)) bytes = mutateBytes(bytes, random);
  return random.chance(0.8) ? mendChecksums(bytes) : bytes;
}
