// What it takes to look at a model. The rest of measuring is seen in what is found by it.
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildBytes, floats } from '../../test/build-model.js';
import { makeNode, type NodeProto } from './proto.js';

const child = fileURLToPath(new URL('../../test/memory-child.mjs', import.meta.url));
const channels = 32;

/** Convolutions and what may be a statistic in a row, whose values would take 64 MiB each four of them. */
function deepModel(layers: number): Uint8Array {
  const node: NodeProto[] = [makeNode('Conv', ['x', 'first'], ['v0'])];
  for (let i = 0; i < layers; i++)
    node.push(
      makeNode('Conv', [`v${i}`, 'w'], [`c${i}`]),
      makeNode('ReduceMean', [`c${i}`], [`m${i}`], { attributes: { axes: [1] } }),
      makeNode('Sub', [`c${i}`, `m${i}`], [`v${i + 1}`]),
    );
  const last = `v${layers}`;
  node.push(makeNode('GlobalAveragePool', [last], ['pooled']), makeNode('Mul', [last, 'pooled'], ['y']));
  const initializer = [floats('first', [channels, 3, 1, 1]), floats('w', [channels, channels, 1, 1])];
  return buildBytes({ node, initializer });
}

describe('looking at a deep model', () => {
  let folder = '';
  let path = '';

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tlsc-measure-'));
    path = join(folder, 'deep.onnx');
    await writeFile(path, deepModel(60));
  });
  afterAll(() => rm(folder, { recursive: true }));

  async function memoryOf(task: string): Promise<number> {
    const { stdout } = await promisify(execFile)(process.execPath, [child, task, path]);
    return Number(stdout);
  }

  it('takes little more memory than a run of it', async () => {
    const run = await memoryOf('run');
    expect(run).toBeGreaterThan(0);
    for (const task of ['inspect', 'convert']) expect(await memoryOf(task)).toBeLessThan(run * 1.5);
  });
});
