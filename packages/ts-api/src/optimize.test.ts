import { describe, expect, it } from 'vitest';
import { buildBytes, floats, halves, imagesIn, integers, valueInfo } from '../test/build-model.js';
import { largestDifference, noise } from '../test/reference.js';
import { runModel } from '../test/run-model.js';
import { convert } from './convert.js';
import { DataType, makeNode } from './graph/proto.js';
import { inspect } from './inspect.js';
import { optimize } from './optimize.js';
import { toImageTensor } from './session/image-tensors.js';

const depthwise = makeNode('Conv', ['x', 'weights'], ['y'], { attributes: { group: 3, pads: [1, 1, 1, 1] } });
const weights = floats('weights', [3, 1, 3, 3]);
const model = buildBytes({ node: [depthwise], initializer: [weights] });

describe('optimize', () => {
  it('says what it has fused, and how far that is from the original', async () => {
    const { report } = await optimize(model, { size: [16, 24] });
    expect(report).toMatchObject({
      fused: [{ node: 'DepthwiseConv (computes y)', operator: 'DepthwiseConv', type: 'float32' }],
      opset: 17,
      check: { size: [16, 24] },
    });
    expect(Math.max(report.check?.native ?? 1, report.check?.portable ?? 1)).toBeLessThan(1e-6);
  });

  it('gives back the model where there is nothing to fuse', async () => {
    const other = buildBytes({ node: [makeNode('Relu', ['x'], ['y'])] });
    const optimized = await optimize(other);
    expect(Buffer.compare(optimized.model, other)).toBe(0);
    expect(optimized.report).toMatchObject({ fused: [], check: undefined });
  });

  it('takes models of one size, of float16 and of old opsets', async () => {
    const [input, output] = [[valueInfo('x', [1, 3, 20, 28])], [valueInfo('y', [1, 3, 20, 28])]];
    const fixed = await optimize(buildBytes({ node: [depthwise], initializer: [weights], input, output }));
    expect(fixed.report).toMatchObject({ fused: [{}], check: { size: [20, 28] } });

    const parts = { node: [depthwise], initializer: [halves('weights', [3, 1, 3, 3])] };
    const half = buildBytes({ ...parts, ...imagesIn(DataType.FLOAT16) });
    const optimized = await optimize(half, { size: 16 });
    expect(optimized.report.fused).toMatchObject([{ type: 'float16' }]);
    const { data } = noise([1, 3, 9, 11]);
    const x = toImageTensor('float16', data as Float32Array, [1, 3, 9, 11]);
    const difference = largestDifference(
      await runModel(optimized.model, x, 'native'),
      await runModel(half, x, 'portable'),
    );
    expect(difference).toBeLessThan(2e-3);

    const old = buildBytes({ node: [depthwise], initializer: [weights] }, { opset: 9, irVersion: 4 });
    expect((await optimize(old, { size: 16 })).report).toMatchObject({ fused: [{}], irVersion: 8 });
  });

  it('goes by float16 inside of a model that takes and gives float32', async () => {
    const cast = (from: string, to: string, type: DataType) =>
      makeNode('Cast', [from], [to], { attributes: { to: type } });
    const attributes = { group: 3, pads: [1, 1, 1, 1] };
    const node = [
      cast('x', 'a', DataType.FLOAT16),
      makeNode('Conv', ['a', 'weights'], ['b'], { attributes }),
      makeNode('Conv', ['b', 'weights'], ['c'], { attributes }),
      cast('c', 'y', DataType.FLOAT),
    ];
    const inside = buildBytes({ node, initializer: [halves('weights', [3, 1, 3, 3])] });
    expect((await optimize(inside, { size: 16 })).report.fused).toHaveLength(2);
  });

  it('fuses for one type alone where a body cannot be for two', async () => {
    const cast = (from: string, to: string, type: DataType) =>
      makeNode('Cast', [from], [to], { attributes: { to: type } });
    const attributes = { group: 3, pads: [1, 1, 1, 1] };
    const node = [
      makeNode('Conv', ['x', 'weights'], ['a'], { attributes }),
      cast('a', 'b', DataType.FLOAT16),
      makeNode('Conv', ['b', 'halved'], ['c'], { attributes }),
      cast('c', 'y', DataType.FLOAT),
    ];
    const initializer = [weights, halves('halved', [3, 1, 3, 3])];
    const types = async (opset: number) => {
      const { report } = await optimize(buildBytes({ node, initializer }, { opset }), { size: 16 });
      return report.fused.map(({ type }) => type);
    };
    expect(await types(13)).toEqual(['float32']);
    expect(await types(15)).toEqual(['float32', 'float16']);
  });

  it('says where the model cannot run at the size', async () => {
    const node = [
      makeNode('Reshape', ['x', 'shape'], ['r']),
      makeNode('Conv', ['r', 'weights'], ['y'], { attributes: { group: 3, pads: [1, 1, 1, 1] } }),
    ];
    const fixed = buildBytes({ node, initializer: [weights, integers('shape', [1, 3, 16, 24])] });
    await expect(optimize(fixed)).rejects.toMatchObject({ code: 'ERR_TRAIN_SIZE' });
    expect((await optimize(fixed, { size: [16, 24] })).report.fused).toHaveLength(1);
  });

  it('is told apart from a conversion', async () => {
    const { model: optimized } = await optimize(model, { size: 16 });
    expect(await inspect(optimized, { trainSize: 16 })).toMatchObject({
      converted: undefined,
      localOperators: [],
      fusedOperators: [{ node: 'DepthwiseConv (computes y)', operator: 'DepthwiseConv' }],
    });
    for (const again of [() => optimize(optimized), () => convert(optimized, { trainSize: 16 })])
      await expect(again()).rejects.toMatchObject({ code: 'ERR_ALREADY_CONVERTED' });
  });

  it('refuses what it cannot make sense of', async () => {
    const cases = [
      ['ERR_INVALID_ARGUMENT', model, { size: 0 }],
      ['ERR_INVALID_ARGUMENT', model, { other: 1 } as never],
      ['ERR_MODEL_NOT_FOUND', 'missing.onnx', {}],
      ['ERR_INVALID_MODEL', new Uint8Array(7), {}],
      ['ERR_ABORTED', model, { signal: AbortSignal.abort() }],
    ] as const;
    for (const [code, source, options] of cases)
      await expect(optimize(source, options)).rejects.toMatchObject({ code });
  });
});

describe('convert', () => {
  const pooled = buildBytes({
    node: [
      makeNode('Conv', ['x', 'weights'], ['c'], { attributes: { group: 3, pads: [1, 1, 1, 1] } }),
      makeNode('GlobalAveragePool', ['c'], ['m'], { name: 'mean' }),
      makeNode('Mul', ['c', 'm'], ['y']),
    ],
    initializer: [weights],
  });

  it('fuses unless told not to', async () => {
    const fused = await convert(pooled, { trainSize: 16 });
    expect(fused.report.fused).toMatchObject([{ operator: 'DepthwiseConv' }]);
    const apart = await convert(pooled, { trainSize: 16, fuse: false });
    expect(apart.report.fused).toEqual([]);
    const x = noise([1, 3, 33, 47]);
    const difference = largestDifference(
      await runModel(fused.model, x, 'native'),
      await runModel(apart.model, x, 'portable'),
    );
    expect(difference).toBeLessThan(1e-5);
  });

  it('refuses another fuse than true or false', async () => {
    await expect(convert(pooled, { trainSize: 16, fuse: 1 as never })).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      parameter: 'fuse',
    });
  });
});
