import { describe, expect, it } from 'vitest';
import { buildBytes, integers } from '../../test/build-model.js';
import { convert } from '../../test/convert.js';
import { makeNode, type NodeProto } from '../graph/proto.js';

const initializer = [integers('rows', [0, 0, -1]), integers('axes', [2, 3])];
const scaled = makeNode('Mul', ['x', 'gate'], ['y']);

function convertNodes(...node: readonly NodeProto[]) {
  return convert(buildBytes({ node, initializer }), { trainSize: 16 });
}

describe('other-reductions', () => {
  it.each(['ReduceSum', 'ReduceL1', 'ReduceL2', 'ReduceSumSquare', 'ReduceLogSumExp'])(
    'refuses %s over the plane',
    async (opType) => {
      const axes =
        opType === 'ReduceSum'
          ? { inputs: ['x', 'axes'], attributes: {} }
          : { inputs: ['x'], attributes: { axes: [-2, -1] } };
      const reduction = makeNode(opType, axes.inputs, ['gate'], {
        name: 'total',
        attributes: axes.attributes,
      });
      await expect(convertNodes(reduction, scaled)).rejects.toMatchObject({
        code: 'ERR_NOT_LOCALIZABLE',
        message: expect.stringContaining(`total: ${opType} over height and width cannot be converted yet`),
      });
    },
  );

  it.each(['ReduceL1', 'ReduceL2'])('refuses %s of planes that were laid in rows', async (opType) => {
    const nodes = [
      makeNode('Reshape', ['x', 'rows'], ['r'], { name: 'view' }),
      makeNode(opType, ['r'], ['m'], { name: 'mean', attributes: { axes: [-1] } }),
      makeNode('Unsqueeze', ['m', 'last'], ['gate']),
    ];
    const bytes = buildBytes({
      node: [...nodes, scaled],
      initializer: [...initializer, integers('last', [3])],
    });
    await expect(convert(bytes, { trainSize: 16 })).rejects.toMatchObject({
      code: 'ERR_NOT_LOCALIZABLE',
      message: expect.stringContaining('mean: its planes are laid in rows by view'),
    });
  });

  it.each([1, 0])('refuses a norm over width and then height, keepdims %d', async (keepdims) => {
    const nodes = [
      makeNode('ReduceL2', ['x'], ['m'], { attributes: { axes: [3], keepdims } }),
      makeNode('ReduceL2', ['m'], ['gate'], { name: 'second', attributes: { axes: [2], keepdims } }),
    ];
    const rest = keepdims
      ? [scaled]
      : [makeNode('Unsqueeze', ['gate', 'axes'], ['g']), makeNode('Mul', ['x', 'g'], ['y'])];
    await expect(convertNodes(...nodes, ...rest)).rejects.toMatchObject({
      code: 'ERR_NOT_LOCALIZABLE',
      message: expect.stringContaining('second: it reduces height and width one after the other'),
    });
  });

  it.each(['nchw->nc', 'nchw,nchw->nc', 'nchw,ndhw->ncd'])('refuses the Einsum %s', async (equation) => {
    const inputs = equation.includes(',') ? ['x', 'x'] : ['x'];
    const attributes = { equation: { text: equation } };
    const sum = makeNode('Einsum', inputs, ['s'], { name: 'sum', attributes });
    const rest = [makeNode('ReduceMax', ['s'], ['gate'], { attributes: { keepdims: 0 } }), scaled];
    await expect(convertNodes(sum, ...rest)).rejects.toMatchObject({
      code: 'ERR_NOT_LOCALIZABLE',
      message: expect.stringContaining('sum: Einsum over height and width cannot be converted yet'),
    });
  });

  it('keeps a maximum global, and says so', async () => {
    const { report } = await convertNodes(
      makeNode('GlobalMaxPool', ['x'], ['gate'], { name: 'top' }),
      scaled,
    );
    expect(report).toMatchObject({
      sites: [],
      kept: [{ node: 'top', reason: expect.stringContaining('stays global') }],
    });
  });

  it('leaves reductions over channels, or over one side, alone', async () => {
    const node = [
      makeNode('ReduceMax', ['x'], ['a'], { attributes: { axes: [1] } }),
      makeNode('ReduceL2', ['x'], ['b'], { attributes: { axes: [1] } }),
      makeNode('ReduceMean', ['x'], ['c'], { attributes: { axes: [3] } }),
      makeNode('Add', ['a', 'b'], ['ab']),
      makeNode('Add', ['ab', 'c'], ['y']),
    ];
    const { report } = await convertNodes(...node);
    expect(report).toMatchObject({ sites: [], kept: [] });
  });
});
