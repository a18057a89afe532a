import { describe, expect, it } from 'vitest';
import { carriedModel, exampleModel } from '../../../test/fixtures/index.js';
import { buildBytes, floats, image, imagesIn, valueInfo } from '../test/build-model.js';
import { convert } from '../test/convert.js';
import { DataType, makeNode } from './graph/proto.js';
import { inspect } from './inspect.js';

describe('inspect', () => {
  it('describes a model and what would become of its statistics', async () => {
    const inspection = await inspect(exampleModel('unet_se'));
    expect(inspection).toMatchObject({
      producer: expect.stringMatching(/^pytorch /),
      opset: 17,
      irVersion: 8,
      inputs: [{ name: 'input', type: 'float', shape: ['batch', 3, 'height', 'width'] }],
      outputs: [{ name: 'output', type: 'float', shape: ['batch', 3, 'height', 'width'] }],
      converted: undefined,
      localOperators: [],
    });
    expect(inspection.statistics).toHaveLength(5);
    expect(inspection.statistics[0]).toEqual({
      node: '/enc.0/se/se.0/GlobalAveragePool',
      opType: 'GlobalAveragePool',
      rule: 'local-average-pool',
      operator: 'LocalAveragePool',
      featureSize: [128, 128],
      reason: undefined,
    });
  });

  it('gives the reason of a refusal instead of failing', async () => {
    const node = [makeNode('MeanVarianceNormalization', ['x'], ['y'], { name: 'mvn' })];
    const { statistics } = await inspect(buildBytes({ node }));
    expect(statistics).toMatchObject([
      { node: 'mvn', operator: undefined, reason: 'MeanVarianceNormalization cannot be converted' },
    ]);
  });

  it('describes a model that cannot be measured', async () => {
    const node = [
      makeNode('ReduceMean', ['x'], ['p'], { name: 'pool', attributes: { axes: [2, 3] } }),
      makeNode('Mul', ['x', 'p'], ['y']),
    ];
    const double = await inspect(buildBytes({ node, ...imagesIn(DataType.DOUBLE) }));
    expect(double.inputs).toEqual([{ name: 'x', type: 'double', shape: [...image] }]);
    expect(double.statistics).toMatchObject([
      { node: 'pool', operator: undefined, reason: expect.stringContaining('takes double images') },
    ]);
  });

  it('describes a float16 model like any other', async () => {
    const inspection = await inspect(carriedModel('nafnet_fp16'));
    expect(inspection.inputs).toMatchObject([{ name: 'input', type: 'float16' }]);
    expect(inspection.outputs).toMatchObject([{ name: 'output', type: 'float16' }]);
    expect(inspection.statistics.map(({ operator }) => operator)).toEqual(Array(5).fill('LocalAveragePool'));
  });

  it.each(['restormer_small_one_dim', 'nafnet_base_nonsquare', 'hinet_small_one_dim'])(
    'finds no global statistic in the converted %s',
    async (name) => {
      const { model } = await convert(carriedModel(name), { trainSize: 64 });
      expect((await inspect(model, { trainSize: 64 })).statistics).toEqual([]);
    },
  );

  it('tells what was done to a converted model', async () => {
    const { model } = await convert(exampleModel('unet_in'), { trainSize: 64, baseSize: [96, 80] });
    const inspection = await inspect(model);
    expect(inspection.converted).toMatchObject({ trainSize: [64, 64], baseSize: [96, 80] });
    expect(inspection.localOperators.map(({ operator, window }) => [operator, ...(window ?? [])])).toEqual(
      [
        [48, 40],
        [24, 20],
        [12, 10],
        [24, 20],
        [48, 40],
      ].map((window) => ['LocalInstanceNormalizationLeakyRelu', ...window]),
    );
    expect(inspection.statistics).toEqual([]);
  });

  it('lists products that pad, which have no window of their own', async () => {
    const { model } = await convert(exampleModel('unet_se'), { trainSize: 64 });
    const { localOperators } = await inspect(model);
    expect(localOperators).toHaveLength(10);
    expect(localOperators.slice(0, 2)).toEqual([
      { node: '/enc.0/se/se.0/GlobalAveragePool', operator: 'LocalAveragePool', window: [48, 48] },
      { node: '/enc.0/Mul', operator: 'ReplicateScale', window: undefined },
    ]);
  });

  it('does not list initializers as inputs', async () => {
    const node = [makeNode('Add', ['x', 'b'], ['y'])];
    const input = [valueInfo('x', ['n', 3, 'h', 'w']), valueInfo('b', [1])];
    const { inputs } = await inspect(buildBytes({ node, input, initializer: [floats('b', [1])] }));
    expect(inputs.map(({ name }) => name)).toEqual(['x']);
  });
});
