import { describe, expect, it } from 'vitest';
import { buildBytes, floats } from '../../test/build-model.js';
import { convert } from '../../test/convert.js';
import { makeNode } from '../graph/proto.js';

describe('unsupported-statistics', () => {
  it('refuses MeanVarianceNormalization and names the node', async () => {
    const node = [makeNode('MeanVarianceNormalization', ['x'], ['y'], { name: 'mvn' })];
    await expect(convert(buildBytes({ node }), { trainSize: 8 })).rejects.toMatchObject({
      code: 'ERR_NOT_LOCALIZABLE',
      message: expect.stringContaining('mvn: MeanVarianceNormalization cannot be converted'),
    });
  });

  it('refuses GlobalLpPool', async () => {
    const node = [makeNode('GlobalLpPool', ['x'], ['p'], { name: 'lp' }), makeNode('Mul', ['x', 'p'], ['y'])];
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
  });
});
