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

/** What people take for a photo, or send for one, and a command that makes one of it. */
export interface Stranger {
  readonly name: string;
  readonly remedy: string | undefined;
}

const strangers = {
  pdf: { name: 'PDF', remedy: 'pdftoppm -png -r 300 IN OUT' },
  jxl: { name: 'JPEG XL', remedy: 'djxl IN OUT.png' },
  jp2: { name: 'JPEG 2000', remedy: 'magick IN OUT.png' },
  bmp: { name: 'BMP', remedy: 'magick IN OUT.png' },
  psd: { name: 'Photoshop', remedy: "magick 'IN[0]' OUT.png" },
  exr: { name: 'OpenEXR', remedy: 'magick IN -depth 16 OUT.png' },
  hdr: { name: 'Radiance HDR', remedy: 'magick IN -depth 16 OUT.png' },
  ico: { name: 'a Windows icon', remedy: 'magick IN OUT.png' },
  netpbm: { name: 'Netpbm', remedy: 'magick IN OUT.png' },
  fits: { name: 'FITS', remedy: undefined },
  raw: { name: 'camera raw', remedy: 'darktable-cli IN OUT.tif' },
  heic: { name: 'HEIC', remedy: 'heif-convert IN OUT.png' },
  video: { name: 'a video', remedy: 'ffmpeg -i IN OUT-%04d.png' },
  avis: { name: 'animated AVIF', remedy: 'ffmpeg -i IN OUT.webp' },
  apng: { name: 'animated PNG', remedy: 'ffmpeg -i IN OUT.webp' },
  svg: { name: 'SVG', remedy: 'rsvg-convert IN -o OUT.png' },
  html: { name: 'HTML', remedy: undefined },
  xml: { name: 'XML', remedy: undefined },
  gzip: { name: 'gzip', remedy: undefined },
  zip: { name: 'ZIP', remedy: undefined },
} as const satisfies Record<string, Stranger>;

type StrangerKind = keyof typeof strangers;

/** Their first bytes, as Latin-1. */
const strangeSignatures: readonly (readonly [string, StrangerKind])[] = [
  ['%PDF-', 'pdf'],
  ['\xff\x0a', 'jxl'],
  ['\0\0\0\x0cJXL ', 'jxl'],
  ['\0\0\0\x0cjP  ', 'jp2'],
  ['\xff\x4f\xff\x51', 'jp2'],
  ['BM', 'bmp'],
  ['8BPS', 'psd'],
  ['v/1\x01', 'exr'],
  ['\0\0\x01\0', 'ico'],
  ['FUJIFILMCCD-RAW', 'raw'],
  ['FOVb', 'raw'],
  ['IIU\0', 'raw'],
  ['IIRO', 'raw'],
  ['IIRS', 'raw'],
  ['MMOR', 'raw'],
  ['\0MRM', 'raw'],
  ['SIMPLE  =', 'fits'],
  ['#?RADIANCE', 'hdr'],
  ['\x1f\x8b', 'gzip'],
  ['PK\x03\x04', 'zip'],
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

/** Parts of a PNG that are looked at; what says something of all of it is among the first. */
const mostChunks = 1000;

/** The parts in front of a PNG's pixels, by type, and where each one's data begin. */
function chunksInFront(bytes: Uint8Array): ReadonlyMap<string, number> {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks = new Map<string, number>();
  let chunk = 8;
  for (let part = 0; part < mostChunks && chunk + 8 <= file.length; part++) {
    const type = file.toString('latin1', chunk + 4, chunk + 8);
    if (type === 'IDAT') break;
    chunks.set(type, chunk + 8);
    chunk += 12 + file.readUInt32BE(chunk);
  }
  return chunks;
}

/** Of which decoders would take the first frame alone for the picture. */
function isAnimatedPng(bytes: Uint8Array): boolean {
  return chunksInFront(bytes).has('acTL');
}

/** Primaries of sRGB, and what says nothing, in ITU-T H.273; its curves for high dynamic range. */
const usualPrimaries = [1, 2];
const highRange = [16, 18];

/** Whether a file says of its colours, in numbers of ITU-T H.273 instead of a profile, that they are others than sRGB's. */
export function hasOtherColours(bytes: Uint8Array, format: FormatName): boolean {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 2 ** 16));
  const isOther = (primaries = 2, curve = 2) =>
    !usualPrimaries.includes(primaries) || highRange.includes(curve);
  if (format === 'PNG') {
    const chunks = chunksInFront(bytes);
    const at = chunks.get('cICP');
    return at !== undefined && !chunks.has('iCCP') && isOther(bytes[at], bytes[at + 1]);
  }
  const box = format === 'AVIF' ? file.indexOf('colrnclx', 0, 'latin1') : -1;
  if (box < 0 || file.includes('colrprof', 0, 'latin1')) return false;
  return isOther(file[box + 9], file[box + 11]);
}

/** The format of a file, told by its content; undefined for what is not read. */
export function formatOf(bytes: Uint8Array): Format | undefined {
  const head = headOf(bytes);
  const found = recognize(head);
  if (!found || (found === 'tiff' && isCameraRaw(bytes, head))) return undefined;
  if ((found === 'png' && isAnimatedPng(bytes)) || brandsOf(head)[0] === 'avis') return undefined;
  return readable[found];
}

function strangerKind(head: string): StrangerKind | undefined {
  const brands = brandsOf(head);
  if (brands[0] === 'avis') return 'avis';
  if (brands.some((brand) => heicBrands.includes(brand))) return 'heic';
  if (brands.length > 0) return brands.includes('crx ') ? 'raw' : 'video';
  const found = recognize(head);
  if (found === 'tiff') return 'raw';
  if (found === 'png') return 'apng';
  if (/^(\xef\xbb\xbf)?\s*</.test(head)) {
    if (/<svg[\s>]/i.test(head)) return 'svg';
    return /<(!doctype )?html/i.test(head) ? 'html' : 'xml';
  }
  if (/^P[1-7]\s/.test(head)) return 'netpbm';
  return strangeSignatures.find(([start]) => head.startsWith(start))?.[1];
}

/** What a file that is not read looks like; undefined where it looks like nothing that is known. */
export function describeStranger(bytes: Uint8Array): Stranger | undefined {
  const kind = strangerKind(headOf(bytes));
  return kind && strangers[kind];
}
