import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Tokens } from './tokens.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tlsc-tokens-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('tokens', () => {
  it('are the lines of a file', async () => {
    const path = join(folder, 'tokens');
    await writeFile(path, '# of the shop\nshop-1\r\n\n  billing  \n');
    const tokens = new Tokens(path);
    for (const header of ['Bearer shop-1', 'bearer billing', 'BEARER  shop-1 '])
      expect(tokens.admits(header)).toBe(true);
    for (const header of [
      undefined,
      '',
      'shop-1',
      'Bearer',
      'Bearer shop',
      'Bearer shop-11',
      'Basic shop-1',
      'Bearer # of the shop',
    ])
      expect(tokens.admits(header)).toBe(false);
    tokens.close();
  });

  it('are read again when the file changes, and stay where it cannot be', async () => {
    const path = join(folder, 'changing');
    await writeFile(path, 'old\n');
    const failures: Error[] = [];
    const tokens = new Tokens(path, (error) => failures.push(error));
    await writeFile(path, 'new\n');
    await utimes(path, new Date(), new Date(Date.now() + 5000));
    while (!tokens.admits('Bearer new')) await setTimeout(50);
    expect(tokens.admits('Bearer old')).toBe(false);
    await writeFile(path, '\n');
    while (failures.length === 0) await setTimeout(50);
    expect(tokens.admits('Bearer new')).toBe(true);
    tokens.close();
  });

  it('must be there', async () => {
    const path = join(folder, 'empty');
    await writeFile(path, '# none\n');
    expect(() => new Tokens(path)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', parameter: 'tokenFile' }),
    );
    expect(() => new Tokens(join(folder, 'missing'))).toThrow(
      expect.objectContaining({ parameter: 'tokenFile' }),
    );
    await writeFile(path, 'two words\n');
    expect(() => new Tokens(path)).toThrow(/without spaces/);
  });
});
