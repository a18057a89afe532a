import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../test/external-data.js';
import { type FilePart, writeFilesAtomic } from './files.js';

let folder = '';
beforeEach(() => {
  folder = temporaryFolder();
});

const part = (path: string, text: string): FilePart => ({ path, write: (file) => file.writeFile(text) });

/** Takes its own name before it can be given, so that the file cannot have it. */
function taken(path: string): FilePart {
  return {
    path,
    write: async () => {
      mkdirSync(path);
      writeFileSync(join(path, 'inside'), '');
    },
  };
}

describe('writeFilesAtomic', () => {
  it('takes the places of files, and leaves nothing else behind', async () => {
    const [a, b] = [join(folder, 'a'), join(folder, 'b')];
    writeFileSync(a, 'old');
    await writeFilesAtomic([part(a, 'one'), part(b, 'two')]);
    expect([a, b].map((path) => readFileSync(path, 'utf8'))).toEqual(['one', 'two']);
    expect(readdirSync(folder).sort()).toEqual(['a', 'b']);
  });

  it('puts back what it had replaced when a later file cannot have its name', async () => {
    const [a, b, c] = [join(folder, 'a'), join(folder, 'b'), join(folder, 'c')];
    writeFileSync(a, 'old');
    await expect(writeFilesAtomic([part(a, 'one'), part(b, 'two'), taken(c)])).rejects.toMatchObject({
      code: 'ERR_NOT_WRITABLE',
      message: expect.stringContaining(`cannot write ${c}: `),
    });
    expect(readFileSync(a, 'utf8')).toBe('old');
    expect(readdirSync(folder).sort()).toEqual(['a', 'c']);
  });

  it('leaves a single file as it was when it cannot be written', async () => {
    const path = join(folder, 'a');
    writeFileSync(path, 'old');
    const broken: FilePart = { path, write: () => Promise.reject(new Error('broken')) };
    await expect(writeFilesAtomic([broken])).rejects.toMatchObject({ code: 'ERR_NOT_WRITABLE' });
    expect(readFileSync(path, 'utf8')).toBe('old');
    expect(readdirSync(folder)).toEqual(['a']);
  });
});
