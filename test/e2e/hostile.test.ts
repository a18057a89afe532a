// Every hostile file through everything that takes files, in a process of its own: whatever becomes of it, the process lives,
// and can end.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type HostileFile, hostileImages, hostileModels } from '../fixtures/hostile/index.js';
import { type CallName, modelCalls } from '../fuzz/calls.js';
import { attemptAlone } from '../fuzz/subject.js';

/** Those that lie beside the repository, where they do. */
const others = fileURLToPath(new URL('../../../shared/hostile', import.meta.url));

function otherModels(): HostileFile[] {
  if (!existsSync(others)) return [];
  const names = readdirSync(others).filter((name) => name.endsWith('.onnx'));
  return names.map((name) => ({
    name: `beside: ${name}`,
    did: '',
    bytes: () => readFileSync(join(others, name)),
  }));
}

// The child waits for its parent, whose limits end it; five calls of a limit each, and its start and end.
const timeout = 60_000;

const secret = 'what no model may read';
let folder = '';
beforeAll(() => {
  // Models given as bytes have no folder: least of all the one that the process happens to work in.
  folder = mkdtempSync(join(tmpdir(), 'tlsc-hostile-'));
  writeFileSync(join(folder, 'secret.txt'), secret);
});
afterAll(() => rmSync(folder, { recursive: true }));

async function survives({ bytes }: HostileFile, calls: readonly CallName[]): Promise<void> {
  const { finding, outcomes } = await attemptAlone(bytes(), calls, { folder });
  expect(finding).toBeUndefined();
  expect(outcomes.map(({ call }) => call)).toEqual(calls);
}

describe('hostile models', () => {
  for (const file of [...hostileModels, ...otherModels()])
    it(`${file.name}${file.did && `: ${file.did}`}`, () => survives(file, modelCalls), timeout);

  it('reads no file of the working folder for a model given as bytes', async () => {
    const model = hostileModels.find(({ name }) => name === 'reads_working_folder.onnx') as HostileFile;
    for (const call of modelCalls) {
      const { outcomes } = await attemptAlone(model.bytes(), [call], { folder });
      expect(outcomes.map(({ code }) => code)).not.toContain('');
    }
  });
});

describe('hostile images', () => {
  for (const file of hostileImages)
    it(`${file.name}: ${file.did}`, () => survives(file, ['readPhoto']), timeout);
});
