import { describe, expect, it } from 'vitest';
import { carriedModel, exampleModel } from '../../../test/fixtures/index.js';
import { buildBytes } from '../test/build-model.js';
import { convert } from './convert.js';
import { decodeModel, encodeModel, type Model } from './graph/model.js';
import { makeNode } from './graph/proto.js';
import { verify } from './verify.js';

const fullSize = [96, 128] as const;

async function sabotage(edit: (model: Model) => void): Promise<Uint8Array> {
  const { model } = await convert(exampleModel('unet_in'), { trainSize: 64 });
  const decoded = decodeModel(model, 'm');
  edit(decoded);
  return encodeModel(decoded);
}

describe('verify', () => {
  it('passes a conversion, at the training size and on a whole image', async () => {
    const { model } = await convert(exampleModel('unet_se'), { trainSize: 64 });
    const verification = await verify(exampleModel('unet_se'), model, { fullSize });
    expect(verification).toMatchObject({
      passed: true,
      wrongWindows: [],
      selfCheck: { size: [64, 64] },
      fullSize: { size: [96, 128] },
    });
    expect(verification.selfCheck?.native).toBeLessThan(1e-5);
    expect(verification.selfCheck?.portable).toBeLessThan(1e-5);
    expect(verification.fullSize.nativeToPortable).toBeLessThan(1e-5);
  });

  it('looks for a smaller size when the windows do not cover the training size', async () => {
    const { model } = await convert(carriedModel('unet_in'), { trainSize: 64, baseSize: 40 });
    const { selfCheck, passed } = await verify(carriedModel('unet_in'), model, { fullSize });
    expect(selfCheck?.size).toEqual([32, 32]);
    expect(passed).toBe(true);
  });

  it('fails on a wrong weight', async () => {
    const model = await sabotage(({ graph }) => {
      const weight = graph.initializer.find(({ dims, rawData }) => dims.length === 4 && rawData.length > 100);
      weight?.rawData.fill(0, 0, 64);
    });
    expect((await verify(exampleModel('unet_in'), model, { fullSize })).passed).toBe(false);
  });

  it('fails on a wrong window and names the node', async () => {
    const model = await sabotage(({ graph }) => {
      const kernel = graph.node
        .find(({ domain }) => domain === 'tlsc')
        ?.attribute.find(({ name }) => name === 'kernel_shape');
      if (kernel) kernel.ints = [47n, 48n];
    });
    const { passed, wrongWindows } = await verify(exampleModel('unet_in'), model, { fullSize });
    expect(passed).toBe(false);
    expect(wrongWindows).toEqual(['/enc.0/norm/InstanceNormalization']);
  });

  it('fails on a body that differs from the kernel', async () => {
    const model = await sabotage(({ functions }) => {
      for (const node of functions[0]?.node ?? []) if (node.opType === 'Sqrt') node.opType = 'Abs';
    });
    const { passed, fullSize: full } = await verify(exampleModel('unet_in'), model, { fullSize });
    expect(passed).toBe(false);
    expect(full.nativeToPortable).toBeGreaterThan(1e-3);
  });

  it('does not pass a model that was not compared with the original', async () => {
    const pooled = [makeNode('GlobalAveragePool', ['x'], ['p']), makeNode('Mul', ['x', 'p'], ['y'])];
    const { model } = await convert(buildBytes({ node: pooled }), { trainSize: 64, baseSize: 4 });
    const verification = await verify(buildBytes({ node: [makeNode('Neg', ['x'], ['y'])] }), model, {
      fullSize,
    });
    expect(verification).toMatchObject({ selfCheck: undefined, passed: false });
  });

  it('names outputs that cannot be compared', async () => {
    const { model } = await convert(exampleModel('unet_in'), { trainSize: 64 });
    const other = buildBytes({ node: [makeNode('Neg', ['x'], ['y'])] });
    await expect(verify(other, model, { fullSize })).rejects.toMatchObject({
      code: 'ERR_UNSUPPORTED_MODEL',
      message: expect.stringContaining('output y'),
    });
  });

  it('refuses a model that was not converted', async () => {
    await expect(verify(exampleModel('unet'), exampleModel('unet'))).rejects.toMatchObject({
      code: 'ERR_NOT_CONVERTED',
    });
  });

  it('can be aborted', async () => {
    const { model } = await convert(exampleModel('unet_in'), { trainSize: 64 });
    const controller = new AbortController();
    const verification = verify(exampleModel('unet_in'), model, { signal: controller.signal });
    setTimeout(() => controller.abort(), 50);
    await expect(verification).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  });
});
