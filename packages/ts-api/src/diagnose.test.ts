import { afterEach, describe, expect, it, vi } from 'vitest';
import { diagnose } from './diagnose.js';
import { isTrialOutput } from './diagnosis/trial-model.js';
import { version } from './version.js';

afterEach(() => vi.unstubAllEnvs());

describe('diagnose', () => {
  it('says what there is, and that the CPU works', async () => {
    const found = await diagnose();
    expect(found).toMatchObject({
      version,
      node: process.version,
      onnxruntime: {
        version: expect.stringMatching(/^1\./),
        file: expect.stringContaining('onnxruntime'),
        providers: expect.arrayContaining(['CPUExecutionProvider']),
      },
      operators: { cpu: { target: expect.stringMatching(/./), file: expect.stringContaining('tlsc_ops') } },
      executionProviders: { cpu: { works: true, operators: 'native' } },
    });
  });

  it('says what is missing, and why nothing works then', async () => {
    vi.stubEnv('TLSC_ONNXRUNTIME', '/nowhere');
    vi.stubEnv('TLSC_OPERATORS', '/nowhere');
    const missing = (code: string) => ({ code, message: expect.stringContaining('/nowhere') });
    expect(await diagnose()).toMatchObject({
      onnxruntime: { problem: missing('ERR_RUNTIME_NOT_FOUND') },
      operators: {
        cpu: { problem: missing('ERR_OPERATORS_NOT_FOUND') },
        cuda: { problem: missing('ERR_OPERATORS_NOT_FOUND') },
      },
      executionProviders: {
        cpu: { works: false, problem: missing('ERR_RUNTIME_NOT_FOUND') },
        cuda: { works: false, problem: missing('ERR_RUNTIME_NOT_FOUND') },
      },
    });
  });
});

it('knows the means of the trial from others', () => {
  expect(isTrialOutput([2.5, 3.5, 4.5, 6.5, 7.5, 8.5, 10.5, 11.5, 12.5])).toBe(true);
  expect(isTrialOutput([2.5, 3.5, 4.5, 6.5, 7.5, 8.5, 10.5, 11.5, Number.NaN])).toBe(false);
  expect(isTrialOutput([2.5])).toBe(false);
});
