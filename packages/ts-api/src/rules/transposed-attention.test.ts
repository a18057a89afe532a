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
    makeNode('MatMul', ['q', 'k'], ['product'], { name: 'product' }),
    makeNode('Softmax', ['product'], ['weights'], { attributes: { axis: -1 } }),
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
      message: expect.stringContaining('product: attention between channels'),
    });
  });

  it('refuses it without norms, and with heads folded into the batch', async () => {
    const node = [
      makeNode('Reshape', ['x', 'layout'], ['rows']),
      makeNode('Reshape', ['rows', 'fold'], ['folded']),
      makeNode('Transpose', ['folded'], ['keys'], { attributes: { perm: [0, 2, 1] } }),
      makeNode('MatMul', ['folded', 'keys'], ['product'], { name: 'product' }),
      makeNode('Softmax', ['product'], ['weights'], { attributes: { axis: -1 } }),
      makeNode('MatMul', ['weights', 'folded'], ['y']),
    ];
    const folding = [integers('layout', [0, 3, 1, -1]), integers('fold', [3, 1, -1])];
    await expect(convert(buildBytes({ node, initializer: folding }), { trainSize: 8 })).rejects.toMatchObject(
      {
        code: 'ERR_NOT_LOCALIZABLE',
        message: expect.stringContaining('product: attention between channels'),
      },
    );
  });

  it('leaves attention between pixels alone', async () => {
    const { report } = await convert(buildBytes({ node: attention(false), initializer }), { trainSize: 8 });
    expect(report.sites).toEqual([]);
  });
});
