import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Tensor } from 'onnxruntime-common';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { roundedToFloat16 } from '../../../../test/fixtures/float16.js';
import { examplePhoto } from '../../../../test/fixtures/index.js';
import { buildBytes, floats, image, imagesIn, integers, valueInfo } from '../../test/build-model.js';
import { writeFileAtomic } from '../files.js';
import { DataType, makeNode } from '../graph/proto.js';
import { InferenceSession } from '../session/inference-session.js';
import { encodePhoto, readPhoto, writePhoto } from './files.js';
import type { Photo } from './photo.js';
import { restore } from './restore.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tlsc-image-'));
});
afterAll(() => rm(folder, { recursive: true }));

const [width, height] = [7, 5];

function samples(channels: number, bits: 8 | 16): Uint8Array | Uint16Array {
  const values = Array.from({ length: width * height * channels }, (_, i) => (i * 2654435761) % 2 ** bits);
  return bits === 16 ? Uint16Array.from(values) : Uint8Array.from(values);
}

function png(channels: 1 | 2 | 3 | 4, bits: 8 | 16): Promise<Buffer> {
  const space = channels < 3 ? (bits === 16 ? 'grey16' : 'b-w') : bits === 16 ? 'rgb16' : 'srgb';
  return sharp(samples(channels, bits), { raw: { width, height, channels } })
    .toColourspace(space)
    .png()
    .toBuffer();
}

const kinds = [
  { title: 'gray, 8 bits', channels: 1, bits: 8 },
  { title: 'gray with alpha, 8 bits', channels: 2, bits: 8 },
  { title: 'RGB, 8 bits', channels: 3, bits: 8 },
  { title: 'RGB with alpha, 8 bits', channels: 4, bits: 8 },
  { title: 'gray, 16 bits', channels: 1, bits: 16 },
  { title: 'gray with alpha, 16 bits', channels: 2, bits: 16 },
  { title: 'RGB, 16 bits', channels: 3, bits: 16 },
  { title: 'RGB with alpha, 16 bits', channels: 4, bits: 16 },
] as const;

/** A gray TIFF of float samples, which sharp reads but does not write. */
function floatTiff(values: readonly number[], columns: number, rows: number): Buffer {
  // Tag and value: size, 32 bits, uncompressed, black is zero, one strip right behind the directory, samples are floats.
  const tags = [
    [256, columns],
    [257, rows],
    [258, 32],
    [259, 1],
    [262, 1],
    [273, 0],
    [277, 1],
    [278, rows],
    [279, 4 * values.length],
    [339, 3],
  ];
  const start = 8 + 2 + 12 * tags.length + 4;
  const file = Buffer.alloc(start + 4 * values.length);
  file.write('II*', 'latin1');
  file.writeUInt32LE(8, 4);
  file.writeUInt16LE(tags.length, 8);
  tags.forEach(([tag = 0, value = 0], i) => {
    const entry = 10 + 12 * i;
    file.writeUInt16LE(tag, entry);
    file.writeUInt16LE(4, entry + 2);
    file.writeUInt32LE(1, entry + 4);
    file.writeUInt32LE(tag === 273 ? start : value, entry + 8);
  });
  values.forEach((value, i) => {
    file.writeFloatLE(value, start + 4 * i);
  });
  return file;
}

describe('readPhoto', () => {
  it.each(kinds)('reads $title exactly', async ({ channels, bits }) => {
    const photo = await readPhoto(await png(channels, bits));
    const colours = channels < 3 ? 1 : 3;
    const given = samples(channels, bits);
    expect(photo.bitDepth).toBe(bits);
    expect(photo.tensor.dims).toEqual([1, colours, height, width]);
    const expected = new Float32Array(colours * width * height);
    for (let i = 0; i < expected.length; i++) {
      const [channel, pixel] = [Math.floor(i / (width * height)), i % (width * height)];
      expected[i] = (given[pixel * channels + channel] as number) / (2 ** bits - 1);
    }
    expect(photo.tensor.data).toEqual(expected);
    const alpha = channels === colours ? undefined : [...given].filter((_, i) => i % channels === colours);
    expect(photo.alpha && [...photo.alpha]).toEqual(alpha);
  });

  it('turns a photo upright as its EXIF orientation says', async () => {
    const sideways = await sharp(samples(3, 8), { raw: { width, height, channels: 3 } })
      .withMetadata({ orientation: 6 })
      .png()
      .toBuffer();
    const photo = await readPhoto(sideways);
    expect(photo.tensor.dims).toEqual([1, 3, width, height]);
    // Turned clockwise, the upper left corner is the lower left one of the file.
    expect(photo.tensor.data[0]).toBe(Math.fround((samples(3, 8)[(height - 1) * width * 3] as number) / 255));
  });

  it('refuses samples that are neither 8 nor 16 bits', async () => {
    const tiff = floatTiff([0.5, 0.5, 0.5, 0.5], 2, 2);
    await expect(readPhoto(tiff)).rejects.toMatchObject({
      code: 'ERR_INVALID_IMAGE',
      message: expect.stringContaining('float samples'),
    });
  });

  it('names a file that is missing or no image', async () => {
    await expect(readPhoto('no/photo.png')).rejects.toMatchObject({
      code: 'ERR_IMAGE_NOT_FOUND',
      message: expect.stringContaining('no/photo.png'),
    });
    const text = join(folder, 'text.png');
    await writeFile(text, 'not an image');
    await expect(readPhoto(text)).rejects.toMatchObject({
      code: 'ERR_INVALID_IMAGE',
      message: expect.stringContaining(text),
    });
    const whole = await readFile(examplePhoto('tea-gardens_input'));
    await expect(readPhoto(whole.subarray(0, whole.length / 2))).rejects.toMatchObject({
      code: 'ERR_INVALID_IMAGE',
    });
    await expect(readPhoto(3 as never)).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' });
  });
});

describe('writePhoto', () => {
  it.each(kinds)('writes $title as it was read', async ({ title, channels, bits }) => {
    const photo = await readPhoto(await png(channels, bits));
    for (const extension of ['png', 'tiff']) {
      const path = join(folder, `${title}.${extension}`);
      await writePhoto(photo, path);
      expect(await readPhoto(path)).toEqual(photo);
    }
  });

  it('clips what lies outside [0, 1]', async () => {
    const photo = await readPhoto(await png(1, 8));
    (photo.tensor.data as Float32Array).set([-3, 7]);
    const again = await readPhoto(await encodePhoto(photo, '.png'));
    expect([...again.tensor.data.slice(0, 2)]).toEqual([0, 1]);
  });

  it('leaves no trace of a file that cannot be written', async () => {
    const photo = await readPhoto(await png(3, 8));
    await expect(writePhoto(photo, join(folder, 'no', 'where.png'))).rejects.toMatchObject({
      code: 'ERR_NOT_WRITABLE',
      message: expect.stringContaining(`there is no folder ${join(folder, 'no')}`),
    });
    const taken = join(folder, 'taken.png');
    await mkdir(join(taken, 'inside'), { recursive: true });
    await expect(writePhoto(photo, taken)).rejects.toMatchObject({ code: 'ERR_NOT_WRITABLE' });
    expect((await readdir(folder)).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it('writes one whole file when two write at once', async () => {
    const path = join(folder, 'contested.bin');
    const contents = [new Uint8Array(3e7).fill(1), new Uint8Array(2e7).fill(2)];
    await Promise.all(contents.map((bytes) => writeFileAtomic(path, bytes)));
    const written = await readFile(path);
    expect(contents.some((bytes) => written.equals(bytes))).toBe(true);
  });

  it('says what a format cannot hold, and what is no photo', async () => {
    const photo = await readPhoto(await png(3, 8));
    const wide = {
      bitDepth: 8,
      tensor: new Tensor('float32', new Float32Array(3 * 17000), [1, 3, 1, 17000]),
    } as const;
    await expect(encodePhoto(wide, '.webp')).rejects.toMatchObject({
      code: 'ERR_INVALID_IMAGE',
      message: expect.stringContaining('17000x1 pixels'),
    });
    await expect(encodePhoto(photo, '.bmp' as never)).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      parameter: 'extension',
    });
    for (const dims of [
      [2, 2],
      [1, 2, 1, 2],
      [2, 1, 1, 2],
      [1, 3, 0, 0],
    ]) {
      const tensor = new Tensor('float32', new Float32Array(dims.reduce((a, b) => a * b)), dims);
      await expect(encodePhoto({ tensor, bitDepth: 8 }, '.png')).rejects.toMatchObject({
        code: 'ERR_INVALID_ARGUMENT',
        parameter: 'photo',
      });
    }
  });

  it('refuses a format that it cannot write', async () => {
    await expect(writePhoto(await readPhoto(await png(3, 8)), join(folder, 'x.bmp'))).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
    });
  });
});

const invert = buildBytes({
  node: [makeNode('Neg', ['x'], ['n']), makeNode('Add', ['n', 'one'], ['y'])],
  initializer: [floats('one', [], [1])],
});

describe('restore', () => {
  it.each(kinds.filter(({ channels }) => channels > 2))(
    'carries $title through the network',
    async ({ channels, bits }) => {
      const session = await InferenceSession.create(invert);
      const photo = await readPhoto(await png(channels, bits));
      const restored = await restore(session, photo);
      expect(restored.bitDepth).toBe(bits);
      expect(restored.alpha).toEqual(photo.alpha);
      expect(restored.tensor.data).toEqual((photo.tensor.data as Float32Array).map((value) => 1 - value));
    },
  );

  it.each(['float32', 'float16'])(
    'takes a network of %s with the channels last, in and out',
    async (type) => {
      const elemType = type === 'float16' ? DataType.FLOAT16 : DataType.FLOAT;
      const sides = ['n', 'h', 'w', 3];
      const bytes = buildBytes({
        node: [
          makeNode('Transpose', ['x'], ['first'], { attributes: { perm: [0, 3, 1, 2] } }),
          makeNode('Gather', ['first', 'order'], ['turned'], { attributes: { axis: 1 } }),
          makeNode('Transpose', ['turned'], ['y'], { attributes: { perm: [0, 2, 3, 1] } }),
        ],
        initializer: [integers('order', [2, 0, 1])],
        input: [valueInfo('x', sides, elemType)],
        output: [valueInfo('y', sides, elemType)],
      });
      const session = await InferenceSession.create(bytes);
      const photo = await readPhoto(await png(3, 8));
      const { tensor } = await restore(session, photo);
      expect(tensor.dims).toEqual([1, 3, height, width]);
      const given = photo.tensor.data as Float32Array;
      const plane = (channel: number) => [...given.slice(channel * 35, channel * 35 + 35)];
      const rounded = (value: number) => (type === 'float16' ? roundedToFloat16(value) : value);
      expect([...(tensor.data as Float32Array)]).toEqual([2, 0, 1].flatMap(plane).map(rounded));
      await expect(restore(session, await png(1, 8))).rejects.toMatchObject({ code: 'ERR_IMAGE_CHANNELS' });
    },
  );

  it.each([
    { title: 'in and out', input: 'float16', output: 'float16' },
    { title: 'in', input: 'float16', output: 'float32' },
    { title: 'out', input: 'float32', output: 'float16' },
  ])('takes a network with float16 $title', async ({ input, output }) => {
    const typeOf = (name: string) => (name === 'float16' ? DataType.FLOAT16 : DataType.FLOAT);
    const bytes = buildBytes({
      node: [makeNode('Cast', ['x'], ['y'], { attributes: { to: typeOf(output) } })],
      input: [valueInfo('x', image, typeOf(input))],
      output: [valueInfo('y', image, typeOf(output))],
    });
    const session = await InferenceSession.create(bytes);
    for (const bits of [8, 16] as const) {
      const photo = await readPhoto(await png(4, bits));
      const restored = await restore(session, photo);
      expect(restored).toMatchObject({ bitDepth: bits, alpha: photo.alpha, tensor: { type: 'float32' } });
      expect(restored.tensor.dims).toEqual(photo.tensor.dims);
      const expected = (photo.tensor.data as Float32Array).map(roundedToFloat16);
      expect(restored.tensor.data).toEqual(expected);
      // Eleven digits tell apart what 8 bits do: the file is the same to the last bit.
      const samplesOf = async (one: Photo) =>
        sharp(await encodePhoto(one, '.png'))
          .raw()
          .toBuffer();
      if (bits === 8) expect(await samplesOf(restored)).toEqual(await samplesOf(photo));
    }
  });

  it('refuses images of other types, in and out, and photos that are not float32', async () => {
    const identity = { node: [makeNode('Identity', ['x'], ['y'])], ...imagesIn(DataType.DOUBLE) };
    const double = await InferenceSession.create(buildBytes(identity));
    await expect(restore(double, await png(3, 8))).rejects.toMatchObject({
      code: 'ERR_UNSUPPORTED_MODEL',
      message: 'the model takes float64 images; only float32 and float16 can be handled',
    });
    const unknown = { node: [makeNode('Identity', ['x'], ['y'])], ...imagesIn(DataType.BFLOAT16) };
    await expect(
      restore(await InferenceSession.create(buildBytes(unknown)), await png(3, 8)),
    ).rejects.toMatchObject({
      code: 'ERR_UNSUPPORTED_MODEL',
      message: 'the model takes other images; only float32 and float16 can be handled',
    });
    const toDouble = await InferenceSession.create(
      buildBytes({
        node: [makeNode('Cast', ['x'], ['y'], { attributes: { to: DataType.DOUBLE } })],
        output: [valueInfo('y', image, DataType.DOUBLE)],
      }),
    );
    await expect(restore(toDouble, await png(3, 8))).rejects.toMatchObject({
      code: 'ERR_UNSUPPORTED_MODEL',
      message: expect.stringContaining('output y is not an image of float32 or float16: float64'),
    });
    const tensor = new Tensor('float16', new Uint16Array(3 * width * height), [1, 3, height, width]);
    await expect(restore(toDouble, { tensor, bitDepth: 8 })).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      parameter: 'image',
      received: "'float16 [1, 3, 5, 7]'",
    });
  });

  it('never takes a NaN of float16 for a pixel', async () => {
    const node = [makeNode('Neg', ['x'], ['n']), makeNode('Sqrt', ['n'], ['y'])];
    const session = await InferenceSession.create(buildBytes({ node, ...imagesIn(DataType.FLOAT16) }));
    await expect(restore(session, await png(3, 8))).rejects.toMatchObject({ code: 'ERR_RUN_FAILED' });
  });

  it('fits alpha to what a network makes larger', async () => {
    const node = [makeNode('Resize', ['x', '', 'scales'], ['y'])];
    const session = await InferenceSession.create(
      buildBytes({ node, initializer: [floats('scales', [4], [1, 1, 2, 2])] }),
    );
    for (const bits of [8, 16] as const) {
      const restored = await restore(session, await png(4, bits));
      expect(restored.tensor.dims).toEqual([1, 3, 2 * height, 2 * width]);
      expect(restored.alpha).toHaveLength(4 * width * height);
    }
  });

  it('refuses an image with the wrong number of channels and says both', async () => {
    const session = await InferenceSession.create(invert);
    const gray = join(folder, 'gray.png');
    await writeFile(gray, await png(1, 8));
    await expect(restore(session, gray)).rejects.toMatchObject({
      code: 'ERR_IMAGE_CHANNELS',
      message: `${gray} has 1 channel (gray), the model takes 3 channels; the option gray, set to rgb, gives it the same three times`,
      expected: '3',
      received: '1',
    });
  });

  it('asks which output is the image, and checks that it is one', async () => {
    const outputs = [valueInfo('y', ['n', 'c', 'h', 'w']), valueInfo('z', ['c'])];
    const node = [
      makeNode('Neg', ['x'], ['y']),
      makeNode('ReduceMax', ['x'], ['z'], { attributes: { axes: [0, 2, 3], keepdims: 0 } }),
    ];
    const session = await InferenceSession.create(buildBytes({ node, output: outputs }));
    const photo = await png(3, 8);
    await expect(restore(session, photo)).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      parameter: 'output',
      expected: 'y, z',
    });
    await expect(restore(session, photo, { output: 'w' })).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      parameter: 'output',
    });
    await expect(restore(session, photo, { output: 'z' })).rejects.toMatchObject({
      code: 'ERR_UNSUPPORTED_MODEL',
    });
    await expect(restore(session, photo, { output: 'y' })).resolves.toBeDefined();
  });

  it('never hands out pixels that are not numbers', async () => {
    const session = await InferenceSession.create(
      buildBytes({ node: [makeNode('Neg', ['x'], ['n']), makeNode('Sqrt', ['n'], ['y'])] }),
    );
    await expect(restore(session, await png(3, 8))).rejects.toMatchObject({ code: 'ERR_RUN_FAILED' });
  });

  it('refuses what is no session, no image or no option', async () => {
    const session = await InferenceSession.create(invert);
    await expect(restore(null as never, await png(3, 8))).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      parameter: 'session',
    });
    await expect(restore(session, null as never)).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      parameter: 'image',
    });
    await expect(restore(session, await png(3, 8), { sginal: 1 } as never)).rejects.toThrow(/sginal/);
  });

  it('does not begin once aborted', async () => {
    const session = await InferenceSession.create(invert);
    await expect(restore(session, await png(3, 8), { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ERR_ABORTED',
    });
  });
});
