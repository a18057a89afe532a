import { describe, expect, it } from 'vitest';
import { buildBytes, integers } from '../../test/build-model.js';
import { convert } from '../convert.js';
import { makeNode, type NodeProto } from '../graph/proto.js';

/** x, laid out as [N, 3, pixels] or its transpose, attends to itself; both sides L2-normalised along their rows. */
function attention(betweenChannels: boolean): NodeProto[] {
  const rows = betweenChannels ? 'laid_out' : 'transposed';
  return [
    makeNode('Reshape', ['x', 'layout'], ['laid_out']),
    makeNode('Transpose', ['laid_out'], ['transposed'], { attributes: { perm: [0, 2, 1] } }),
    makeNode('ReduceL2', [rows], ['length'], { attributes: { axes: [-1], keepdims: 1 } }),
    makeNode('Div', [rows, 'length'], ['q']),
    makeNode('Transpose', ['q'], ['k'], { attributes: { perm: [0, 2, 1] } }),
    makeNode('MatMul', ['q', 'k'], ['product']),
    makeNode('Softmax', ['product'], ['weights'], { name: 'softmax', attributes: { axis: -1 } }),
    makeNode('MatMul', ['weights', rows], ['y']),
  ];
}

const initializer = [integers('layout', [0, 3, -1])];

describe('transposed-attention', () => {
  it('refuses attention between channels, which sums over pixels', async () => {
    await expect(
      convert(buildBytes({ node: attention(true), initializer }), { trainSize: 8 }),
    ).rejects.toMatchObject({
      code: 'ERR_NOT_LOCALIZABLE',
      message: expect.stringContaining('softmax: attention between channels'),
    });
  });

  it('leaves attention between pixels alone', async () => {
    const { report } = await convert(buildBytes({ node: attention(false), initializer }), { trainSize: 8 });
    expect(report.sites).toEqual([]);
  });
});
