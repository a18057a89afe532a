// What image files say beside their pixels.
import { crc32, deflateSync } from 'node:zlib';

/** What an image file says beside its pixels. */
export interface PhotoMetadata {
  /** The ICC profile of the colours, as bytes. */
  readonly icc?: Uint8Array;
  /** As bytes, TIFF's way; its orientation is 1, as the pixels are. */
  readonly exif?: Uint8Array;
  /** XML. */
  readonly xmp?: string;
  /** In pixels per inch. */
  readonly density?: number;
}

/** Whether a density is one that files can have. */
export function isDensity(density: number | undefined): density is number {
  return density !== undefined && density >= 1 && density <= 1e6;
}

/** The colours that an ICC profile is for, as it says: 'RGB ', 'GRAY', … */
export function coloursOf(icc: Uint8Array): string {
  return Buffer.from(icc.subarray(16, 20)).toString('latin1');
}

/** Whether an ICC profile calls itself sRGB. */
export function isSrgb(icc: Uint8Array): boolean {
  const text = Buffer.from(icc).toString('latin1');
  return text.includes('sRGB') || text.includes('s\0R\0G\0B');
}

/** What Exif data in JPEG begin with. */
const exifPrefix = 'Exif\0\0';
const orientationTag = 0x0112;

function withoutPrefix(exif: Uint8Array): Buffer {
  const bytes = Buffer.from(exif);
  return bytes.toString('latin1', 0, exifPrefix.length) === exifPrefix
    ? bytes.subarray(exifPrefix.length)
    : bytes;
}

/** Exif data, without the prefix, that say of the pixels that they are upright; as they are where they cannot be read. */
export function uprightExif(exif: Uint8Array): Uint8Array {
  const bytes = withoutPrefix(exif);
  const isLittle = bytes[0] === 0x49;
  const [short, long] = isLittle
    ? [(at: number) => bytes.readUInt16LE(at), (at: number) => bytes.readUInt32LE(at)]
    : [(at: number) => bytes.readUInt16BE(at), (at: number) => bytes.readUInt32BE(at)];
  try {
    // As main image, and as thumbnail in the second directory.
    let directory = long(4);
    for (let number = 0; number < 2 && directory !== 0; number++) {
      const count = short(directory);
      for (let entry = directory + 2; entry < directory + 2 + 12 * count; entry += 12) {
        if (short(entry) !== orientationTag) continue;
        const isLong = short(entry + 2) === 4;
        if (isLittle) bytes.writeUInt32LE(1, entry + 8);
        else bytes.writeUInt32BE(isLong ? 1 : 1 << 16, entry + 8);
      }
      directory = long(directory + 2 + 12 * count);
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return bytes;
}

/** The same for XMP. */
export function uprightXmp(xmp: string): string {
  return xmp.replace(/(tiff:Orientation(?:="|='|>))\d/g, '$11');
}

function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

/** PNG's colour types, by the number of channels. */
const colourTypes = [0, 4, 2, 6];
const inchesPerMetre = 1 / 0.0254;

/**
 * A PNG of one black pixel that carries metadata. To put them into files of each kind is the encoders' work, who take them from
 * the image that they are given, and this is how they can be given to one.
 */
export function carrierOf(
  { icc, exif, xmp, density }: PhotoMetadata,
  channels: number,
  bitDepth: 8 | 16,
): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(1, 0);
  header.writeUInt32BE(1, 4);
  header[8] = bitDepth;
  header[9] = colourTypes[channels - 1] ?? 2;
  const chunks = [Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), chunk('IHDR', header)];
  if (icc) chunks.push(chunk('iCCP', Buffer.concat([Buffer.from('icc\0\0', 'latin1'), deflateSync(icc)])));
  if (density) {
    const size = Buffer.alloc(9);
    size.writeUInt32BE(Math.round(density * inchesPerMetre), 0);
    size.writeUInt32BE(Math.round(density * inchesPerMetre), 4);
    size[8] = 1;
    chunks.push(chunk('pHYs', size));
  }
  if (exif) chunks.push(chunk('eXIf', withoutPrefix(exif)));
  if (xmp)
    chunks.push(
      chunk('iTXt', Buffer.concat([Buffer.from('XML:com.adobe.xmp\0\0\0\0\0', 'latin1'), Buffer.from(xmp)])),
    );
  const pixel = deflateSync(Buffer.alloc(1 + (channels * bitDepth) / 8));
  return Buffer.concat([...chunks, chunk('IDAT', pixel), chunk('IEND', Buffer.alloc(0))]);
}
