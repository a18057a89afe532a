// convert, inspect and verify as others call them: on a thread of their own.
import { readFileSync } from 'node:fs';
import { type ConvertOptions, convert, inspect, TlscError, verify } from '@tlsc/api';
import { describe, expect, it } from 'vitest';
import { convert as convertHere } from '../../packages/ts-api/src/convert.js';
import { makeNode } from '../../packages/ts-api/src/graph/proto.js';
import { buildBytes } from '../../packages/ts-api/test/build-model.js';
import { exampleModel } from '../fixtures/index.js';

const path = exampleModel('unet_se');

/** As many nodes in a row: seconds of work. */
function chain(length: number): Uint8Array {
  const value = (i: number) => (i === 0 ? 'x' : i === length ? 'y' : `v${i}`);
  const node = Array.from({ length }, (_, i) => makeNode('Relu', [value(i)], [value(i + 1)]));
  return buildBytes({ node });
}

describe('on a thread of its own', () => {
  it('a conversion is what it is on the thread of the caller', async () => {
    const bytes = readFileSync(path);
    const before = Uint8Array.from(bytes);
    const conversion = await convert(bytes, { trainSize: 64 });
    const expected = await convertHere(path, { trainSize: 64 });
    expect(conversion.report).toEqual(expected.report);
    expect(Buffer.compare(conversion.model, expected.model)).toBe(0);
    // What was given is the caller's still.
    expect(Buffer.compare(bytes, before)).toBe(0);
    const verification = await verify(path, conversion.model, { fullSize: false });
    expect(verification).toMatchObject({ passed: true, blindSites: [] });
  });

  it('takes patterns, and bytes in shared memory or in a part of a buffer', async () => {
    const bytes = readFileSync(path);
    const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
    shared.set(bytes);
    const within = new Uint8Array(bytes.length + 20).subarray(10, 10 + bytes.length);
    within.set(bytes);
    const { statistics } = await inspect(bytes);
    for (const model of [shared, within]) expect((await inspect(model)).statistics).toEqual(statistics);
    const name = statistics[0]?.node ?? '';
    const { report } = await convert(bytes, { trainSize: 64, include: [new RegExp(`^${name}$`)] });
    expect(report.sites.map(({ node }) => node)).toEqual([name]);
  });

  it('errors keep their class and what they say', async () => {
    const error = await convert(path, { trainSize: 3, baseSize: -1 }).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(TlscError);
    expect(error).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', parameter: 'baseSize', received: '-1' });
    const missing = await inspect('no/such/model.onnx').catch((cause: unknown) => cause);
    expect(missing).toMatchObject({ code: 'ERR_MODEL_NOT_FOUND', cause: expect.any(Error) });
    const unclonable = { trainSize: () => 64 } as unknown as ConvertOptions;
    await expect(convert(path, unclonable)).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' });
    await expect(convert(path, 64 as unknown as ConvertOptions)).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
    });
    await expect(inspect(path, { signal: 1 as unknown as AbortSignal })).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      parameter: 'signal',
    });
  });

  it('is aborted wherever it is, and is gone then', async () => {
    const model = chain(50_000);
    for (const wait of [0, 100, 1000]) {
      const controller = new AbortController();
      const reason = new Error('enough');
      const inspection = inspect(model, { signal: controller.signal });
      await new Promise((resolve) => setTimeout(resolve, wait));
      controller.abort(reason);
      await expect(inspection).rejects.toMatchObject({ code: 'ERR_ABORTED', cause: reason });
    }
    await expect(inspect(model, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ERR_ABORTED',
    });
  });

  it('does not wait for a thread that had answered before it was aborted', async () => {
    const model = chain(1);
    await inspect(model);
    const controller = new AbortController();
    const inspection = inspect(model, { signal: controller.signal });
    await new Promise((resolve) => setTimeout(resolve, 1));
    // The answer arrives meanwhile, and is heard after the abort.
    for (const begun = performance.now(); performance.now() - begun < 250; );
    controller.abort();
    await expect(inspection).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    for (let i = 0; i < 3; i++) await expect(inspect(model)).resolves.toBeDefined();
  });
});
