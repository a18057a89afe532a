// Photos that are too large for the memory they may take: their pixels lie in files meanwhile.
import { mkdir, mkdtemp, readdir, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { buildBytes } from '../../test/build-model.js';
import { grayProfile } from '../../test/profiles.js';
import { makeNode } from '../graph/proto.js';
import { InferenceSession } from '../session/inference-session.js';
import { carrierOf } from './metadata.js';
import { type RestoreFileOptions, restoreFile, restoreImage } from './restore-file.js';
import { Scratch, withScratch } from './scratch.js';

let folder = '';
let identity: InferenceSession;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tlsc-large-'));
  identity = await InferenceSession.create(
    buildBytes({ node: [makeNode('Neg', ['x'], ['n']), makeNode('Neg', ['n'], ['y'])] }),
  );
});
afterAll(() => rm(folder, { recursive: true }));

const [width, height] = [1100, 800];

/** Less than four times the pixels, so that these go into files, and enough for pieces of a photo. */
const memory = 1e7;

/** A picture in which no two places look alike. */
function picture(channels: 3 | 4): Uint8Array {
  return Uint8Array.from({ length: width * height * channels }, (_, i) => {
    const [x, y] = [Math.floor(i / channels) % width, Math.floor(i / channels / width)];
    return [x / 5, y / 4, (x * y) / 997, 255 - x / 6][i % channels] as number;
  });
}
const pictures = { 3: picture(3), 4: picture(4) };
const grays = pictures[3].filter((_, i) => i % 3 === 0);

function base(channels: 3 | 4 = 3): Sharp {
  return sharp(pictures[channels], { raw: { width, height, channels } });
}

/** Every kind of file: what it is written by, and the formats that the result is to go into. */
const kinds: Readonly<Record<string, readonly [() => Sharp, readonly string[]]>> = {
  'RGB.png': [() => base().png({ compressionLevel: 1 }), ['png', 'jpg', 'tif', 'webp']],
  'interlaced.png': [() => base().png({ compressionLevel: 1, progressive: true }), ['png']],
  'RGBA.png': [() => base(4).png({ compressionLevel: 1 }), ['png', 'jpg', 'tif']],
  'RGB of 16 bits.png': [
    () => base().toColourspace('rgb16').png({ compressionLevel: 1 }),
    ['png', 'tif', 'jpg'],
  ],
  'gray.png': [() => base().toColourspace('b-w').png({ compressionLevel: 1 }), ['png', 'jpg', 'webp']],
  'gray of 16 bits.tif': [
    () => base().toColourspace('grey16').tiff({ compression: 'none' }),
    ['tif', 'png', 'jpg'],
  ],
  'baseline.jpg': [
    () =>
      base()
        .jpeg()
        .withExif({ IFD0: { Artist: 'A' } }),
    ['jpg', 'tif', 'png'],
  ],
  'progressive.jpg': [() => base().jpeg({ progressive: true }), ['jpg']],
  'CMYK.tif': [() => base().toColourspace('cmyk').tiff({ compression: 'lzw' }), ['jpg', 'tif']],
  'tiled.tif': [
    () =>
      base()
        .tiff({ tile: true, compression: 'deflate' })
        .withExif({ IFD0: { Artist: 'A' } }),
    ['tif', 'png'],
  ],
  'P3.png': [() => base().withIccProfile('p3').png({ compressionLevel: 1 }), ['png', 'tif', 'webp', 'gif']],
  'gray with a profile.png': [
    () =>
      sharp(carrierOf({ icc: grayProfile() }, 1, 8), { ignoreIcc: true })
        .boolean(grays as Buffer, 'or', { raw: { width, height, channels: 1 } })
        .toColourspace('b-w')
        .keepIccProfile()
        .png({ compressionLevel: 1 }),
    ['png', 'webp'],
  ],
  'CMYK of 16 bits.tif': [
    () => base().toColourspace('rgb16').toColourspace('cmyk').tiff({ compression: 'none' }),
    ['png'],
  ],
  'lossless.webp': [() => base().webp({ lossless: true, effort: 0 }), ['png']],
  ...Object.fromEntries(
    Array.from({ length: 8 }, (_, i) => [
      `orientation ${i + 1}.jpg`,
      [
        () =>
          base()
            .withMetadata({ orientation: i + 1 })
            .jpeg({ quality: 95 }),
        ['png'],
      ],
    ]),
  ),
};

async function pixelsOf(path: string) {
  const { data, info } = await sharp(path, { ignoreIcc: true })
    .raw({ depth: 'ushort' })
    .toBuffer({ resolveWithObject: true });
  return { data, info };
}

async function metadataOf(path: string) {
  const { size: _, ...metadata } = await sharp(path).metadata();
  return metadata;
}

/** Temporary files that are there yet, or open. */
async function leftovers(): Promise<string[]> {
  const folders = (await readdir(folder)).filter((entry) => entry.startsWith('.tlsc-'));
  const open = process.platform === 'linux' ? await readdir('/proc/self/fd') : [];
  const targets = await Promise.all(open.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
  return [...folders, ...targets.filter((target) => target.includes('/.tlsc-'))];
}

describe('a photo whose pixels lie in files comes out as one in memory', () => {
  for (const [name, [write, extensions]] of Object.entries(kinds))
    it.each(extensions)(`${name} to %s`, async (extension) => {
      const source = join(folder, name);
      await write().toFile(source);
      const [cut, whole] = ['cut', 'whole'].map((kind) => join(folder, `${kind}.${extension}`)) as [
        string,
        string,
      ];
      const inFiles = await restoreFile(identity, source, cut, { memory, gray: 'rgb' });
      const inMemory = await restoreFile(identity, source, whole, { memory: 1e12, gray: 'rgb' });
      expect(inFiles).toEqual({ ...inMemory, pieces: expect.objectContaining({ bound: 'exact' }) });
      const [one, other] = await Promise.all([cut, whole].map(pixelsOf));
      expect(one?.info).toEqual(other?.info);
      expect(one?.data.equals(other?.data as Buffer)).toBe(true);
      expect(await metadataOf(cut)).toEqual(await metadataOf(whole));
      expect(await leftovers()).toEqual([]);
    });
});

const plain = () => base().png({ compressionLevel: 1 }).toBuffer();

async function fileOf(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
}

/** A file, and the error that comes of it. */
async function refused(name: string, bytes: Uint8Array, options: RestoreFileOptions = {}): Promise<unknown> {
  const source = await fileOf(name, bytes);
  const result = join(folder, 'refused.png');
  const error: unknown = await restoreFile(identity, source, result, { memory, ...options }).catch((e) => e);
  expect((await readdir(folder)).includes('refused.png')).toBe(false);
  return error;
}

describe('of a photo whose pixels lie in files nothing is left', () => {
  it('where it is damaged', async () => {
    const bytes = await plain();
    expect(await refused('short.png', bytes.subarray(0, bytes.length / 2))).toMatchObject({
      code: 'ERR_INVALID_IMAGE',
      message: `${join(folder, 'short.png')} (PNG) is cut short`,
    });
    expect(await leftovers()).toEqual([]);
  });

  it('once it is aborted', async () => {
    const controller = new AbortController();
    const onPiece = () => controller.abort();
    const { signal } = controller;
    expect(await refused('aborted.png', await plain(), { signal, onPiece })).toMatchObject({
      code: 'ERR_ABORTED',
    });
    await vi.waitFor(async () => expect(await leftovers()).toEqual([]));
  });

  it('in the folder of temporary files, where the result is wanted as bytes', async () => {
    const before = await readdir(tmpdir());
    const source = await fileOf('bytes.png', await plain());
    const cut = await restoreImage(identity, source, '.png', { memory });
    const whole = await restoreImage(identity, source, '.png', { memory: 1e12 });
    expect(cut.pieces).toBeDefined();
    const [one, other] = await Promise.all([cut, whole].map(({ bytes }) => sharp(bytes).raw().toBuffer()));
    expect(one?.equals(other as Buffer)).toBe(true);
    expect((await readdir(tmpdir())).filter((name) => name.startsWith('.tlsc-'))).toEqual(
      before.filter((name) => name.startsWith('.tlsc-')),
    );
  });
});

describe('a file whose pixels lay in files', () => {
  it('can be written by whom any other can', async () => {
    const source = await fileOf('mode.png', await plain());
    const path = join(folder, 'mode-of.png');
    const umask = process.umask(0o002);
    try {
      await restoreFile(identity, source, path, { memory });
    } finally {
      process.umask(umask);
    }
    expect((await stat(path)).mode & 0o777).toBe(process.platform === 'win32' ? 0o666 : 0o664);
  });

  it('does not take the place of a folder', async () => {
    const source = await fileOf('folder.png', await plain());
    const path = join(folder, 'a-folder.png');
    await mkdir(path);
    await expect(restoreFile(identity, source, path, { memory })).rejects.toMatchObject({
      code: 'ERR_NOT_WRITABLE',
      message: `cannot write ${path}: it is a folder`,
    });
    expect(await leftovers()).toEqual([]);
  });
});

describe('withScratch', () => {
  it('delivers nothing that was aborted, and removes its files when the work has ended', async () => {
    const controller = new AbortController();
    let end = () => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const deliver = vi.fn();
    const work = async (scratch: Scratch) => {
      await writeFile(await scratch.fresh(1), 'x');
      controller.abort();
      await ended;
    };
    await expect(
      withScratch(new Scratch(folder, memory), work, deliver, controller.signal),
    ).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    expect(await leftovers()).toHaveLength(1);
    end();
    await vi.waitFor(async () => expect(await leftovers()).toEqual([]));
    expect(deliver).not.toHaveBeenCalled();
  });

  it('delivers what was aborted too late', async () => {
    const controller = new AbortController();
    const deliver = async (path: string) => {
      controller.abort();
      return path.startsWith(folder);
    };
    const work = (scratch: Scratch) => scratch.fresh(1);
    await expect(withScratch(new Scratch(folder, memory), work, deliver, controller.signal)).resolves.toBe(
      true,
    );
    await vi.waitFor(async () => expect(await leftovers()).toEqual([]));
  });

  it('has one listener for all of them', async () => {
    const before = process.listenerCount('exit');
    const scratches = Array.from({ length: 20 }, () => new Scratch(folder, memory));
    for (const scratch of scratches) await scratch.fresh(1);
    expect(process.listenerCount('exit')).toBeLessThanOrEqual(before + 1);
    for (const scratch of scratches) await scratch.dispose();
    expect(process.listenerCount('exit')).toBe(before);
    expect(await leftovers()).toEqual([]);
  });
});

describe('a disk without room', () => {
  const inScratch = (work: (scratch: Scratch) => Promise<void>) =>
    withScratch(new Scratch(folder, memory), work, async () => {});

  it('is told before anything is written', async () => {
    await inScratch(async (scratch) => {
      await expect(scratch.fresh(2 ** 62)).rejects.toMatchObject({
        code: 'ERR_NOT_WRITABLE',
        message: expect.stringMatching(
          /^cannot write temporary files into .*: .* are needed for a while, and the disk has /,
        ),
      });
    });
    expect(await leftovers()).toEqual([]);
  });

  it('is told where it shows while something is written', async () => {
    const cause = Object.assign(new Error('write'), { code: 'ENOSPC' });
    await inScratch(async (scratch) => {
      await expect(scratch.writing(() => Promise.reject(cause))).rejects.toMatchObject({
        code: 'ERR_NOT_WRITABLE',
        message: `cannot write temporary files into ${folder}: the disk is full`,
        cause,
      });
    });
  });

  it('is no folder that is not there', async () => {
    const source = await fileOf('lost.png', await plain());
    const gone = join(folder, 'gone');
    await expect(restoreFile(identity, source, join(gone, 'a.png'), { memory })).rejects.toMatchObject({
      code: 'ERR_NOT_WRITABLE',
      message: expect.stringContaining(`there is no folder ${gone}`),
    });
  });
});
