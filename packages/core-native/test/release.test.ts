import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runChild } from './child.js';
import { options, temporaryFolder } from './support.js';
import { encode } from './tiny-model.js';

// x [n] → y = -x, by way of two tensors of eight times the size: 512 MiB of activations for the 32 MiB of a large input.
const file = join(temporaryFolder(), 'wide.onnx');
writeFileSync(
  file,
  encode({
    inputs: [{ name: 'x', type: 'float32', shape: ['n'] }],
    outputs: [{ name: 'y', type: 'float32', shape: ['m'] }],
    nodes: [
      { op: 'Concat', inputs: Array(8).fill('x'), outputs: ['wide'], attributes: { axis: 0 } },
      { op: 'Neg', inputs: ['wide'], outputs: ['negative'] },
      { op: 'Shape', inputs: ['x'], outputs: ['n'] },
      { op: 'Slice', inputs: ['negative', 'zero', 'n'], outputs: ['y'] },
    ],
    initializers: [{ name: 'zero', type: 'int64', dims: [1], data: BigInt64Array.of(0n) }],
  }),
);

const [output, spare, kept] = [32, 50, 400];

/** By how many MiB the process has grown after each step. */
async function sizesAfter(...steps: string[]): Promise<number[]> {
  const given = JSON.stringify(options(file));
  const { code, signal, lines, errors } = await runChild('release-child.mjs', [steps.join(', '), given]);
  expect({ code, signal, errors }).toEqual({ code: 0, signal: null, errors: '' });
  return JSON.parse(lines[0] ?? '').slice(1);
}

describe('memory goes back without garbage collection', () => {
  test('when a session is released, but for the outputs that are held', async () => {
    const [, , , released] = await sizesAfter('load', 'large', 'large', 'release');
    expect(released).toBeLessThan(2 * output + spare);
  });

  test('after a run unless the one before was of the same size', async () => {
    const [, first, second, small] = await sizesAfter('load', 'large', 'large', 'small');
    expect(first).toBeLessThan(kept);
    expect(second).toBeGreaterThan(kept);
    expect(small).toBeLessThan(kept);
  });

  test('when it is asked for', async () => {
    const [, , second, trimmed] = await sizesAfter('load', 'large', 'large', 'trim');
    expect(second).toBeGreaterThan(kept);
    expect(trimmed).toBeLessThan(2 * output + spare);
  });
});
