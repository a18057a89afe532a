import { describe, expect, it } from 'vitest';
import { buildBytes } from '../../test/build-model.js';
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
});
