import type { FormatName } from './formats.js';
import { readTags, type TiffValues } from './tiff.js';

/** Parts that are looked at, of which photos have tens: files of others are damaged in another way. */
const mostParts = 100_000;

// Each says whether the end of a file is missing, from what the file itself says of its length, or by a RangeError of what reads past it.

function pngIsCutShort(file: Buffer): boolean {
  let chunk = 8;
  for (let part = 0; part < mostParts; part++) {
    if (file.toString('latin1', chunk + 4, chunk + 8) === 'IEND') return chunk + 12 > file.length;
    chunk += 12 + file.readUInt32BE(chunk);
  }
  return false;
}

/** Markers of JPEG: begin of the pixels, end of the image. */
const [startOfScan, endOfImage] = [0xda, 0xd9];

function jpegIsCutShort(file: Buffer): boolean {
  // Thumbnails in the segments in front have ends of their own. In pixels FF is never followed by D9.
  let segment = 2;
  for (let part = 0; part < mostParts; part++) {
    if (file.readUInt8(segment) !== 0xff) return false;
    if (file[segment + 1] === startOfScan) return file.indexOf(Buffer.of(0xff, endOfImage), segment) < 0;
    segment += 2 + file.readUInt16BE(segment + 2);
  }
  return false;
}

function webpIsCutShort(file: Buffer): boolean {
  return 8 + file.readUInt32LE(4) > file.length;
}

function avifIsCutShort(file: Buffer): boolean {
  let box = 0;
  for (let part = 0; part < mostParts && box < file.length; part++) {
    const size = file.readUInt32BE(box);
    // 0 is up to the end of the file, 1 is a size of 64 bits.
    if (size === 0) return false;
    box += size === 1 ? Math.max(16, Number(file.readBigUInt64BE(box + 8))) : Math.max(8, size);
  }
  return box > file.length;
}

/** Tags of TIFF: offsets and lengths of strips and of tiles. */
const places = [
  [273, 279],
  [324, 325],
] as const;

function tiffIsCutShort(file: Buffer): boolean {
  const tags = readTags(file);
  if ([...tags.values()].some(({ end }) => end > file.length)) return true;
  const endsPastFile = (offsets?: TiffValues, lengths?: TiffValues) => {
    const count = Math.min(offsets?.count ?? 0, lengths?.count ?? 0, mostParts);
    for (let i = 0; i < count; i++) {
      if ((offsets?.at(i) ?? 0) + (lengths?.at(i) ?? 0) > file.length) return true;
    }
    return false;
  };
  return places.some(([offsets, lengths]) => endsPastFile(tags.get(offsets), tags.get(lengths)));
}

/** What the parts of a GIF begin with: an extension, an image, the end. */
const [extension, picture, trailer] = [0x21, 0x2c, 0x3b];

/** The bytes of a table of colours, by the flags in front of it. */
function tableLength(flags: number): number {
  return flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0;
}

function gifIsCutShort(file: Buffer): boolean {
  let at = 13 + tableLength(file.readUInt8(10));
  for (;;) {
    const kind = file.readUInt8(at);
    if (kind === trailer) return false;
    if (kind !== extension && kind !== picture) return false; // Damaged in another way.
    at += kind === extension ? 2 : 11 + tableLength(file.readUInt8(at + 9));
    // Blocks that say how long they are, up to an empty one.
    for (let length = file.readUInt8(at); length > 0; length = file.readUInt8(at)) at += 1 + length;
    at++;
  }
}

const checks: Readonly<Record<FormatName, (file: Buffer) => boolean>> = {
  PNG: pngIsCutShort,
  JPEG: jpegIsCutShort,
  WebP: webpIsCutShort,
  AVIF: avifIsCutShort,
  TIFF: tiffIsCutShort,
  GIF: gifIsCutShort,
};

/** Whether the end of an image file is missing: why a decoder has refused it, in words that depend on the file alone. */
export function isCutShort(bytes: Uint8Array, format: FormatName): boolean {
  try {
    return checks[format](Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  } catch (error) {
    if (error instanceof RangeError) return true;
    throw error;
  }
}
