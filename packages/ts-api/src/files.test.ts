import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { temporaryFolder } from '../test/external-data.js';
import { type FilePart, readSource, writeBytes, writeFilesAtomic } from './files.js';
import { InferenceSession } from './session/inference-session.js';

/** What happens between the look at a file and its opening. */
const hooks = vi.hoisted(() => ({ afterStat: () => {} }));
vi.mock('node:fs/promises', async (original) => {
  const fs = await original<typeof import('node:fs/promises')>();
  const stat = async (path: string) => {
    const info = await fs.stat(path);
    hooks.afterStat();
    return info;
  };
  return { ...fs, stat };
});

let folder = '';
beforeEach(() => {
  hooks.afterStat = () => {};
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

  it('leaves a single file as it was when writing is aborted, even at its end', async () => {
    const path = join(folder, 'a');
    writeFileSync(path, 'old');
    const bytes = new Uint8Array(2 ** 25);
    for (const pieces of [1, 2]) {
      const controller = new AbortController();
      let written = 0;
      const write: FilePart['write'] = async (file) => {
        const write = async (...given: [Uint8Array, number, number]) => {
          if (++written === pieces) controller.abort();
          return { bytesWritten: given[2], buffer: bytes };
        };
        await writeBytes({ ...file, write } as never, bytes, controller.signal);
      };
      await expect(writeFilesAtomic([{ path, write }])).rejects.toMatchObject({ code: 'ERR_ABORTED' });
      expect(written).toBe(pieces);
    }
    expect(readFileSync(path, 'utf8')).toBe('old');
    expect(readdirSync(folder)).toEqual(['a']);
  });
});

describe('readSource', () => {
  it('reads a file, and says why it cannot', async () => {
    const path = join(folder, 'a');
    writeFileSync(path, 'text');
    expect(Buffer.from(await readSource(path, 'image')).toString()).toBe('text');
    await expect(readSource(join(folder, 'none'), 'image')).rejects.toMatchObject({
      code: 'ERR_IMAGE_NOT_FOUND',
      message: `cannot read the image ${join(folder, 'none')}: no such file`,
    });
    await expect(readSource(folder, 'model')).rejects.toMatchObject({
      code: 'ERR_MODEL_NOT_FOUND',
      message: `cannot read the model ${folder}: it is a folder`,
    });
  });

  it.each([
    ['model', 2 ** 31, 'ERR_INVALID_MODEL', 'has 2147483648 bytes; at most 2147483647 are read'],
    ['image', 2 ** 32, 'ERR_IMAGE_TOO_LARGE', 'has 4294967296 bytes; at most 4294967295 are read'],
  ] as const)('reads no %s that is too large', async (kind, size, code, message) => {
    const path = join(folder, 'sparse');
    writeFileSync(path, '');
    truncateSync(path, size);
    await expect(readSource(path, kind)).rejects.toMatchObject({ code, message: `${path} ${message}` });
  });

  it('stops once aborted', async () => {
    const path = join(folder, 'a');
    writeFileSync(path, 'text');
    await expect(readSource(path, 'image', AbortSignal.abort())).rejects.toMatchObject({
      code: 'ERR_ABORTED',
    });
  });
});

describe.skipIf(process.platform === 'win32')('pipes and devices', () => {
  it('are refused, not waited for', async () => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    symlinkSync(pipe, join(folder, 'link'));
    for (const path of [pipe, join(folder, 'link')]) {
      const message = expect.stringContaining(`${path}: it is a pipe, not a file`);
      await expect(readSource(path, 'image')).rejects.toMatchObject({ code: 'ERR_IMAGE_NOT_FOUND', message });
      await expect(readSource(path, 'model')).rejects.toMatchObject({ code: 'ERR_MODEL_NOT_FOUND', message });
      await expect(InferenceSession.create(path)).rejects.toMatchObject({
        code: 'ERR_MODEL_NOT_FOUND',
        message: `cannot read the model ${path}: it is a pipe, not a file`,
      });
    }
    for (const path of ['/dev/zero', '/dev/null', '/dev/tty']) {
      const message = expect.stringContaining('it is a device or a socket, not a file');
      await expect(readSource(path, 'image')).rejects.toMatchObject({ code: 'ERR_IMAGE_NOT_FOUND', message });
      await expect(InferenceSession.create(path)).rejects.toMatchObject({
        code: 'ERR_MODEL_NOT_FOUND',
        message,
      });
    }
  });

  it('are not waited for when they take the name of a file that was there', async () => {
    const [file, pipe] = [join(folder, 'a'), join(folder, 'pipe')];
    execFileSync('mkfifo', [pipe]);
    writeFileSync(file, 'text');
    hooks.afterStat = () => renameSync(pipe, file);
    await expect(readSource(file, 'image')).rejects.toMatchObject({
      code: 'ERR_IMAGE_NOT_FOUND',
      message: `cannot read the image ${file}: it is a pipe, not a file`,
    });
  });
});
