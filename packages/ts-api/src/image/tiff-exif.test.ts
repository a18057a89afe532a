import { describe, expect, it } from 'vitest';
import { readTags } from './tiff.js';
import { exifOfTiff, exifPatch, patched } from './tiff-exif.js';

/** A TIFF of one directory in either order of bytes: two tags of pictures, and EXIF with a text and a fraction. */
function tiffOf(isLittle: boolean): Buffer {
  const bytes = Buffer.alloc(100);
  const short = (value: number, at: number) =>
    isLittle ? bytes.writeUInt16LE(value, at) : bytes.writeUInt16BE(value, at);
  const long = (value: number, at: number) =>
    isLittle ? bytes.writeUInt32LE(value, at) : bytes.writeUInt32BE(value, at);
  const entry = (at: number, tag: number, type: number, count: number, value: number) => {
    short(tag, at);
    short(type, at + 2);
    long(count, at + 4);
    long(value, at + 8);
  };
  bytes.write(isLittle ? 'II' : 'MM', 'latin1');
  short(42, 2);
  long(8, 4);
  short(3, 8);
  entry(10, 256, 4, 1, 640);
  entry(22, 271, 2, 6, 50);
  entry(34, 34665, 4, 1, 56);
  bytes.write('Maker\0', 50, 'latin1');
  short(1, 56);
  entry(58, 33437, 5, 1, 74);
  long(28, 74);
  long(10, 78);
  return bytes;
}

describe('EXIF in TIFF', () => {
  it.each([
    [true, true],
    [true, false],
    [false, true],
    [false, false],
  ])('is taken out and put in, in either order of bytes (%s, %s)', (from, to) => {
    const block = exifOfTiff(tiffOf(from)) as Uint8Array;
    const tags = readTags(block);
    expect([...tags.keys()]).toEqual([271, 34665]);
    const plain = tiffOf(to);
    const file = Buffer.from(patched(plain, exifPatch(plain, block)));
    // All that was there stays where it was.
    expect(file.subarray(8, plain.length)).toEqual(plain.subarray(8));
    const long = (at: number) => (to ? file.readUInt32LE(at) : file.readUInt32BE(at));
    const again = readTags(file);
    expect([...again.keys()]).toEqual([256, 271, 34665]);
    expect(again.get(256)?.at(0)).toBe(640);
    const make = again.get(271);
    expect(file.toString('latin1', (make?.end ?? 0) - 6, make?.end)).toBe('Maker\0');
    const directory = again.get(34665)?.at(0) ?? 0;
    const place = long(directory + 2 + 8);
    expect([long(place), long(place + 4)]).toEqual([28, 10]);
    expect(exifOfTiff(file)).toEqual(to === from ? block : exifOfTiff(file));
  });

  it('of a file that is cut short or damaged does no harm', () => {
    for (const whole of [tiffOf(true), tiffOf(false)]) {
      const block = exifOfTiff(whole) as Uint8Array;
      for (let length = 0; length < whole.length; length++) {
        expect(() => exifOfTiff(whole.subarray(0, length))).not.toThrow();
        expect(() => exifPatch(whole.subarray(0, length), block)).not.toThrow();
        expect(() => exifPatch(whole, block.subarray(0, length))).not.toThrow();
      }
      for (let i = 0; i < 5000; i++) {
        const damaged = Buffer.from(whole);
        for (let k = 0; k <= i % 3; k++) damaged[(i * 31 + k * 17) % whole.length] = (i * 73 + k * 191) % 256;
        expect(() => exifOfTiff(damaged)).not.toThrow();
        expect(() => exifPatch(damaged, block)).not.toThrow();
        expect(() => exifPatch(whole, damaged)).not.toThrow();
      }
    }
  });

  it('that leads back to itself is left out at once', () => {
    const bytes = tiffOf(true);
    bytes.writeUInt32LE(8, 34 + 8);
    expect(exifOfTiff(bytes)).toBeUndefined();
    const count = 60_000;
    const many = Buffer.alloc(10 + 12 * count + 4);
    many.write('II*\0', 'latin1');
    many.writeUInt32LE(8, 4);
    many.writeUInt16LE(count, 8);
    for (let i = 0; i < count; i++) {
      many.writeUInt16LE(34665, 10 + 12 * i);
      many.writeUInt16LE(4, 12 + 12 * i);
      many.writeUInt32LE(8, 18 + 12 * i);
    }
    expect(exifOfTiff(many)).toBeUndefined();
  });

  it('is taken beside large tags that are none of it', () => {
    const bytes = Buffer.concat([tiffOf(true), Buffer.alloc(2 ** 25)]);
    bytes.writeUInt16LE(37724, 10);
    bytes.writeUInt16LE(7, 12);
    bytes.writeUInt32LE(2 ** 25, 14);
    bytes.writeUInt32LE(100, 18);
    expect([...readTags(exifOfTiff(bytes) as Uint8Array).keys()]).toEqual([271, 34665]);
  });

  it('that claims more than a file has is left out', () => {
    const bytes = tiffOf(true);
    bytes.writeUInt32LE(2 ** 31, 22 + 4);
    expect(exifOfTiff(bytes)).toBeUndefined();
  });
});
