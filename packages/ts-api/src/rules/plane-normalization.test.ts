import { describe, expect, it } from 'vitest';
import { buildBytes, floats } from '../../test/build-model.js';
import { convert } from '../../test/convert.js';
import { makeNode } from '../graph/proto.js';

describe('plane-normalization', () => {
  it.each([1, 2, -2, -3])('refuses LayerNormalization from axis %d on', async (axis) => {
    const scale = floats('scale', axis === 1 || axis === -3 ? [3, 8, 8] : [8, 8]);
    const node = [
      makeNode('LayerNormalization', ['x', 'scale'], ['y'], { name: 'norm', attributes: { axis } }),
    ];
    await expect(convert(buildBytes({ node, initializer: [scale] }), { trainSize: 8 })).rejects.toMatchObject(
      {
        code: 'ERR_NOT_LOCALIZABLE',
        message: expect.stringContaining(
          'norm: LayerNormalization over height and width has a scale for planes',
        ),
      },
    );
  });

  it('leaves LayerNormalization over channels alone', async () => {
    const node = [
      makeNode('Transpose', ['x'], ['last'], { attributes: { perm: [0, 2, 3, 1] } }),
      makeNode('LayerNormalization', ['last', 'scale'], ['n'], { attributes: { axis: -1 } }),
      makeNode('Transpose', ['n'], ['y'], { attributes: { perm: [0, 3, 1, 2] } }),
    ];
    const { report } = await convert(buildBytes({ node, initializer: [floats('scale', [3])] }), {
      trainSize: 8,
    });
    expect(report.sites).toEqual([]);
  });
});
