// From file to file: colours, frames, and what a file says beside its pixels.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import sharp, { type Raw } from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildBytes, floats } from '../../test/build-model.js';
import { grayProfile, rgbProfile, rgbSpaces } from '../../test/profiles.js';
import type { TlscError } from '../errors.js';
import { makeNode } from '../graph/proto.js';
import { InferenceSession } from '../session/inference-session.js';
import type { ImageExtension } from './encoders.js';
import { filePixels } from './file-pixels.js';
import { encodePhoto, readPhoto } from './files.js';
import { carrierOf, uprightExif } from './metadata.js';
import { pictureOf } from './photo.js';
import { restore } from './restore.js';
import { restoreFile, restoreImage } from './restore-file.js';
import { colourspaceOf, samplesIn } from './samples.js';
import { readTags } from './tiff.js';

let folder = '';
let identity: InferenceSession;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tlsc-files-'));
  identity = await InferenceSession.create(
    buildBytes({ node: [makeNode('Neg', ['x'], ['n']), makeNode('Neg', ['n'], ['y'])] }),
  );
});
afterAll(() => rm(folder, { recursive: true }));

const [width, height] = [37, 23];

function samples(channels: number, bits: 8 | 16, count = width * height): Uint8Array | Uint16Array {
  const values = Array.from({ length: count * channels }, (_, i) => ((i * 2654435761) >>> 7) % 2 ** bits);
  return bits === 16 ? Uint16Array.from(values) : Uint8Array.from(values);
}

/** An image file with these very samples and this profile. */
async function fileOf(
  format: 'png' | 'tiff',
  channels: 1 | 2 | 3 | 4,
  bits: 8 | 16,
  icc?: Buffer,
): Promise<Buffer> {
  const colours = channels < 3 ? 1 : 3;
  return sharp(carrierOf(icc ? { icc } : {}, channels, bits), { ignoreIcc: true })
    .boolean(samples(channels, bits) as Buffer, 'or', { raw: { width, height, channels } })
    .keepIccProfile()
    .toColourspace(colourspaceOf(colours, bits))
    .toFormat(format, format === 'tiff' ? { compression: 'lzw' } : {})
    .toBuffer();
}

/** The samples of a file as they are. */
async function samplesOf(file: Uint8Array, bits: 8 | 16, colours = 3) {
  const space = bits === 16 ? colourspaceOf(colours, 16) : 'srgb';
  const { data, info } = await sharp(file, { ignoreIcc: true })
    .toColourspace(space)
    .raw({ depth: bits === 16 ? 'ushort' : 'uchar' })
    .toBuffer({ resolveWithObject: true });
  return { data: [...samplesIn(data, bits)], channels: info.channels };
}

const gray3 = buildBytes({
  node: [makeNode('Neg', ['x'], ['n']), makeNode('Neg', ['n'], ['y'])],
});

describe('colours', () => {
  it.each(
    rgbSpaces.flatMap((space) =>
      ([8, 16] as const).flatMap((bits) =>
        (['png', 'tiff'] as const).map((format) => ({ space, bits, format })),
      ),
    ),
  )(
    'of $space stay what they are, with their profile: $bits bits, $format',
    async ({ space, bits, format }) => {
      const icc = rgbProfile(space);
      const file = await fileOf(format, 3, bits, icc);
      for (const strip of [false, true]) {
        const { bytes, losses } = await restoreImage(identity, file, format === 'png' ? '.png' : '.tif', {
          strip,
        });
        expect(losses).toEqual([]);
        expect(await samplesOf(bytes, bits)).toEqual(await samplesOf(file, bits));
        expect((await sharp(bytes).metadata()).icc).toEqual(icc);
      }
    },
  );

  it.each([8, 16] as const)('of gray stay what they are: %d bits', async (bits) => {
    const session = await InferenceSession.create(gray3);
    const icc = grayProfile();
    const file = await fileOf('png', 1, bits, icc);
    const { bytes } = await restoreImage(session, file, '.png', { gray: 'rgb' });
    const header = await sharp(bytes).metadata();
    expect(header).toMatchObject({ channels: 1, icc });
    expect(await samplesOf(bytes, bits, 1)).toEqual(await samplesOf(file, bits, 1));
    // What holds no profile of gray gets the colours that it means.
    const webp = await restoreImage(session, file, '.webp', { gray: 'rgb', lossless: true });
    const meant = await sharp(await fileOf('png', 1, 8, icc))
      .raw()
      .toBuffer();
    if (bits === 8) expect((await samplesOf(webp.bytes, 8)).data).toEqual([...meant]);
  });

  it('of CMYK become sRGB, as LittleCMS has it, which is told', async () => {
    const cmyk = await sharp(samples(3, 8), { raw: { width, height, channels: 3 } })
      .toColourspace('cmyk')
      .withIccProfile('cmyk')
      .jpeg({ quality: 100 })
      .toBuffer();
    expect((await sharp(cmyk).metadata()).space).toBe('cmyk');
    const { bytes, losses } = await restoreImage(identity, cmyk, '.png');
    expect(losses).toEqual(['CMYK: it is sRGB now']);
    const expected = await sharp(cmyk).toColourspace('srgb').raw().toBuffer();
    expect((await samplesOf(bytes, 8)).data).toEqual([...expected]);
    expect((await sharp(bytes).metadata()).icc).toBeUndefined();
  });

  it.each([10, 12] as const)('of AVIF with %d bits keep their white', async (bitdepth) => {
    const white = sharp(new Uint16Array(3 * 64 * 64).fill(65535), {
      raw: { width: 64, height: 64, channels: 3 },
    });
    const file = await white.toColourspace('rgb16').avif({ bitdepth, lossless: true }).toBuffer();
    const photo = await readPhoto(file);
    expect(photo.bitDepth).toBe(16);
    expect(Math.min(...(photo.tensor.data as Float32Array))).toBeCloseTo(1, 6);
    const again = await readPhoto(await encodePhoto(photo, '.avif', { lossless: true }));
    expect(Math.min(...(again.tensor.data as Float32Array))).toBeCloseTo(1, 6);
  });

  it('of gray in a profile of RGB, and of colours in one of gray, keep what they mean', async () => {
    const session = await InferenceSession.create(gray3);
    const photo = await readPhoto(await fileOf('png', 1, 8));
    const adobe = { ...photo, metadata: { icc: rgbProfile('Adobe RGB') } };
    const spread = await readPhoto(await encodePhoto(adobe, '.png'));
    expect(spread.tensor.dims[1]).toBe(3);
    expect(spread.metadata?.icc).toEqual(adobe.metadata.icc);
    expect((spread.tensor.data as Float32Array).slice(0, width * height)).toEqual(photo.tensor.data);
    const colour = await fileOf('png', 3, 8);
    const { losses } = await restoreImage(session, await sharp(colour).png().toBuffer(), '.png');
    expect(losses).toEqual([]);
    const pixels = await filePixels(
      pictureOf({ ...(await readPhoto(colour)), metadata: { icc: grayProfile() } }),
      '.png',
      {},
    );
    expect(pixels).toMatchObject({
      metadata: {},
      losses: ['its profile, which is not one of these colours'],
    });
  });

  it('become sRGB where a format has no profiles, with --strip, too', async () => {
    const file = await fileOf('png', 3, 8, rgbProfile('ProPhoto'));
    const meant = await sharp(file).toColourspace('srgb').raw().toBuffer();
    for (const strip of [false, true]) {
      const photo = await readPhoto(file);
      const pixels = await filePixels(pictureOf(photo), '.gif', { strip });
      expect([...pixels.data]).toEqual([...meant]);
    }
  });

  it('of an alpha of 10 bits keep their white', async () => {
    const opaque = sharp(new Uint16Array(4 * 64 * 64).fill(65535), {
      raw: { width: 64, height: 64, channels: 4 },
    });
    const file = await opaque.toColourspace('rgb16').avif({ bitdepth: 10, lossless: true }).toBuffer();
    const { alpha } = await readPhoto(file);
    // Encoders leave an alpha out that hides nothing.
    expect(alpha?.every((one) => one === 65535) ?? true).toBe(true);
  });

  it('that alpha hides are left out, whoever has made the alpha', async () => {
    const photo = await readPhoto(await fileOf('png', 3, 8));
    const alpha = new Uint8Array(width * height).fill(0, 0, 40).fill(255, 40);
    const restored = await restore(identity, { ...photo, alpha });
    expect((restored.tensor.data as Float32Array).slice(40, 100)).toEqual(
      (photo.tensor.data as Float32Array).slice(40, 100),
    );
  });

  it('under an alpha of 0 get neither into visible pixels nor into means', async () => {
    const mean = {
      node: [
        makeNode('GlobalAveragePool', ['x'], ['p']),
        makeNode('Mul', ['p', 'x'], ['m']),
        makeNode('Conv', ['m', 'w'], ['y'], { attributes: { pads: [2, 2, 2, 2] } }),
      ],
      initializer: [floats('w', [3, 3, 5, 5])],
    };
    const session = await InferenceSession.create(buildBytes(mean));
    const seen = async (hidden: number, bits: 8 | 16) => {
      const data = samples(4, bits);
      for (let i = 0; i < width * height; i++) {
        if (i % width < 10) data.fill(hidden, 4 * i, 4 * i + 3).fill(0, 4 * i + 3, 4 * i + 4);
        else data[4 * i + 3] = 1 + (i % 200);
      }
      const file = await sharp(data, { raw: { width, height, channels: 4 } })
        .toColourspace(colourspaceOf(3, bits))
        .png()
        .toBuffer();
      const { bytes } = await restoreImage(session, file, '.png', { range: [0, 1] });
      const restored = await samplesOf(bytes, bits);
      expect(restored.channels).toBe(4);
      return restored.data.filter((_, i) => Math.floor(i / 4) % width >= 10);
    };
    expect(await seen(255, 8)).toEqual(await seen(0, 8));
    expect(await seen(65535, 16)).toEqual(await seen(7, 16));
  });
});

/** Exif data: make, orientation, and a comment of a maker behind a directory of its own; big-endian. */
function exifOf(orientation: number): Buffer {
  const bytes = Buffer.alloc(8 + 2 + 3 * 12 + 4 + 6 + 2 + 12 + 4 + 8);
  bytes.write('MM\0*', 'latin1');
  bytes.writeUInt32BE(8, 4);
  bytes.writeUInt16BE(3, 8);
  const entry = (at: number, tag: number, type: number, count: number, write: () => void) => {
    bytes.writeUInt16BE(tag, at);
    bytes.writeUInt16BE(type, at + 2);
    bytes.writeUInt32BE(count, at + 4);
    write();
  };
  const make = 8 + 2 + 36 + 4;
  const directory = make + 6;
  entry(10, 0x010f, 2, 6, () => bytes.writeUInt32BE(make, 18));
  entry(22, 0x0112, 3, 1, () => bytes.writeUInt16BE(orientation, 30));
  entry(34, 0x8769, 4, 1, () => bytes.writeUInt32BE(directory, 42));
  bytes.write('Maker\0', make, 'latin1');
  bytes.writeUInt16BE(1, directory);
  entry(directory + 2, 0x829d, 5, 1, () => bytes.writeUInt32BE(directory + 18, directory + 10)); // FNumber
  bytes.writeUInt32BE(28, directory + 18);
  bytes.writeUInt32BE(10, directory + 22);
  return bytes;
}

/** A number of four bytes in the order of a block of EXIF. */
function numberOf(exif: Uint8Array, at: number): number {
  return new DataView(exif.buffer, exif.byteOffset, exif.byteLength).getUint32(at, exif[0] === 0x49);
}

function offsetOf(exif: Uint8Array, offset: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, offset, exif[0] === 0x49);
  return bytes;
}

const xmp =
  '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6" tiff:Artist="someone"/></rdf:RDF></x:xmpmeta>';

async function withMetadata(format: 'jpeg' | 'png' | 'webp'): Promise<Buffer> {
  const icc = rgbProfile('Display P3');
  return sharp(carrierOf({ icc, exif: exifOf(6), xmp, density: 300 }, 3, 8), { ignoreIcc: true })
    .boolean(samples(3, 8) as Buffer, 'or', { raw: { width, height, channels: 3 } })
    .keepMetadata()
    .withDensity(300)
    .toColourspace('srgb')
    .toFormat(format)
    .toBuffer();
}

describe('what a file says beside its pixels', () => {
  it.each(
    (['jpeg', 'png', 'webp'] as const).flatMap((from) =>
      (['.jpg', '.png', '.webp', '.avif'] as const).map((to) => ({ from, to })),
    ),
  )('is in the result, upright: $from to $to', async ({ from, to }) => {
    const { bytes, losses } = await restoreImage(identity, await withMetadata(from), to);
    expect(losses).toEqual([]);
    const header = await sharp(bytes).metadata();
    expect(header).toMatchObject({ width: height, height: width }); // Turned.
    expect(header.orientation ?? 1).toBe(1);
    expect(header.icc).toEqual(rgbProfile('Display P3'));
    const exif = Buffer.from(header.exif as Buffer);
    const tags = readTags(exif.subarray(exif.toString('latin1', 0, 4) === 'Exif' ? 6 : 0));
    expect(tags.get(0x0112)?.at(0)).toBe(1);
    expect(exif.includes('Maker')).toBe(true);
    expect(tags.has(0x8769)).toBe(true);
    expect(header.xmp?.toString()).toBe(xmp.replace('Orientation="6"', 'Orientation="1"'));
    if (to === '.jpg' || to === '.png') expect(header.density).toBe(300);
  });

  it.each([
    ['TIFF', '.tif'],
    ['PNG', '.png'],
  ] as const)('is in a TIFF, and from there in a %s', async (_, extension) => {
    const file = await restoreImage(identity, await withMetadata('jpeg'), '.tif');
    expect(file.losses).toEqual([]);
    expect(readTags(file.bytes).has(0x8769)).toBe(true);
    const { bytes } = await restoreImage(identity, file.bytes, extension);
    const header = await sharp(bytes).metadata();
    expect(header).toMatchObject({ width: height, height: width, icc: rgbProfile('Display P3') });
    expect((await readPhoto(bytes)).tensor.data).toEqual((await readPhoto(file.bytes)).tensor.data);
    const exif = (await readPhoto(bytes)).metadata?.exif ?? new Uint8Array();
    const tags = readTags(exif);
    expect(Buffer.from(exif).includes('Maker')).toBe(true);
    // The number of a lens, two directories deep: 28 / 10.
    const directory = readTags(
      Uint8Array.from([
        ...exif.subarray(0, 4),
        ...offsetOf(exif, tags.get(0x8769)?.at(0) ?? 0),
        ...exif.subarray(8),
      ]),
    );
    expect([0, 1].map((i) => numberOf(exif, (directory.get(0x829d)?.end ?? 0) - 8 + 4 * i))).toEqual([
      28, 10,
    ]);
  });

  it('is left out when that is asked for, all but the profile', async () => {
    const { bytes } = await restoreImage(identity, await withMetadata('jpeg'), '.png', { strip: true });
    const header = await sharp(bytes).metadata();
    expect(header.xmp).toBeUndefined();
    expect(header.exif?.includes('Maker') ?? false).toBe(false);
    expect(header.icc).toEqual(rgbProfile('Display P3'));
  });

  it('is told where a format has no place for it', async () => {
    const gif = await restoreImage(identity, await withMetadata('jpeg'), '.gif');
    expect(gif.losses).toEqual(['its metadata, which GIF has no place for']);
    const alpha = await restoreImage(identity, await fileOf('png', 4, 8), '.jpg');
    expect(alpha.losses).toEqual(['its alpha channel, which JPEG has none of']);
  });

  it('is in a photo that is read, and written with it', async () => {
    const photo = await readPhoto(await withMetadata('jpeg'));
    expect(photo.metadata).toMatchObject({ density: 300, icc: rgbProfile('Display P3') });
    const again = await readPhoto(await encodePhoto(photo, '.png'));
    expect(again.metadata?.icc).toEqual(photo.metadata?.icc);
    expect(again.tensor.data).toEqual(photo.tensor.data);
  });

  it('is upright in EXIF that has the orientation as a long number', async () => {
    const exif = exifOf(6);
    exif.writeUInt16BE(4, 22 + 2);
    exif.writeUInt32BE(6, 22 + 8);
    expect(readTags(uprightExif(exif)).get(0x0112)?.at(0)).toBe(1);
  });

  it('is told where it is too much, or is not read', async () => {
    const photo = await readPhoto(await fileOf('png', 3, 8));
    const exif = Buffer.concat([exifOf(1), Buffer.alloc(70_000)]);
    const pixels = await filePixels(pictureOf({ ...photo, metadata: { exif } }), '.png', {});
    expect(pixels).toMatchObject({ losses: ['its EXIF, of more than 64 kB'] });
    const png = await fileOf('png', 3, 8);
    const cicp = Buffer.from('\0\0\0\x04cICP\x0c\x0d\0\x01\0\0\0\0', 'latin1');
    cicp.writeUInt32BE(crc32(cicp.subarray(4, 12)), 12);
    const p3 = Buffer.concat([png.subarray(0, 33), cicp, png.subarray(33)]);
    expect((await restoreImage(identity, p3, '.png')).losses).toEqual([
      'its colour space, which is not read: it is taken for sRGB',
    ]);
    const deep = await fileOf('png', 3, 16);
    expect((await restoreImage(identity, deep, '.webp')).losses).toEqual([
      'its 16 bits, of which 8 are left',
    ]);
    expect((await restoreImage(identity, deep, '.avif')).losses).toEqual([
      'its 16 bits, of which 10 are left',
    ]);
  });

  it('is not made up', async () => {
    const file = await fileOf('png', 3, 8, rgbProfile('Display P3'));
    for (const extension of ['.png', '.jpg', '.webp'] as const) {
      const { bytes } = await restoreImage(identity, file, extension);
      expect(await sharp(bytes).metadata()).not.toHaveProperty('exif');
    }
  });

  it('may have a density that no file can have', async () => {
    const tiff = await sharp(samples(3, 8), { raw: { width, height, channels: 3 } })
      .tiff({ compression: 'none', xres: 1e6, yres: 1e6 })
      .toBuffer();
    await expect(restoreImage(identity, tiff, '.png')).resolves.toMatchObject({ width });
    const photo = await readPhoto(await fileOf('png', 3, 8));
    for (const density of [0, -1, 1e9, Number.NaN])
      await expect(encodePhoto({ ...photo, metadata: { density } }, '.png')).rejects.toMatchObject({
        code: 'ERR_INVALID_ARGUMENT',
        parameter: 'metadata.density',
      });
  });

  it('does no harm where it is damaged', async () => {
    const broken = Buffer.from('MM\0*\0\0\0\x08\xff\xff\x01', 'latin1');
    const file = await sharp(carrierOf({ exif: broken }, 3, 8))
      .png()
      .toBuffer();
    await expect(restoreImage(identity, file, '.png')).resolves.toMatchObject({ width: 1, height: 1 });
  });
});

async function animation(format: 'gif' | 'webp' | 'tiff', bits: 8 | 16 = 8): Promise<Buffer> {
  const count = 3;
  const image = sharp(samples(3, bits, count * width * height), {
    raw: { width, height: count * height, channels: 3, pageHeight: height },
  }).toColourspace(colourspaceOf(3, bits));
  if (format === 'tiff') return image.tiff({ compression: 'lzw' }).toBuffer();
  const timing = { delay: [100, 50, 200], loop: 4 };
  return format === 'gif'
    ? image.gif(timing).toBuffer()
    : image.webp({ ...timing, lossless: true }).toBuffer();
}

describe('frames and pages', () => {
  it.each([
    ['webp', '.webp', 8],
    ['gif', '.webp', 8],
    ['tiff', '.tif', 8],
    ['tiff', '.tif', 16],
  ] as const)('are restored all: %s to %s, %d bits', async (from, to, bits) => {
    const file = await animation(from, bits);
    const { bytes, frames } = await restoreImage(
      identity,
      file,
      to,
      to === '.webp' ? { lossless: true } : {},
    );
    expect(frames).toBe(3);
    const [before, after] = [await sharp(file).metadata(), await sharp(bytes).metadata()];
    expect(after.pages).toBe(3);
    if (to === '.webp') expect(after).toMatchObject({ delay: before.delay, loop: before.loop });
    for (let page = 0; page < 3; page++) {
      const [one, other] = await Promise.all([file, bytes].map((image) => readPhoto(image, { page })));
      expect(other?.tensor.data).toEqual(one?.tensor.data);
    }
  });

  it('are written as GIF, too', async () => {
    const { bytes, frames } = await restoreImage(identity, await animation('webp'), '.gif');
    expect(frames).toBe(3);
    expect(await sharp(bytes).metadata()).toMatchObject({ format: 'gif', pages: 3, loop: 4 });
  });

  it('of gray with a profile are all written in a format without such', async () => {
    const icc = grayProfile();
    const pages = await sharp(carrierOf({ icc }, 1, 8), { ignoreIcc: true })
      .boolean(samples(1, 8, 2 * width * height) as Buffer, 'or', {
        raw: { width, height: 2 * height, channels: 1, pageHeight: height } as Raw,
      })
      .keepMetadata()
      .toColourspace('b-w')
      .tiff({ compression: 'lzw' })
      .toBuffer();
    const { bytes } = await restoreImage(identity, pages, '.webp', { gray: 'rgb', lossless: true });
    expect(await sharp(bytes).metadata()).toMatchObject({ pages: 2, width, height });
  });

  it('that differ are refused before anything is done, or chosen', async () => {
    const page = (side: number) =>
      sharp({ create: { width: side, height: 8, channels: 3, background: 'teal' } })
        .tiff({ compression: 'none' })
        .toBuffer();
    const [first, second] = await Promise.all([page(8), page(9)]);
    // The second file's directory, moved behind the first one.
    const moved = Buffer.concat([first, second]);
    const directoryOf = (file: Buffer) => file.readUInt32LE(4);
    const [one, other] = [directoryOf(first), directoryOf(second)];
    moved.writeUInt32LE(first.length + other, one + 2 + 12 * first.readUInt16LE(one));
    for (let i = 0; i < second.readUInt16LE(other); i++) {
      const entry = first.length + other + 2 + 12 * i;
      const [tag, type, count] = [
        moved.readUInt16LE(entry),
        moved.readUInt16LE(entry + 2),
        moved.readUInt32LE(entry + 4),
      ];
      const size = (type === 3 ? 2 : type === 5 ? 8 : 4) * count;
      if (tag === 273 || size > 4)
        moved.writeUInt32LE(moved.readUInt32LE(entry + 8) + first.length, entry + 8);
    }
    await expect(restoreImage(identity, moved, '.tif')).rejects.toMatchObject({
      code: 'ERR_INVALID_IMAGE',
      message: expect.stringMatching(/not alike \(8x8 .*9x8 .*option page/),
    });
    expect(await restoreImage(identity, moved, '.tif', { page: 1 })).toMatchObject({ width: 9, frames: 1 });
  });

  it('of a GIF that is cut short are not silently fewer', async () => {
    const file = await animation('gif');
    for (const length of [file.length - 1, Math.round(file.length / 2), 400])
      await expect(restoreImage(identity, file.subarray(0, length), '.gif')).rejects.toMatchObject({
        code: 'ERR_INVALID_IMAGE',
        message: expect.stringContaining('cut short'),
      });
    const behind = Buffer.concat([file, Buffer.from('anything')]);
    expect(await restoreImage(identity, behind, '.gif')).toMatchObject({ frames: 3 });
  });

  it('are never silently the first', async () => {
    const file = await animation('gif');
    for (const extension of ['.png', '.jpg', '.avif'] as const)
      await expect(restoreImage(identity, file, extension)).rejects.toMatchObject({
        code: 'ERR_INVALID_ARGUMENT',
        parameter: 'page',
        message: expect.stringContaining('has 3 frames or pages'),
      });
    await expect(readPhoto(file)).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT', parameter: 'page' });
    const second = await restoreImage(identity, file, '.png', { page: 1 });
    expect(second.frames).toBe(1);
    expect((await readPhoto(second.bytes)).tensor.data).toEqual(
      (await readPhoto(file, { page: 1 })).tensor.data,
    );
    await expect(readPhoto(file, { page: 3 })).rejects.toMatchObject({ parameter: 'page' });
    await expect(readPhoto(file, { page: -1 })).rejects.toMatchObject({ parameter: 'page' });
  });

  it('of an animated PNG, of which no more than the first could be read, are refused', async () => {
    const png = await fileOf('png', 3, 8);
    const control = Buffer.from('\0\0\0\x08acTL\0\0\0\x02\0\0\0\0\0\0\0\0', 'latin1');
    const animated = Buffer.concat([png.subarray(0, 33), control, png.subarray(33)]);
    await expect(readPhoto(animated)).rejects.toMatchObject({
      code: 'ERR_INVALID_IMAGE',
      message: expect.stringContaining('animated PNG'),
    });
  });
});

describe('restoreFile', () => {
  it('writes one whole file, or none', async () => {
    const [input, output] = [join(folder, 'in.png'), join(folder, 'out.webp')];
    await writeFile(input, await fileOf('png', 3, 8));
    const restored = await restoreFile(identity, input, output, { lossless: true });
    expect(restored).toEqual({ height, width, frames: 1, losses: [] });
    expect((await readPhoto(output)).tensor.data).toEqual((await readPhoto(input)).tensor.data);
    await writeFile(input, (await readFile(input)).subarray(0, 500));
    await expect(restoreFile(identity, input, join(folder, 'none.png'))).rejects.toMatchObject({
      code: 'ERR_INVALID_IMAGE',
    });
    expect((await readdir(folder)).sort()).toEqual(['in.png', 'out.webp']);
  });

  it.each<[string, ImageExtension, object]>([
    ['quality', '.jpg', { quality: 0 }],
    ['quality', '.webp', { quality: 101 }],
    ['lossless', '.jpg', { lossless: true }],
    ['lossless', '.png', { lossless: 'yes' }],
    ['strip', '.png', { strip: 1 }],
    ['extension', '.bmp' as ImageExtension, {}],
    ['options', '.png', { qualty: 3 }],
  ])('refuses what makes no sense: %s of %s', async (parameter, extension, options) => {
    const file = await fileOf('png', 3, 8);
    await expect(restoreImage(identity, file, extension, options)).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      parameter,
    });
  });

  it('heeds the quality', async () => {
    const file = await fileOf('png', 3, 8);
    for (const extension of ['.jpg', '.webp', '.avif'] as const) {
      const [low, high] = await Promise.all(
        [20, 95].map((quality) => restoreImage(identity, file, extension, { quality })),
      );
      expect(low?.bytes.length ?? 0).toBeLessThan(high?.bytes.length ?? 0);
    }
  });
});

describe('files in pieces', () => {
  it.each([
    ['.png', 8, false],
    ['.png', 16, true],
    ['.tif', 16, false],
    ['.jpg', 16, false],
  ] as const)('%s of a photo of %i bits is the file of the whole', async (extension, bits, hasAlpha) => {
    const session = await InferenceSession.create(
      buildBytes({
        node: [makeNode('Conv', ['x', 'w'], ['y'], { attributes: { pads: [1, 1, 1, 1] } })],
        initializer: [floats('w', [3, 3, 3, 3])],
      }),
    );
    const [high, wide] = [300, 410];
    const channels = hasAlpha ? 4 : 3;
    const samples = Uint16Array.from(
      { length: high * wide * channels },
      (_, i) => Math.imul(i, 40503) & 65535,
    );
    const image = sharp(samples, { raw: { width: wide, height: high, channels } }).toColourspace('rgb16');
    const file = await (bits === 16 ? image : image.toColourspace('srgb')).png().toBuffer();
    const whole = await restoreImage(session, file, extension, { memory: 1e10 });
    expect(whole.pieces).toBeUndefined();
    const refusal = await restoreImage(session, file, extension, { memory: 1 }).catch(
      (error: TlscError) => error,
    );
    const memory = Math.ceil(Number((refusal as TlscError).expected) * 2);
    const cut = await restoreImage(session, file, extension, { memory });
    expect((cut.pieces?.rows ?? 0) * (cut.pieces?.columns ?? 0)).toBeGreaterThan(3);
    const pixelsOf = (bytes: Uint8Array) => sharp(bytes).raw({ depth: 'ushort' }).toBuffer();
    const [one, other] = [await pixelsOf(cut.bytes), await pixelsOf(whole.bytes)];
    const difference = new Uint16Array(one.buffer, one.byteOffset, one.length / 2).reduce(
      (most, value, i) => Math.max(most, Math.abs(value - other.readUInt16LE(2 * i))),
      0,
    );
    // Convolutions of other sizes add up in another order.
    expect(difference).toBeLessThanOrEqual(extension === '.jpg' || bits === 8 ? 257 : 4);
  });
});
