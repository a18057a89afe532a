import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { failure, load, run, temporaryFolder } from './support.js';
import { encode } from './tiny-model.js';

const folder = temporaryFolder();

describe("tlsc's operators", () => {
  const shape = [1, 2, 'h', 'w'];
  const poolModel = encode({
    inputs: [{ name: 'x', type: 'float32', shape }],
    outputs: [{ name: 'y', type: 'float32', shape: [1, 2, 'H', 'W'] }],
    nodes: [
      {
        op: 'LocalAveragePool',
        domain: 'tlsc',
        inputs: ['x'],
        outputs: ['y'],
        attributes: { kernel_shape: [3, 4], replicate: 1 },
      },
    ],
  });

  /** DESIGN.md §3, "replicate", by plain loops. */
  function pool(x: Float32Array, h: number, w: number): number[] {
    const [kh, kw] = [Math.min(3, h), Math.min(4, w)];
    const [top, left] = [Math.floor((kh - 1) / 2), Math.floor((kw - 1) / 2)];
    const clamp = (value: number, high: number) => Math.min(Math.max(value, 0), high);
    return Array.from(x, (_, at) => {
      const plane = Math.floor(at / (h * w)) * h * w;
      const row = clamp((Math.floor(at / w) % h) - top, h - kh);
      const column = clamp((at % w) - left, w - kw);
      let sum = 0;
      for (let i = row; i < row + kh; ++i) {
        for (let j = column; j < column + kw; ++j) sum += x[plane + i * w + j] ?? Number.NaN;
      }
      return sum / (kh * kw);
    });
  }

  test.each([
    [7, 9],
    [2, 9],
    [7, 3],
    [1, 1],
  ])('run with the library and are right on %i × %i', async (h, w) => {
    const session = await load(poolModel);
    const x = Float32Array.from({ length: 2 * h * w }, (_, i) => Math.sin(i * i));
    const y = await run(session, { name: 'x', type: 'float32', dims: [1, 2, h, w], data: x });
    expect(y.dims).toEqual([1, 2, h, w]);
    const expected = pool(x, h, w);
    expect(y.data).toHaveLength(expected.length);
    for (const [i, value] of expected.entries()) expect(y.data[i]).toBeCloseTo(value, 6);
  });

  test('give ERR_OPERATORS_NOT_FOUND without library and function body', async () => {
    await expect(load(poolModel, { operatorsPath: '' })).rejects.toEqual(
      failure('ERR_OPERATORS_NOT_FOUND', /LocalAveragePool/),
    );
  });

  test.each<[string, string]>([
    ['a missing file', join(folder, 'missing', 'libtlsc_ops.so')],
    ['a file that is no library', join(folder, 'no-operators.so')],
    ['a folder', folder],
  ])('%s as the library gives ERR_OPERATORS_NOT_FOUND', async (_, operatorsPath) => {
    writeFileSync(join(folder, 'no-operators.so'), 'not a library');
    await expect(load(poolModel, { operatorsPath })).rejects.toEqual(
      failure('ERR_OPERATORS_NOT_FOUND', /tlsc-core-native/),
    );
  });

  test('wrong attributes give ERR_INVALID_MODEL', async () => {
    const model = encode({
      inputs: [{ name: 'x', type: 'float32', shape }],
      outputs: [{ name: 'y', type: 'float32', shape }],
      nodes: [
        {
          op: 'LocalAveragePool',
          domain: 'tlsc',
          inputs: ['x'],
          outputs: ['y'],
          attributes: { kernel_shape: [0, -4] },
        },
      ],
    });
    await expect(load(model)).rejects.toEqual(failure('ERR_INVALID_MODEL', /kernel_shape/));
  });
});
