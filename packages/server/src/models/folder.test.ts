import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findModels } from './folder.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tlsc-models-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function filled(name: string, files: readonly string[]): Promise<string> {
  const path = join(folder, name);
  await mkdir(path);
  for (const file of files) await writeFile(join(path, file), file);
  return path;
}

const fault = (code: string) => expect.objectContaining({ code });

describe('models in a folder', () => {
  it('are called by their files, and originals beside converted ones so', async () => {
    const path = await filled('usual', ['a.onnx', 'a.local.onnx', 'b.local.onnx', 'C-1.ONNX', 'notes.txt']);
    const found = await findModels([path]);
    expect([...found].map(([name, file]) => [name, file.path])).toEqual([
      ['C-1', join(path, 'C-1.ONNX')],
      ['a', join(path, 'a.local.onnx')],
      ['a.original', join(path, 'a.onnx')],
      ['b', join(path, 'b.local.onnx')],
    ]);
    expect([...(await findModels([join(path, 'a.onnx')])).keys()]).toEqual(['a']);
  });

  it('are refused under names that cannot stand in a URL, or twice', async () => {
    const spaces = await filled('spaces', ['my model.onnx']);
    await expect(findModels([spaces])).rejects.toEqual(fault('ERR_INVALID_ARGUMENT'));
    const other = await filled('other', ['a.onnx']);
    const same = await filled('same', ['a.onnx']);
    await expect(findModels([other, same])).rejects.toEqual(fault('ERR_INVALID_ARGUMENT'));
    await expect(findModels([join(folder, 'none')])).rejects.toEqual(fault('ERR_MODEL_NOT_FOUND'));
  });
});
