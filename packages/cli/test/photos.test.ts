// Photos as they are, through `tlsc run`.
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodePhoto, readPhoto, Tensor } from '@tlsc/api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeNode } from '../../ts-api/src/graph/proto.js';
import { buildBytes, floats, valueInfo } from '../../ts-api/test/build-model.js';
import { commandIn, type Start, type Tlsc } from './command.js';

let folder = '';
let start: Start;
let tlsc: Tlsc;

function photoOf(channels: 1 | 3, height = 9, width = 13) {
  const data = Float32Array.from({ length: channels * height * width }, (_, i) => ((i * 37) % 256) / 255);
  return { tensor: new Tensor('float32', data, [1, channels, height, width]), bitDepth: 8 } as const;
}

const blocks = {
  node: [
    makeNode('SpaceToDepth', ['x'], ['s'], { attributes: { blocksize: 8 } }),
    makeNode('DepthToSpace', ['s'], ['y'], { attributes: { blocksize: 8 } }),
  ],
};

/** 255 - x. */
const of255 = {
  node: [makeNode('Sub', ['white', 'x'], ['y'])],
  initializer: [floats('white', [], [255])],
};

const masked = {
  node: [makeNode('Mul', ['x', 'mask'], ['m']), makeNode('Mul', ['m', 'w'], ['y'])],
  input: [valueInfo('x', ['n', 3, 'h', 'v']), valueInfo('mask', ['n', 1, 'h', 'v']), valueInfo('w', [1])],
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tlsc-photos-'));
  ({ start, tlsc } = commandIn(folder));
  for (const [name, parts] of Object.entries({ blocks, of255, masked }))
    await writeFile(join(folder, `${name}.onnx`), buildBytes(parts));
  await writeFile(join(folder, 'a.png'), await encodePhoto(photoOf(3), '.png'));
  await writeFile(join(folder, 'gray.png'), await encodePhoto(photoOf(1), '.png'));
});
afterAll(() => rm(folder, { recursive: true }));

const valuesOf = async (name: string) => (await readPhoto(join(folder, name))).tensor.data;

describe('tlsc run', () => {
  it('fills photos up for a network that wants multiples, which inspect shows', async () => {
    expect((await tlsc('inspect', 'blocks.onnx')).stdout).toContain(
      'takes sides that are multiples of 8; photos are filled up\n',
    );
    expect(JSON.parse((await tlsc('inspect', 'blocks.onnx', '--json')).stdout)).toMatchObject({
      sides: { multiple: 8, minimum: 8 },
    });
    expect(await tlsc('run', 'blocks.onnx', 'a.png', '-o', 'blocks.png')).toMatchObject({
      code: 0,
      stderr: '',
    });
    expect(await valuesOf('blocks.png')).toEqual(photoOf(3).tensor.data);
  });

  it('judges a result that can be no photo, and names the options', async () => {
    const run = ['run', 'of255.onnx', 'a.png', '-o', 'judged.png'];
    const { code, stderr } = await tlsc(...run);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^a\.png: FAILED: .* values from 254 to 255 .*--range.*--mean.*\(ERR_IMPLAUSIBLE_RESULT\)\n$/,
    );
    expect(await readdir(folder)).not.toContain('judged.png');
    expect(await tlsc(...run, '--range', '0..255')).toMatchObject({ code: 0, stderr: '' });
    const inverted = (photoOf(3).tensor.data as Float32Array).map((value) =>
      Math.fround((255 - Math.round(value * 255)) / 255),
    );
    expect(await valuesOf('judged.png')).toEqual(inverted);
  });

  it('heeds what convert was told of values', async () => {
    const { code, stdout } = await tlsc(
      'convert',
      'of255.onnx',
      '-o',
      'said.onnx',
      '--train-size',
      '64',
      '--range',
      '0..255',
    );
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(/takes images of any size\nvalues as of --range 0\.\.255\n$/),
    });
    expect(await tlsc('run', 'said.onnx', 'a.png', '-o', 'said.png')).toMatchObject({ code: 0, stderr: '' });
    expect((await tlsc('inspect', 'said.onnx')).stdout).toContain('values as of --range 0..255\n');
  });

  it('takes gray photos for RGB networks when told how', async () => {
    const run = ['run', 'blocks.onnx', 'gray.png', '-o', 'gray-out.png'];
    expect(await tlsc(...run)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/--gray, set to rgb.*ERR_IMAGE_CHANNELS/),
    });
    expect(await tlsc(...run, '--gray', 'rgb')).toMatchObject({ code: 0 });
    expect(await valuesOf('gray-out.png')).toEqual(photoOf(1).tensor.data);
  });

  it('takes what the model wants beside the photo', async () => {
    const run = ['run', 'masked.onnx', 'a.png', '-o', 'masked.png'];
    expect(await tlsc(...run)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/inputs x, mask, w.*--input .*ERR_INVALID_ARGUMENT/),
    });
    const { code, stderr } = await tlsc(...run, '--input', 'w=1', '--input', 'mask=gray.png');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [photo, mask] = [photoOf(3).tensor.data, photoOf(1).tensor.data];
    const expected = Array.from(photo as Float32Array, (value, i) => value * (mask[i % 117] as number));
    const got = await valuesOf('masked.png');
    expect(Math.max(...expected.map((value, i) => Math.abs(value - (got[i] as number))))).toBeLessThan(
      0.5 / 255 + 1e-6,
    );
  });

  it.each([
    ['--range', '255'],
    ['--range', '1..0'],
    ['--range', '0..1..2'],
    ['--mean', 'half'],
    ['--mean', '1,2'],
    ['--channels', 'gbr'],
    ['--gray', 'yes'],
    ['--input', 'mask'],
    ['--quality', '0'],
    ['--jobs', '0'],
    ['--format', 'bmp'],
  ])('says how %s is to be written, not %s', async (option, value) => {
    const run = await tlsc('run', 'blocks.onnx', 'a.png', '-o', 'x.png', option, value);
    expect(run).toMatchObject({ code: 2, stderr: expect.stringContaining(option) });
  });

  it('reads standard input and writes standard output', async () => {
    const { child, outcome } = start([
      'run',
      'blocks.onnx',
      '-',
      '-o',
      '-',
      '--format',
      'webp',
      '--lossless',
    ]);
    child.stdin.end(await readFile(join(folder, 'a.png')));
    const { code, bytes, stderr } = await outcome;
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/^- -> - \(9x13, .* s\)\n$/) });
    expect((await readPhoto(bytes)).tensor.data).toEqual(photoOf(3).tensor.data);
    const both = await tlsc('run', 'blocks.onnx', '-', '-o', '-', '--json');
    expect(both).toMatchObject({ code: 2, stderr: expect.stringContaining('--json') });
    await writeFile(join(folder, '-'), '');
    const skipping = await tlsc('run', 'blocks.onnx', 'a.png', '-o', '-', '--skip-existing');
    expect((await readPhoto(skipping.bytes)).tensor.dims).toEqual([1, 3, 9, 13]);
    const two = await tlsc('run', 'blocks.onnx', '-', 'a.png', '-o', 'x/');
    expect(two).toMatchObject({ code: 2, stderr: expect.stringContaining('the only image') });
    expect(await tlsc('run', 'blocks.onnx', 'a.png', 'gray.png', '-o', '-')).toMatchObject({ code: 2 });
  });

  it('takes folders within folders when told so, but not the results', async () => {
    const photo = await encodePhoto(photoOf(3), '.png');
    for (const name of ['', 'one', 'one/two', '.hidden'])
      await mkdir(join(folder, 'tree', name), { recursive: true });
    for (const name of ['a.png', 'one/b.png', 'one/two/c.PNG', '.hidden/d.png'])
      await writeFile(join(folder, 'tree', name), photo);
    await symlink('..', join(folder, 'tree', 'one', 'up'));
    const flat = await tlsc('run', 'blocks.onnx', 'tree', '-o', 'flat/', '--jobs', '2');
    expect(flat).toMatchObject({ code: 0, stdout: expect.stringMatching(/^tree\/a\.png -> flat\/a\.png/) });
    const run = ['run', 'blocks.onnx', 'tree', '-o', 'tree/restored', '--recursive'];
    for (let i = 0; i < 2; i++) {
      const { code, stderr } = await tlsc(...run);
      expect({ code, stderr }).toEqual({ code: 0, stderr: 'tlsc: 3 restored\n' });
    }
    const made = (await readdir(join(folder, 'tree', 'restored'), { recursive: true })).sort();
    expect(made).toEqual(['a.png', 'one', 'one/b.png', 'one/two', 'one/two/c.PNG']);
  });

  it('restores as many at once as it is told, and lists them in their order', async () => {
    const names = Array.from({ length: 7 }, (_, i) => `${i}.png`);
    await mkdir(join(folder, 'many'));
    for (const [i, name] of names.entries())
      await writeFile(
        join(folder, 'many', name),
        i === 3 ? 'none' : await encodePhoto(photoOf(3, 200 - 20 * i, 300), '.png'),
      );
    for (const jobs of ['1', '3', '20']) {
      const { code, stdout } = await tlsc(
        'run',
        'blocks.onnx',
        'many',
        '-o',
        `many-${jobs}`,
        '--jobs',
        jobs,
        '--json',
      );
      expect(code).toBe(1);
      const { images } = JSON.parse(stdout) as { images: { input: string; error?: unknown }[] };
      expect(images.map(({ input }) => input)).toEqual(names.map((name) => `many/${name}`));
      expect(images.filter(({ error }) => error)).toHaveLength(1);
      expect(await readdir(join(folder, `many-${jobs}`))).toHaveLength(6);
    }
  });

  it('writes in the format, and with the quality, that is asked for, and tells what is lost', async () => {
    const alpha = new Uint8Array(117).fill(200);
    await writeFile(join(folder, 'alpha.png'), await encodePhoto({ ...photoOf(3), alpha }, '.png'));
    const { code, stderr } = await tlsc(
      'run',
      'blocks.onnx',
      'alpha.png',
      '-o',
      'formats/',
      '--format',
      'jpg',
      '--quality',
      '50',
    );
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr:
        'tlsc: warning: formats/alpha.jpg is without what alpha.png has: its alpha channel, which JPEG has none of\n',
    });
    expect((await readFile(join(folder, 'formats', 'alpha.jpg'))).subarray(0, 2)).toEqual(
      Buffer.of(0xff, 0xd8),
    );
    const lossless = await tlsc('run', 'blocks.onnx', 'a.png', '-o', 'x.jpg', '--lossless');
    expect(lossless).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('--lossless cannot be had of JPEG'),
    });
  });
});
