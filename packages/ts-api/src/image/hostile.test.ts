// Files of strangers: what is not read, cut short, damaged, or says what is not so.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TlscError } from '../errors.js';
import { readPhoto } from './files.js';
import { readableExtensions } from './formats.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tlsc-hostile-'));
});
afterAll(() => rm(folder, { recursive: true }));

const [width, height] = [12, 9];
const raw = { width, height, channels: 3 } as const;
const noise = Uint8Array.from({ length: 3 * width * height }, (_, i) => (i * 2654435761) % 251);
const picture = () => sharp(noise, { raw });

const files = {
  PNG: () => picture().png().toBuffer(),
  'interlaced PNG': () => picture().png({ progressive: true }).toBuffer(),
  JPEG: () => picture().jpeg().toBuffer(),
  'progressive JPEG': () => picture().jpeg({ progressive: true }).toBuffer(),
  'lossy WebP': () => picture().webp().toBuffer(),
  'lossless WebP': () => picture().webp({ lossless: true }).toBuffer(),
  AVIF: () => picture().avif({ effort: 0 }).toBuffer(),
  TIFF: () => picture().tiff({ compression: 'lzw' }).toBuffer(),
  BigTIFF: () => picture().tiff({ compression: 'none', bigtiff: true }).toBuffer(),
  'tiled TIFF': () =>
    picture().tiff({ compression: 'deflate', tile: true, tileWidth: 16, tileHeight: 16 }).toBuffer(),
  GIF: () => picture().gif().toBuffer(),
} as const;

async function errorOf(source: string | Uint8Array, options = {}): Promise<TlscError> {
  const error = await readPhoto(source, options).then(
    () => new Error('it was read'),
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(TlscError);
  return error as TlscError;
}

describe('a file that is cut short', () => {
  it.each(Object.entries(files))('is refused, or all there: %s, at each length', async (_, make) => {
    const bytes = await make();
    const whole = await readPhoto(bytes);
    let refused = 0;
    for (let length = 0; length < bytes.length; length++) {
      const result = await readPhoto(new Uint8Array(bytes.subarray(0, length))).catch((error) => error);
      if (!(result instanceof TlscError)) {
        expect(result).toEqual(whole);
        continue;
      }
      refused++;
      expect(result.code).toBe('ERR_INVALID_IMAGE');
      expect(result.message).toMatch(
        /^the image (is empty|is no image; only|looks like a video; only|looks like animated AVIF; only|\(\w+\) is (cut short|damaged, or of a kind that is not read)$)/,
      );
    }
    // At most an end without pixels may be missing.
    expect(refused).toBeGreaterThanOrEqual(bytes.length - 12);
  });

  it.each(Object.entries(files).filter(([name]) => name !== 'BigTIFF'))(
    'is called so: %s',
    async (_, make) => {
      const bytes = await make();
      expect((await errorOf(bytes.subarray(0, bytes.length - 16))).message).toMatch(
        /^the image \(\w+\) is cut short$/,
      );
    },
  );
});

/** The first directory of a TIFF that has nothing else. */
function tiffOf(tags: readonly (readonly [tag: number, value: number])[]): Buffer {
  const file = Buffer.alloc(8 + 2 + 12 * tags.length + 4);
  file.write('II*\0', 'latin1');
  file.writeUInt32LE(8, 4);
  file.writeUInt16LE(tags.length, 8);
  tags.forEach(([tag, value], i) => {
    file.writeUInt16LE(tag, 10 + 12 * i);
    file.writeUInt16LE(4, 12 + 12 * i);
    file.writeUInt32LE(1, 14 + 12 * i);
    file.writeUInt32LE(value, 18 + 12 * i);
  });
  return file;
}

function ftyp(...brands: readonly string[]): string {
  const [major, ...others] = brands;
  return `\0\0\0${String.fromCharCode(16 + 4 * others.length)}ftyp${major}\0\0\0\0${others.join('')}`;
}

const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="30000" height="30000"><circle r="9"/></svg>';

const strangers: readonly (readonly [string, string | Buffer])[] = [
  ['SVG', svg],
  ['SVG', `\xef\xbb\xbf <?xml version="1.0"?><!-- \x89PNG\r\n\x1a\n -->${svg}`],
  ['gzip', gzipSync(svg)],
  ['PDF', '%PDF-1.7\n'],
  ['HEIC', ftyp('heic', 'mif1', 'heic')],
  ['HEIC', ftyp('mif1', 'heic', 'miaf')],
  ['a video', ftyp('isom', 'mp42')],
  ['camera raw', ftyp('crx ', 'isom')],
  ['camera raw', 'II*\0\x10\0\0\0CR\x02\0'],
  ['camera raw', 'FUJIFILMCCD-RAW 0201'],
  // DNG, and NEF or ARW: a thumbnail, the photo in another directory.
  [
    'camera raw',
    tiffOf([
      [256, 16],
      [50706, 0x0401],
    ]),
  ],
  [
    'camera raw',
    tiffOf([
      [254, 1],
      [256, 16],
      [330, 999],
    ]),
  ],
  ['JPEG XL', '\xff\x0a'],
  ['JPEG 2000', '\0\0\0\x0cjP  \r\n\x87\n'],
  ['BMP', 'BM'],
  ['Photoshop', '8BPS'],
  ['Netpbm', 'P6 1 1 255\n000'],
  ['HTML', '<!DOCTYPE html><p>404'],
  ['XML', '<?xml version="1.0"?><a/>'],
];

describe('what is not read', () => {
  it.each(strangers)('is refused, as what it looks like: %s', async (look, text) => {
    const bytes = typeof text === 'string' ? Buffer.from(text, 'latin1') : text;
    // A name says nothing.
    const path = join(folder, 'photo.png');
    await writeFile(path, bytes);
    expect(await errorOf(path)).toMatchObject({
      code: 'ERR_INVALID_IMAGE',
      message: expect.stringMatching(
        new RegExp(
          `^${path} looks like ${look}; only PNG, JPEG, WebP, AVIF, TIFF and GIF are read(: convert it first, by \`.*IN.* OUT.*\` for example)?$`,
        ),
      ),
    });
  });

  it('is never drawn because of what follows a first line of something else', async () => {
    for (const start of [
      '\x89PNG\r\n\x1a\n',
      '\xff\xd8\xff',
      'GIF89a',
      'II*\0',
      'RIFF\0\0\0\0WEBP',
      ftyp('avif'),
    ]) {
      const polyglot = Buffer.from(`${start}${svg}%PDF-1.7\n`, 'latin1');
      expect(await errorOf(polyglot)).toMatchObject({ code: 'ERR_INVALID_IMAGE' });
    }
    expect((await errorOf(Buffer.from('text'))).message).toMatch(
      /^the image is no image; only PNG, .* are read$/,
    );
  });

  it('reads each format whatever its name', async () => {
    for (const make of Object.values(files)) {
      const path = join(folder, 'photo.svg');
      await writeFile(path, await make());
      expect((await readPhoto(path)).tensor.dims).toEqual([1, 3, height, width]);
    }
    expect(readableExtensions).toEqual(['.png', '.jpg', '.jpeg', '.webp', '.avif', '.tif', '.tiff', '.gif']);
  });
});

/** Replaces the bytes behind a marker in a file of [width, height]. */
async function patched(name: keyof typeof files, patch: (file: Buffer) => void): Promise<Buffer> {
  const file = Buffer.from(await files[name]());
  patch(file);
  return file;
}

/** Files whose headers say that they are 60000 pixels wide and high. */
const liars = {
  PNG: (side: number) =>
    patched('PNG', (file) => {
      file.writeUInt32BE(side, 16);
      file.writeUInt32BE(side, 20);
      file.writeUInt32BE(crc32(file.subarray(12, 29)), 29);
    }),
  JPEG: (side: number) =>
    patched('JPEG', (file) => {
      const frame = file.indexOf(Buffer.of(0xff, 0xc0));
      file.writeUInt16BE(side, frame + 5);
      file.writeUInt16BE(side, frame + 7);
    }),
  AVIF: (side: number) =>
    patched('AVIF', (file) => {
      const size = file.indexOf('ispe');
      file.writeUInt32BE(side, size + 8);
      file.writeUInt32BE(side, size + 12);
    }),
  TIFF: (side: number) =>
    patched('TIFF', (file) => {
      const directory = file.readUInt32LE(4);
      for (
        let entry = directory + 2;
        entry < directory + 2 + 12 * file.readUInt16LE(directory);
        entry += 12
      ) {
        if ([256, 257].includes(file.readUInt16LE(entry))) file.writeUInt16LE(side, entry + 8);
      }
    }),
  GIF: (side: number) =>
    patched('GIF', (file) => {
      const frame = file.indexOf(Buffer.of(0x21, 0xf9, 4)) + 8;
      for (const at of [6, 8, frame + 5, frame + 7]) file.writeUInt16LE(side, at);
    }),
} as const;

describe('a limit of pixels', () => {
  it.each(Object.entries(liars))('is held by what the header of a %s says', async (_, lie) => {
    const bytes = await lie(60000);
    const before = performance.now();
    expect(await errorOf(bytes)).toMatchObject({
      code: 'ERR_IMAGE_TOO_LARGE',
      message: 'the image has 60000x60000 pixels, 3600000000 in all; maxPixels is 268402689',
      parameter: 'maxPixels',
    });
    expect(performance.now() - before).toBeLessThan(1000);
  });

  // Decoders fill up a JPEG or a GIF whose pixels end too early, but properly.
  it.each(Object.entries(liars).filter(([name]) => name !== 'JPEG' && name !== 'GIF'))(
    'is no promise that pixels are there: %s',
    async (_, lie) => {
      expect(await errorOf(await lie(3000))).toMatchObject({ code: 'ERR_INVALID_IMAGE' });
    },
  );

  it('is exact, and counts all frames', async () => {
    const bytes = await files.PNG();
    const area = width * height;
    await expect(readPhoto(bytes, { maxPixels: area })).resolves.toBeDefined();
    expect(await errorOf(bytes, { maxPixels: area - 1 })).toMatchObject({ code: 'ERR_IMAGE_TOO_LARGE' });
    const frames = [noise, noise.map((value) => 250 - value), noise].map((data) => ({ data, raw }));
    for (const format of ['gif', 'webp', 'tiff'] as const) {
      const images = frames.map(({ data }) => sharp(data, { raw }).png().toBuffer());
      const animation = await sharp(await Promise.all(images), { join: { animated: true } })
        .toFormat(format)
        .toBuffer();
      await expect(readPhoto(animation, { maxPixels: 3 * area, page: 2 })).resolves.toBeDefined();
      expect(await errorOf(animation, { maxPixels: 3 * area - 1 })).toMatchObject({
        code: 'ERR_IMAGE_TOO_LARGE',
        message: `the image has ${width}x${height} pixels in each of 3 frames or pages, ${3 * area} in all; maxPixels is ${3 * area - 1}`,
      });
    }
  });

  it.each([0, -1, 1.5, 2 ** 30 + 1, '100', null])('is a number of pixels, not %j', async (maxPixels) => {
    expect(await errorOf(await files.PNG(), { maxPixels })).toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      parameter: 'maxPixels',
    });
  });
});

describe('the words of an error', () => {
  it('do not depend on what is decoded at the same time', async () => {
    const broken: Buffer[] = [];
    for (const make of Object.values(files)) {
      const bytes = await make();
      broken.push(Buffer.from(bytes.subarray(0, bytes.length - 16)));
      const damaged = Buffer.from(bytes);
      damaged.fill(0x55, Math.floor(bytes.length * 0.4), Math.floor(bytes.length * 0.8));
      broken.push(damaged);
    }
    const outcome = (bytes: Buffer) =>
      readPhoto(bytes).then(
        () => 'read',
        (error: TlscError) => `${error.code} ${error.message}`,
      );
    const alone: string[] = [];
    for (const bytes of broken) alone.push(await outcome(bytes));
    expect(new Set(alone).size).toBeGreaterThan(5);
    for (let round = 0; round < 10; round++) expect(await Promise.all(broken.map(outcome))).toEqual(alone);
  });
});
