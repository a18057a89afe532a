import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NativeSessionOptions } from '@tlsc/core-native';
import { describe, expect, test } from 'vitest';
import { runChild } from './child.js';
import { chainModelFile, longSize, options, temporaryFolder } from './support.js';
import { encode } from './tiny-model.js';

describe('a process that ends', () => {
  const model = JSON.stringify(options(chainModelFile()));
  const end = (scenario: string, size: number) => runChild('exit-child.mjs', [scenario, model, String(size)]);

  test.each([
    'process.exit',
    'process.exit with a full queue',
    'process.exit while loading',
    'process.exit while a worker runs',
  ])('by %s does not wait for its runs', async (scenario) => {
    const { code, signal, lines, errors, endingMs } = await end(scenario, longSize);
    expect({ code, signal, lines, errors }).toEqual({ code: 3, signal: null, lines: ['ending'], errors: '' });
    expect(endingMs).toBeLessThan(3000);
  });

  test.each(['uncaught exception', 'unhandled rejection'])('by an %s does so cleanly', async (scenario) => {
    const { code, signal, lines, errors, endingMs } = await end(scenario, longSize);
    expect({ code, signal, lines }).toEqual({ code: 1, signal: null, lines: ['ending'] });
    expect(errors).toMatch(/on purpose/);
    expect(endingMs).toBeLessThan(3000);
  });

  test('of itself waits for its runs', async () => {
    const { code, signal, lines, errors } = await end('natural end', 128);
    const expected = ['ending', 'run ended', 'run ended', 'run ended'];
    expect({ code, signal, lines, errors }).toEqual({ code: 0, signal: null, lines: expected, errors: '' });
  });

  test('with a session never released ends cleanly', async () => {
    const { code, signal, lines, errors } = await end('natural end after runs', 16);
    expect({ code, signal, errors }).toEqual({ code: 0, signal: null, errors: '' });
    expect([...lines].sort()).toEqual(['ending', 'run ended']);
  });

  test('outlives a worker that exits during its runs', async () => {
    const { code, signal, lines, errors, endingMs } = await end('worker exits', longSize);
    expect({ code, signal, errors }).toEqual({ code: 0, signal: null, errors: '' });
    expect(lines).toContain('worker ended with 0');
    expect(lines).not.toContain('run ended');
    expect(endingMs).toBeLessThan(3000);
  });

  test.each(['worker terminated', 'worker terminated while it reads an output'])(
    'outlives a %s during its runs',
    async (scenario) => {
      const { code, signal, lines, errors, endingMs } = await end(scenario, longSize);
      expect({ code, signal, lines, errors }).toEqual({
        code: 0,
        signal: null,
        lines: ['ending'],
        errors: '',
      });
      expect(endingMs).toBeLessThan(3000);
    },
  );
});

describe('memory stays bounded', () => {
  const folder = temporaryFolder();
  const MiB = 2 ** 20;

  function addModel(name: string, constant: number): NativeSessionOptions {
    const file = join(folder, name);
    const model = encode({
      inputs: [{ name: 'x', type: 'float32', shape: ['n'] }],
      outputs: [{ name: 'y', type: 'float32', shape: ['m'] }],
      nodes: [{ op: 'Add', inputs: ['x', 'c'], outputs: ['y'] }],
      initializers: [
        { name: 'c', type: 'float32', dims: [constant], data: new Float32Array(constant).fill(1) },
      ],
    });
    writeFileSync(file, model);
    return options(file);
  }

  test.each([
    // Each round would leak at least this many MiB: the weights, the output, the input, the model.
    { scenario: 'drop sessions', rounds: 60, leakMiB: 32, constant: 8 * MiB },
    { scenario: 'run large', rounds: 1000, leakMiB: 4, constant: 1 },
    { scenario: 'keep with the device', rounds: 500, leakMiB: 4, constant: 1 },
    { scenario: 'fail to run', rounds: 2000, leakMiB: 4, constant: 1 },
    { scenario: 'fail to load', rounds: 2000, leakMiB: 1, constant: 1 },
  ])('when programs $scenario $rounds times', async ({ scenario, rounds, leakMiB, constant }) => {
    const given = JSON.stringify(addModel(`${scenario}.onnx`, constant));
    const flags = scenario === 'drop sessions' ? ['--expose-gc'] : [];
    const { code, signal, lines, errors } = await runChild(
      'memory-child.mjs',
      [scenario, given, String(rounds)],
      flags,
    );
    expect({ code, signal, errors }).toEqual({ code: 0, signal: null, errors: '' });
    const grownMiB = Number(lines[0]);
    expect(grownMiB).toBeLessThan((rounds * leakMiB) / 4);
  });
});
