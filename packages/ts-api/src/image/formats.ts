import { readTags } from './tiff.js';

/** Everything that is read. What a file is, its first bytes say, never its name. */
const readable = {
  png: { name: 'PNG', loader: 'png', extensions: ['.png'] },
  jpeg: { name: 'JPEG', loader: 'jpeg', extensions: ['.jpg', '.jpeg'] },
  webp: { name: 'WebP', loader: 'webp', extensions: ['.webp'] },
  avif: { name: 'AVIF', loader: 'heif', extensions: ['.avif'] },
  tiff: { name: 'TIFF', loader: 'tiff', extensions: ['.tif', '.tiff'] },
  gif: { name: 'GIF', loader: 'gif', extensions: ['.gif'] },
} as const;

type Readable = keyof typeof readable;

/** A format that is read: its name, what sharp calls it, and the extensions of its files. */
export type Format = (typeof readable)[Readable];
export type FormatName = Format['name'];

const names = Object.values(readable).map(({ name }) => name);

/** 'PNG, JPEG, … and GIF' */
export const readableNames = `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;

/** File extensions of what `readPhoto` and `restore` read: '.png', '.jpg', … */
export const readableExtensions: readonly string[] = Object.values(readable).flatMap(
  ({ extensions }) => extensions,
);

/** The first bytes of what is read, as Latin-1. */
const signatures: readonly (readonly [string, Readable])[] = [
  ['\x89PNG\r\n\x1a\n', 'png'],
  ['\xff\xd8\xff', 'jpeg'],
  ['GIF87a', 'gif'],
  ['GIF89a', 'gif'],
  ['II*\0', 'tiff'],
  ['MM\0*', 'tiff'],
  ['II+\0', 'tiff'],
  ['MM\0+', 'tiff'],
];

/** The first bytes of what people take for a photo, or send for one, as Latin-1. */
const strangers: readonly (readonly [string, string])[] = [
  ['%PDF-', 'PDF'],
  ['\xff\x0a', 'JPEG XL'],
  ['\0\0\0\x0cJXL ', 'JPEG XL'],
  ['\0\0\0\x0cjP  ', 'JPEG 2000'],
  ['\xff\x4f\xff\x51', 'JPEG 2000'],
  ['BM', 'BMP'],
  ['8BPS', 'Photoshop'],
  ['v/1\x01', 'OpenEXR'],
  ['\0\0\x01\0', 'a Windows icon'],
  ['FUJIFILMCCD-RAW', 'camera raw'],
  ['FOVb', 'camera raw'],
  ['IIU\0', 'camera raw'],
  ['IIRO', 'camera raw'],
  ['IIRS', 'camera raw'],
  ['MMOR', 'camera raw'],
  ['\0MRM', 'camera raw'],
  ['SIMPLE  =', 'FITS'],
  ['#?RADIANCE', 'Radiance HDR'],
  ['\x1f\x8b', 'gzip'],
  ['PK\x03\x04', 'ZIP'],
];

const heicBrands = ['heic', 'heix', 'heim', 'heis', 'hevc', 'hevx', 'mif1', 'msf1'];

/** The brands that a file of ISO's base format (AVIF, HEIC, MP4) gives itself; none for any other file. */
function brandsOf(head: string): string[] {
  if (head.slice(4, 8) !== 'ftyp') return [];
  const size = Buffer.from(head.slice(0, 4), 'latin1').readUInt32BE();
  const [major = '', , ...compatible] = head.slice(8, size).match(/[\s\S]{4}/g) ?? [];
  return [major, ...compatible];
}

/** Latin-1, so that a byte is a character. */
function headOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(0, 1024)).toString('latin1');
}

function recognize(head: string): Readable | undefined {
  if (head.startsWith('RIFF') && head.slice(8, 12) === 'WEBP') return 'webp';
  if (brandsOf(head).some((brand) => brand === 'avif' || brand === 'avis')) return 'avif';
  return signatures.find(([start]) => head.startsWith(start))?.[1];
}

/** Tags of TIFF: kind of picture, further directories, version of DNG. */
const [subfileType, subDirectories, dngVersion] = [254, 330, 50706];

/** Cameras write raw files that begin as TIFF, with a thumbnail in front, which must not be taken for the photo. */
function isCameraRaw(bytes: Uint8Array, head: string): boolean {
  if (head.startsWith('CR', 8)) return true;
  try {
    const tags = readTags(bytes);
    const kind = tags.get(subfileType)?.at(0) ?? 0;
    const isThumbnail = (kind & 1) === 1 && tags.has(subDirectories);
    return isThumbnail || tags.has(dngVersion);
  } catch (error) {
    if (error instanceof RangeError) return false; // Cut short, as the decoder will see.
    throw error;
  }
}

/** The format of a file, told by its content; undefined for what is not read. */
export function formatOf(bytes: Uint8Array): Format | undefined {
  const head = headOf(bytes);
  const found = recognize(head);
  if (!found || (found === 'tiff' && isCameraRaw(bytes, head))) return undefined;
  return readable[found];
}

/** What a file that is not read looks like; undefined where it looks like nothing that is known. */
export function describeStranger(bytes: Uint8Array): string | undefined {
  const head = headOf(bytes);
  const brands = brandsOf(head);
  if (brands.some((brand) => heicBrands.includes(brand))) return 'HEIC';
  if (brands.length > 0) return brands.includes('crx ') ? 'camera raw' : 'a video';
  if (recognize(head) === 'tiff') return 'camera raw';
  if (/^(\xef\xbb\xbf)?\s*</.test(head)) {
    if (/<svg[\s>]/i.test(head)) return 'SVG';
    return /<(!doctype )?html/i.test(head) ? 'HTML' : 'XML';
  }
  if (/^P[1-7]\s/.test(head)) return 'Netpbm';
  return strangers.find(([start]) => head.startsWith(start))?.[1];
}
