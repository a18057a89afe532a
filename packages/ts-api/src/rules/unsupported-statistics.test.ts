import { create } from '@bufbuild/protobuf';
import { OperatorSetIdProtoSchema, TensorProtoSchema } from 'onnx-buf';
import { describe, expect, it } from 'vitest';
import { buildBytes, buildModel, floats } from '../../test/build-model.js';
import { convert } from '../../test/convert.js';
import { encodeModel } from '../graph/model.js';
import { DataType, makeNode } from '../graph/proto.js';
import { inspect } from '../inspect.js';

describe('unsupported-statistics', () => {
  it('refuses MeanVarianceNormalization and names the node', async () => {
    const node = [makeNode('MeanVarianceNormalization', ['x'], ['y'], { name: 'mvn' })];
    await expect(convert(buildBytes({ node }), { trainSize: 8 })).rejects.toMatchObject({
      code: 'ERR_NOT_LOCALIZABLE',
      message: expect.stringContaining('mvn: MeanVarianceNormalization cannot be converted'),
    });
  });

  it('leaves MeanVarianceNormalization over channels alone', async () => {
    const node = [makeNode('MeanVarianceNormalization', ['x'], ['y'], { attributes: { axes: [1] } })];
    expect((await convert(buildBytes({ node }), { trainSize: 8 })).report).toMatchObject({
      sites: [],
      kept: [],
    });
  });

  it('refuses quantized means of planes', async () => {
    const node = [
      makeNode('QuantizeLinear', ['x', 'scale', 'zero'], ['q']),
      makeNode('QLinearGlobalAveragePool', ['q', 'scale', 'zero', 'scale', 'zero'], ['p'], {
        name: 'pool',
        domain: 'com.microsoft',
      }),
      makeNode('DequantizeLinear', ['p', 'scale', 'zero'], ['m']),
      makeNode('Mul', ['x', 'm'], ['y']),
    ];
    const zero = create(TensorProtoSchema, { name: 'zero', dataType: DataType.UINT8, int32Data: [128] });
    const model = buildModel({ node, initializer: [floats('scale', [], [0.01]), zero] });
    model.opsetImport.push(create(OperatorSetIdProtoSchema, { domain: 'com.microsoft', version: 1n }));
    await expect(convert(encodeModel(model), { trainSize: 8 })).rejects.toMatchObject({
      code: 'ERR_NOT_LOCALIZABLE',
      message: expect.stringContaining('convert the model first, then quantize it'),
    });
  });

  it('refuses GlobalLpPool of another power than 1 and 2', async () => {
    const node = [
      makeNode('GlobalLpPool', ['x'], ['p'], { name: 'lp', attributes: { p: 3 } }),
      makeNode('Mul', ['x', 'p'], ['y']),
    ];
    await expect(convert(buildBytes({ node }), { trainSize: 8 })).rejects.toMatchObject({
      message: expect.stringContaining('lp: GlobalLpPool'),
    });
  });

  it('refuses BatchNormalization that normalizes by the image', async () => {
    const initializer = ['s', 'b', 'm', 'v'].map((name) => floats(name, [3], [1, 1, 1]));
    const norm = (training_mode: number, outputs: readonly string[]) => [
      makeNode('BatchNormalization', ['x', 's', 'b', 'm', 'v'], outputs, {
        name: 'bn',
        attributes: { training_mode },
      }),
    ];
    const { report } = await convert(buildBytes({ node: norm(0, ['y']), initializer }), { trainSize: 8 });
    expect(report.sites).toEqual([]);
    const training = buildBytes({ node: norm(1, ['y', 'mean', 'variance']), initializer });
    await expect(convert(training, { trainSize: 8 })).rejects.toMatchObject({
      code: 'ERR_NOT_LOCALIZABLE',
      message: expect.stringContaining('bn: it is in training mode and normalizes by the image'),
    });
    // Below opset 14 the outputs say so.
    const attributes = { momentum: { float: 0.9 } };
    const outputs = ['y', 'mean', 'variance', 'saved_mean', 'saved_variance'];
    const old = makeNode('BatchNormalization', ['x', 's', 'b', 'm', 'v'], outputs, {
      name: 'bn',
      attributes,
    });
    const { statistics } = await inspect(buildBytes({ node: [old], initializer }, { opset: 9 }), {
      trainSize: 8,
    });
    expect(statistics).toMatchObject([{ node: 'bn', operator: undefined }]);
  });
});
