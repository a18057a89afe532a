import { describe, expect, it } from 'vitest';
import { buildBytes, floats, integers } from '../../test/build-model.js';
import { largestDifference, localInstanceNorm, noise } from '../../test/reference.js';
import { convert } from '../convert.js';
import { DataType, makeNode } from '../graph/proto.js';
import { InferenceSession } from '../session/inference-session.js';

const scale = [1.5, -0.5, 2];
const bias = [0.1, 0.2, -0.3];

describe('local-instance-normalization', () => {
  it.each([1e-5, 0.1])('makes InstanceNormalization local, epsilon %d kept', async (epsilon) => {
    const attributes = { epsilon: { float: epsilon } };
    const node = [makeNode('InstanceNormalization', ['x', 'scale', 'bias'], ['y'], { attributes })];
    const initializer = [floats('scale', [3], scale), floats('bias', [3], bias)];
    const { model, report } = await convert(buildBytes({ node, initializer }), { trainSize: 8 });
    expect(report.sites).toEqual([
      {
        node: 'InstanceNormalization (computes y)',
        rule: 'local-instance-normalization',
        operator: 'LocalInstanceNormalization',
        featureSize: [8, 8],
        window: [12, 12],
      },
    ]);
    for (const operators of ['native', 'portable'] as const) {
      const session = await InferenceSession.create(model, { operators });
      const x = noise([2, 3, 23, 17]);
      const { y } = await session.run({ x });
      await session.release();
      expect(
        largestDifference(y?.data as Float32Array, localInstanceNorm(x, scale, bias, [12, 12], epsilon)),
      ).toBeLessThan(1e-5);
    }
  });

  it.each([
    ['of rank 3', [0, 1, -1]],
    ['of rank 4', [0, 1, -1, 8]],
  ])('refuses group normalization in its exported form, %s', async (_, grouped) => {
    const node = [
      makeNode('Reshape', ['x', 'grouped'], ['g']),
      makeNode('InstanceNormalization', ['g', 'one', 'zero'], ['n'], { name: 'norm' }),
      makeNode('Shape', ['x'], ['shape']),
      makeNode('Reshape', ['n', 'shape'], ['y']),
    ];
    const initializer = [integers('grouped', grouped), floats('one', [1], [1]), floats('zero', [1], [0])];
    await expect(convert(buildBytes({ node, initializer }), { trainSize: 8 })).rejects.toMatchObject({
      code: 'ERR_NOT_LOCALIZABLE',
      message: expect.stringContaining('norm: group normalization cannot be converted yet'),
    });
  });

  it('refuses a float16 normalization inside a float32 model', async () => {
    const half = (name: string) => {
      const tensor = floats(name, [3], [1, 1, 1]);
      tensor.dataType = DataType.FLOAT16;
      tensor.floatData = [];
      tensor.int32Data = [0x3c00, 0x3c00, 0x3c00];
      return tensor;
    };
    const node = [
      makeNode('Cast', ['x'], ['h'], { attributes: { to: DataType.FLOAT16 } }),
      makeNode('InstanceNormalization', ['h', 'scale', 'bias'], ['n'], { name: 'norm' }),
      makeNode('Cast', ['n'], ['y'], { attributes: { to: DataType.FLOAT } }),
    ];
    await expect(
      convert(buildBytes({ node, initializer: [half('scale'), half('bias')] }), { trainSize: 8 }),
    ).rejects.toMatchObject({
      code: 'ERR_NOT_LOCALIZABLE',
      message: expect.stringContaining('norm: its input is float16'),
    });
  });
});
