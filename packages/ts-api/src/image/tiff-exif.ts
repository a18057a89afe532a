// EXIF in TIFF, which libvips neither reads nor writes. There EXIF is no block of its own but directories of the file, with offsets from its
// start; as block it is a small TIFF.
import { readTags, widths } from './tiff.js';

/** What an entry holds: its bytes in the order of the file, or a directory. */
interface Entry {
  readonly tag: number;
  readonly type: number;
  readonly count: number;
  readonly value: Buffer | readonly Entry[];
}

/** The two orders of bytes, and their reading and writing. */
const orders = {
  little: {
    mark: 'II*\0',
    readShort: (from: Buffer, at: number) => from.readUInt16LE(at),
    readLong: (from: Buffer, at: number) => from.readUInt32LE(at),
    writeShort: (to: Buffer, value: number, at: number) => to.writeUInt16LE(value, at),
    writeLong: (to: Buffer, value: number, at: number) => to.writeUInt32LE(value, at),
  },
  big: {
    mark: 'MM\0*',
    readShort: (from: Buffer, at: number) => from.readUInt16BE(at),
    readLong: (from: Buffer, at: number) => from.readUInt32BE(at),
    writeShort: (to: Buffer, value: number, at: number) => to.writeUInt16BE(value, at),
    writeLong: (to: Buffer, value: number, at: number) => to.writeUInt32BE(value, at),
  },
} as const;

type Order = (typeof orders)[keyof typeof orders];

/** Undefined for BigTIFF, and for what is no TIFF. */
function orderOf(bytes: Buffer): Order | undefined {
  return Object.values(orders).find(({ mark }) => bytes.toString('latin1', 0, 4) === mark);
}

/** Type of numbers of four bytes. */
const long = 4;
/** Directories that an entry leads to: of EXIF, of GPS, and what EXIF has of other cameras' rules. */
const [exifDirectory, gpsDirectory, interoperability] = [34665, 34853, 40965];

/** What of a picture's own directory is EXIF: description, make, model, software, date, artist, copyright. */
const described = [270, 271, 272, 305, 306, 315, 33432];

/** Bytes that are taken over: a thousand times what cameras write. */
const mostBytes = 2 ** 24;

/** Which entries of a directory are taken over, and in which of them other directories lie. */
interface Part {
  readonly takes: (tag: number) => boolean;
  readonly nested: Readonly<Record<number, Part>>;
}

const all = () => true;
const gps: Part = { takes: all, nested: {} };
const exif: Part = { takes: all, nested: { [interoperability]: gps } };
const picture: Part = {
  takes: (tag) => described.includes(tag) || tag === exifDirectory || tag === gpsDirectory,
  nested: { [exifDirectory]: exif, [gpsDirectory]: gps },
};

/** What one reading has seen, and may still take. */
interface Reading {
  bytes: number;
  readonly directories: Set<number>;
}

/** Throws a RangeError where the file ends before a directory does, leads back to one, or holds more than any has. */
function readDirectory(bytes: Buffer, at: number, order: Order, part: Part, reading: Reading): Entry[] {
  if (reading.directories.has(at)) throw new RangeError('a directory within itself');
  reading.directories.add(at);
  const charge = (length: number) => {
    reading.bytes -= length;
    if (reading.bytes < 0) throw new RangeError('more than any has');
  };
  const count = order.readShort(bytes, at);
  charge(12 * count);
  return Array.from({ length: count }, (_, i) => at + 2 + 12 * i).flatMap((entry): Entry[] => {
    const [tag, type] = [order.readShort(bytes, entry), order.readShort(bytes, entry + 2)];
    if (!part.takes(tag)) return [];
    const within = part.nested[tag];
    if (within) {
      const value = readDirectory(bytes, order.readLong(bytes, entry + 8), order, within, reading);
      return [{ tag, type: long, count: 1, value }];
    }
    const values = order.readLong(bytes, entry + 4);
    const length = (widths[type] ?? 0) * values;
    const from = length > 4 ? order.readLong(bytes, entry + 8) : entry + 8;
    if (from + length > bytes.length) throw new RangeError('beyond the file');
    charge(length);
    return [{ tag, type, count: values, value: bytes.subarray(from, from + length) }];
  });
}

/** Bytes that belong together in a value of a type. */
function unitOf(type: number): number {
  const isRational = type === 5 || type === 10;
  return isRational ? 4 : (widths[type] ?? 1);
}

function inOrder(value: Buffer, type: number, from: Order, to: Order): Buffer {
  const unit = unitOf(type);
  if (from === to || unit === 1) return value;
  const swapped = Buffer.from(value);
  for (let at = 0; at + unit <= swapped.length; at += unit) swapped.subarray(at, at + unit).reverse();
  return swapped;
}

/** A directory for the place `at` of a file, with what it refers to behind it. `raw` are entries that stay as they are. */
function composeDirectory(
  entries: readonly Entry[],
  raw: readonly Buffer[],
  next: number,
  at: number,
  from: Order,
  to: Order,
): Buffer {
  const count = entries.length + raw.length;
  const table = Buffer.alloc(2 + 12 * count + 4);
  const behind: Buffer[] = [];
  let end = at + table.length;
  const append = (bytes: Buffer) => {
    // Values begin at even places.
    const padded = bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(1)]);
    const place = end;
    behind.push(padded);
    end += padded.length;
    return place;
  };
  const written = entries.map(({ tag, type, count: values, value }) => {
    const entry = Buffer.alloc(12);
    to.writeShort(entry, tag, 0);
    to.writeShort(entry, type, 2);
    to.writeLong(entry, values, 4);
    if (!Buffer.isBuffer(value)) {
      to.writeLong(entry, append(composeDirectory(value, [], 0, end, from, to)), 8);
      return entry;
    }
    const bytes = inOrder(value, type, from, to);
    if (bytes.length > 4) to.writeLong(entry, append(bytes), 8);
    else bytes.copy(entry, 8);
    return entry;
  });
  to.writeShort(table, count, 0);
  const sorted = [...written, ...raw].sort((a, b) => to.readShort(a, 0) - to.readShort(b, 0));
  sorted.forEach((entry, i) => {
    entry.copy(table, 2 + 12 * i);
  });
  to.writeLong(table, next, 2 + 12 * count);
  return Buffer.concat([table, ...behind]);
}

function readEntries(bytes: Buffer, order: Order): Entry[] {
  const reading = { bytes: mostBytes, directories: new Set<number>() };
  return readDirectory(bytes, order.readLong(bytes, 4), order, picture, reading);
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Whether a TIFF has EXIF, readable or not. */
export function hasExif(file: Uint8Array): boolean {
  try {
    return readTags(file).has(exifDirectory);
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** The EXIF of a TIFF as a block by itself; undefined where it has none, or none that can be read. */
export function exifOfTiff(file: Uint8Array): Uint8Array | undefined {
  const bytes = bufferOf(file);
  const order = orderOf(bytes);
  if (!order) return undefined;
  try {
    const entries = readEntries(bytes, order);
    if (entries.length === 0) return undefined;
    const head = Buffer.alloc(8);
    head.write(order.mark, 'latin1');
    order.writeLong(head, head.length, 4);
    return Buffer.concat([head, composeDirectory(entries, [], 0, head.length, order, order)]);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** What becomes of a file: bytes from a place on, one behind the other. */
export type Patch = readonly { readonly at: number; readonly bytes: Uint8Array }[];

/** What puts the EXIF of a block into the directory of a TIFF's first picture; nothing where one of them cannot be read. */
export function exifPatch(file: Uint8Array, exif: Uint8Array): Patch {
  const [bytes, block] = [bufferOf(file), bufferOf(exif)];
  const [order, from] = [orderOf(bytes), orderOf(block)];
  if (!order || !from) return [];
  try {
    const entries = readEntries(block, from);
    const at = order.readLong(bytes, 4);
    const count = order.readShort(bytes, at);
    const raw = Array.from({ length: count }, (_, i) => bytes.subarray(at + 2 + 12 * i, at + 14 + 12 * i));
    const next = order.readLong(bytes, at + 2 + 12 * count);
    const taken = new Set(entries.map(({ tag }) => tag));
    const kept = raw.filter((entry) => !taken.has(order.readShort(entry, 0)));
    const start = bytes.length + (bytes.length % 2);
    const directory = composeDirectory(entries, kept, next, start, from, order);
    if (start + directory.length >= 2 ** 32) return [];
    const pointer = Buffer.alloc(4);
    order.writeLong(pointer, start, 0);
    return [
      { at: start, bytes: directory },
      { at: 4, bytes: pointer },
    ];
  } catch (error) {
    if (error instanceof RangeError) return [];
    throw error;
  }
}

/** A copy of a file with such a change. */
export function patched(file: Uint8Array, patch: Patch): Uint8Array {
  if (patch.length === 0) return file;
  const length = Math.max(file.length, ...patch.map(({ at, bytes }) => at + bytes.length));
  const result = new Uint8Array(length);
  result.set(file);
  for (const { at, bytes } of patch) result.set(bytes, at);
  return result;
}
