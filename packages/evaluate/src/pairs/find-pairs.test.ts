import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { findPairs } from './find-pairs.js';

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

/** A folder with these files, all empty. */
async function folderOf(files: readonly string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tlsc-pairs-'));
  folders.push(folder);
  for (const file of files) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), '');
  }
  return folder;
}

async function found(files: readonly string[]) {
  const folder = await folderOf(files);
  const { pairs, left } = await findPairs(folder);
  return {
    pairs: pairs.map(({ name, input, target }) => [
      name,
      relative(folder, input),
      target && relative(folder, target),
    ]),
    left: left.map((path) => relative(folder, path)),
  };
}

const layouts: Readonly<Record<string, readonly [name: string, input: string, target: string][]>> = {
  'two folders': [
    ['clear-lake', 'input/clear-lake.png', 'target/clear-lake.png'],
    ['noisy-street', 'input/noisy-street.jpg', 'target/noisy-street.png'],
  ],
  'names that end with what they are': [
    ['otters', 'otters_input.png', 'otters_target.png'],
    ['tea', 'tea_input.jpg', 'tea_target.png'],
  ],
  "GoPro's": [
    ['GOPR0384_11-000001', 'test/GOPR0384_11/blur/000001.png', 'test/GOPR0384_11/sharp/000001.png'],
    ['GOPR0385_11-000001', 'test/GOPR0385_11/blur/000001.png', 'test/GOPR0385_11/sharp/000001.png'],
  ],
  "SIDD's": [
    ['0001_S6-SRGB_010', 'Data/0001_S6/NOISY_SRGB_010.PNG', 'Data/0001_S6/GT_SRGB_010.PNG'],
    ['0002_S6-SRGB_010', 'Data/0002_S6/0002_NOISY_SRGB_010.PNG', 'Data/0002_S6/0002_GT_SRGB_010.PNG'],
  ],
  "Rain100's": [
    ['001', 'rain-001.png', 'norain-001.png'],
    ['002', 'rain-002.png', 'norain-002.png'],
  ],
  "Rain100's in folders": [
    ['1', 'rain/rain-1.png', 'norain/norain-1.png'],
    ['2', 'rain/rain-2.png', 'norain/norain-2.png'],
  ],
  "BasicSR's": [
    ['a', 'set/lq/a.png', 'set/gt/a.png'],
    ['b', 'set/lq/b.png', 'set/gt/b.png'],
  ],
  'targets beside plain names': [
    ['a', 'a.png', 'a_gt.png'],
    ['b', 'b.png', 'b_gt.png'],
  ],
};

describe('pairs', () => {
  it.each(Object.keys(layouts))('are found: %s', async (layout) => {
    const expected = layouts[layout] ?? [];
    const { pairs, left } = await found(expected.flatMap(([, input, target]) => [input, target]));
    expect(pairs.map(([, input, target]) => [input, target])).toEqual(
      expected.map(([, input, target]) => [input, target]),
    );
    expect(left).toEqual([]);
    expect(new Set(pairs.map(([name]) => name)).size).toBe(expected.length);
  });

  it('leave out what has no other half, and say so', async () => {
    expect(await found(['input/a.png', 'input/b.png', 'target/a.png', 'target/c.png', 'notes.txt'])).toEqual({
      pairs: [['a', 'input/a.png', 'target/a.png']],
      left: ['input/b.png', 'target/c.png'],
    });
  });

  it('have no targets where nothing says so', async () => {
    expect(await found(['2.jpg', '1.png', '.hidden.png'])).toEqual({
      pairs: [
        ['1', '1.png', undefined],
        ['2', '2.jpg', undefined],
      ],
      left: [],
    });
  });

  it('are those of a CSV file', async () => {
    const folder = await folderOf([]);
    const table = join(folder, 'pairs.csv');
    await writeFile(table, 'input,target,name\n"a, b.png",c.png,one\nd.png,,\n');
    expect((await findPairs(table)).pairs).toEqual([
      { name: 'one', input: join(folder, 'a, b.png'), target: join(folder, 'c.png') },
      { name: 'd', input: join(folder, 'd.png'), target: undefined },
    ]);
    await writeFile(table, '\uFEFFinput\na.png\n');
    expect((await findPairs(table)).pairs).toMatchObject([{ name: 'a', target: undefined }]);
    await writeFile(table, 'in,out\na,b\n');
    await expect(findPairs(table)).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' });
    await writeFile(table, 'input\n""\n');
    await expect(findPairs(table)).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' });
  });

  it('are refused where there are none, or names do not tell them apart', async () => {
    await expect(findPairs('nowhere')).rejects.toMatchObject({ code: 'ERR_IMAGE_NOT_FOUND' });
    await expect(findPairs(await folderOf(['a.txt']))).rejects.toMatchObject({ code: 'ERR_IMAGE_NOT_FOUND' });
    const apart = await folderOf(['input/a.png', 'target/b.png']);
    await expect(findPairs(apart)).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' });
    const twice = await folderOf(['input/a.png', 'target/a.png', 'target/a.jpg']);
    await expect(findPairs(twice)).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' });
    await expect(findPairs(join(twice, 'input', 'a.png'))).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
    });
  });
});
