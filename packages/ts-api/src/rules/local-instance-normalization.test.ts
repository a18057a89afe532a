import { Tensor } from 'onnxruntime-common';
import { describe, expect, it } from 'vitest';
import { roundedToFloat16 } from '../../../../test/fixtures/float16.js';
import { buildBytes, floats, halves, integers, valueInfo } from '../../test/build-model.js';
import { convert } from '../../test/convert.js';
import { largestDifference, localInstanceNorm, noise } from '../../test/reference.js';
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

  it.each(['of one image', 'of all channels of the batch'])(
    'takes BatchNormalization in training mode %s for what it is',
    async (kind) => {
      const isOne = kind === 'of one image';
      const norm = makeNode('BatchNormalization', [isOne ? 'x' : 'wide', 'scale', 'bias', 'm', 'v'], ['n'], {
        name: 'norm',
        attributes: { training_mode: 1, epsilon: { float: 0.01 } },
      });
      norm.output.push('running_mean', 'running_variance');
      const before = [
        makeNode('Shape', ['x'], ['shape']),
        makeNode('Slice', ['shape', 'two', 'four'], ['plane']),
        makeNode('Concat', ['front', 'plane'], ['joined'], { attributes: { axis: 0 } }),
        makeNode('Reshape', ['x', 'joined'], ['wide']),
      ];
      const node = isOne
        ? [norm, makeNode('Identity', ['n'], ['y'])]
        : [...before, norm, makeNode('Reshape', ['n', 'shape'], ['y'])];
      const initializer = [
        floats('scale', [3], scale),
        floats('bias', [3], bias),
        floats('m', [3]),
        floats('v', [3]),
      ];
      const shapes = [integers('two', [2]), integers('four', [4]), integers('front', [1, -1])];
      const bytes = buildBytes({
        node,
        initializer: isOne ? initializer : [...initializer, ...shapes],
        input: [valueInfo('x', [isOne ? 1 : 'batch', 3, 'height', 'width'])],
      });
      const { model, report } = await convert(bytes, { trainSize: 8 });
      expect(report.sites).toMatchObject([{ node: 'norm', operator: 'LocalInstanceNormalization' }]);
      const x = noise([1, 3, 23, 17]);
      const expected = localInstanceNorm(x, scale, bias, [12, 12], 0.01);
      for (const operators of ['native', 'portable'] as const) {
        const session = await InferenceSession.create(model, { operators });
        const { y } = await session.run({ x });
        await session.release();
        expect(largestDifference(y?.data as Float32Array, expected)).toBeLessThan(1e-5);
      }
    },
  );

  it('refuses signals of rank 3', async () => {
    const node = [
      makeNode('Squeeze', ['x', 'batch'], ['signal']),
      makeNode('InstanceNormalization', ['signal', 'one', 'zero'], ['n'], { name: 'norm' }),
      makeNode('Unsqueeze', ['n', 'batch'], ['y']),
    ];
    const initializer = [integers('batch', [0]), floats('one', [8], Array(8).fill(1)), floats('zero', [8])];
    const input = [valueInfo('x', [1, 8, 'height', 'width'])];
    const output = [valueInfo('y', [1, 8, 'h', 'w'])];
    const source = buildBytes({ node, initializer, input, output });
    await expect(convert(source, { trainSize: 8 })).rejects.toMatchObject({
      code: 'ERR_NOT_LOCALIZABLE',
      message: expect.stringContaining('norm: its input has rank 3, not 4'),
    });
  });

  it('makes a float16 normalization inside a float32 model local', async () => {
    const initializer = [halves('scale', [3], scale), halves('bias', [3], bias)];
    const node = [
      makeNode('Cast', ['x'], ['h'], { attributes: { to: DataType.FLOAT16 } }),
      makeNode('InstanceNormalization', ['h', 'scale', 'bias'], ['n'], { name: 'norm' }),
      makeNode('Cast', ['n'], ['y'], { attributes: { to: DataType.FLOAT } }),
    ];
    const { model } = await convert(buildBytes({ node, initializer }), { trainSize: 8 });
    for (const operators of ['native', 'portable'] as const) {
      const session = await InferenceSession.create(model, { operators });
      const plane = noise([2, 3, 23, 17]);
      const x = new Tensor('float32', (plane.data as Float32Array).map(roundedToFloat16), plane.dims);
      const { y } = await session.run({ x });
      await session.release();
      const parameters = [scale.map(roundedToFloat16), bias.map(roundedToFloat16)] as const;
      const expected = localInstanceNorm(x, ...parameters, [12, 12], 1e-5);
      const rounded = expected.map(roundedToFloat16);
      // Where float32 and float64 round to different halves, one step apart at values below 8.
      expect(largestDifference(y?.data as Float32Array, rounded)).toBeLessThanOrEqual(2 ** -8);
      expect(largestDifference(y?.data as Float32Array, expected)).toBeLessThan(2 ** -9 + 1e-5);
    }
  });
});
