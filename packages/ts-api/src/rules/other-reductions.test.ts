import { describe, expect, it } from 'vitest';
import { buildBytes, floats, integers, valueInfo } from '../../test/build-model.js';
import { convert } from '../../test/convert.js';
import { makeNode, type NodeProto } from '../graph/proto.js';

const initializer = [integers('rows', [0, 0, -1]), integers('axes', [2, 3])];
const scaled = makeNode('Mul', ['x', 'gate'], ['y']);

function convertNodes(...node: readonly NodeProto[]) {
  return convert(buildBytes({ node, initializer }), { trainSize: 16 });
}

describe('other-reductions', () => {
  it.each(['ReduceLogSum', 'ReduceLogSumExp', 'ReduceProd'])('refuses %s over the plane', async (opType) => {
    const reduction = makeNode(opType, ['x'], ['gate'], { name: 'total', attributes: { axes: [-2, -1] } });
    await expect(convertNodes(reduction, scaled)).rejects.toMatchObject({
      code: 'ERR_NOT_LOCALIZABLE',
      message: expect.stringContaining(`total: ${opType} over height and width cannot be converted yet`),
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

  it('leaves reductions over channels alone', async () => {
    const node = [
      makeNode('ReduceMax', ['x'], ['a'], { attributes: { axes: [1] } }),
      makeNode('ReduceL2', ['x'], ['b'], { attributes: { axes: [1] } }),
      makeNode('Add', ['a', 'b'], ['y']),
    ];
    const { report } = await convertNodes(...node);
    expect(report).toMatchObject({ sites: [], kept: [] });
  });

  it('keeps a mean along one side global, and says so; not a maximum', async () => {
    const { report } = await convertNodes(
      makeNode('ReduceMean', ['x'], ['c'], { name: 'strip', attributes: { axes: [3] } }),
      makeNode('ReduceMax', ['x'], ['d'], { name: 'top', attributes: { axes: [2] } }),
      makeNode('Add', ['c', 'd'], ['y']),
    );
    expect(report).toMatchObject({
      sites: [],
      kept: [{ node: 'strip', reason: 'it goes along one side of the plane alone, it stays global' }],
    });
  });
});

const toLast = makeNode('Transpose', ['x'], ['last'], { attributes: { perm: [0, 2, 3, 1] } });
/** `tokens`, N × pixels × C, and `planes`, N × C × pixels. */
const laid = [
  makeNode('Reshape', ['x', 'rows'], ['planes']),
  makeNode('Transpose', ['planes'], ['tokens'], { attributes: { perm: [0, 2, 1] } }),
];
/** The channels last, laid as they are. */
const laidLast = [
  toLast,
  makeNode('Reshape', ['last', 'pixels'], ['tokens']),
  makeNode('Transpose', ['tokens'], ['planes'], { attributes: { perm: [0, 2, 1] } }),
];
const reducedTo = (from: string) => makeNode('ReduceMax', [from], ['top'], { attributes: { keepdims: 0 } });

/** Where the pixels lie elsewhere than in the last two of four axes. */
const elsewhere: Readonly<Record<string, readonly NodeProto[]>> = {
  'MatMul of rows that were laid with the channels last': [
    ...laidLast,
    makeNode('MatMul', ['planes', 'tokens'], ['s'], { name: 'sum' }),
  ],
  'MatMul with ones': [
    ...laid,
    makeNode('Shape', ['planes'], ['size']),
    makeNode('Slice', ['size', 'two', 'three'], ['count']),
    makeNode('ConstantOfShape', ['count'], ['zeros']),
    makeNode('Cos', ['zeros'], ['ones']),
    makeNode('MatMul', ['planes', 'ones'], ['s'], { name: 'sum' }),
  ],
  'Gemm of rows by rows': [
    ...laid,
    makeNode('Squeeze', ['planes', 'zero'], ['matrix']),
    makeNode('Gemm', ['matrix', 'matrix'], ['s'], { name: 'sum', attributes: { transB: 1 } }),
  ],
  'Gemm of columns by columns': [
    ...laid,
    makeNode('Squeeze', ['tokens', 'zero'], ['matrix']),
    makeNode('Gemm', ['matrix', 'matrix'], ['s'], { name: 'sum', attributes: { transA: 1 } }),
  ],
  'Einsum over rows': [
    ...laid,
    makeNode('Einsum', ['tokens', 'tokens'], ['s'], {
      name: 'sum',
      attributes: { equation: { text: '...nc,...nd->...cd' } },
    }),
  ],
  'Softmax over rows': [
    ...laid,
    makeNode('Softmax', ['planes'], ['s'], { name: 'sum', attributes: { axis: 2 } }),
  ],
  'attention of a few tokens to all pixels': [
    ...laid,
    makeNode('MatMul', ['few', 'planes'], ['scores']),
    makeNode('MatMul', ['scores', 'tokens'], ['s'], { name: 'sum' }),
  ],
};

describe('other-reductions, wherever the pixels lie,', () => {
  const constants = [
    ...initializer,
    integers('pixels', [0, -1, 3]),
    integers('zero', [0]),
    integers('two', [2]),
    integers('three', [3]),
    floats('few', [1, 2, 3]),
  ];
  const convertAt = (node: readonly NodeProto[], trainSize: number, opset = 17) =>
    convert(
      buildBytes(
        {
          node: [...node, reducedTo('s'), makeNode('Add', ['x', 'top'], ['y'])],
          initializer: constants,
          input: [valueInfo('x', [1, 3, 'height', 'width'])],
        },
        { opset },
      ),
      { trainSize },
    );

  // Sides of 64 are compared with smaller ones, those of 16 with larger ones.
  it.each(Object.keys(elsewhere).flatMap((name) => [16, 64].map((size) => [name, size] as const)))(
    'refuses %s at %d',
    async (name, size) => {
      await expect(convertAt(elsewhere[name] ?? [], size)).rejects.toMatchObject({
        code: 'ERR_NOT_LOCALIZABLE',
        message: expect.stringMatching(/sum: ([A-Z]\w+ over height and width|it sums over pixels)/),
      });
    },
  );

  it.each([
    [
      'with a step between',
      [
        makeNode('ReduceSum', ['x', 'three'], ['m'], { name: 'first' }),
        makeNode('Relu', ['m'], ['r']),
        makeNode('ReduceSum', ['r', 'two'], ['s'], { name: 'sum' }),
      ],
    ],
    [
      'by other operators',
      [
        makeNode('ReduceL2', ['x'], ['m'], { name: 'first', attributes: { axes: [3], keepdims: 0 } }),
        makeNode('ReduceMean', ['m'], ['s'], { name: 'sum', attributes: { axes: [2] } }),
      ],
    ],
  ] as const)('refuses what reduces one side after the other: %s', async (_, node) => {
    await expect(convertAt(node, 16)).rejects.toMatchObject({
      code: 'ERR_NOT_LOCALIZABLE',
      message: expect.stringContaining('sum: it reduces height and width one after the other, with first'),
    });
  });

  it.each(['bchw', 'hw...->...', 'bchw,xahw'])('refuses the Einsum %s', async (equation) => {
    const turned = equation.startsWith('hw');
    const inputs = Array(equation.split(',').length).fill(turned ? 'first' : 'x');
    const node = [
      ...(turned ? [makeNode('Transpose', ['x'], ['first'], { attributes: { perm: [2, 3, 0, 1] } })] : []),
      makeNode('Einsum', [...inputs], ['s'], { name: 'sum', attributes: { equation: { text: equation } } }),
    ];
    const conversion = convertAt(node, 16);
    // Without a result and without a letter that comes twice nothing is summed.
    if (equation === 'bchw') expect((await conversion).report.sites).toEqual([]);
    else
      await expect(conversion).rejects.toMatchObject({
        message: expect.stringContaining('sum: Einsum over height and width'),
      });
  });

  it('refuses convolution with what grows with the image', async () => {
    const node = [makeNode('Conv', ['x', 'x'], ['s'], { name: 'sum' })];
    await expect(convertAt(node, 16)).rejects.toMatchObject({
      message: expect.stringContaining('sum: Conv over height and width'),
    });
  });

  it('reports what searches a plane', async () => {
    const node = [
      ...laid,
      makeNode('ArgMax', ['planes'], ['place'], { name: 'search', attributes: { axis: 2 } }),
      makeNode('Cast', ['place'], ['s'], { attributes: { to: 1 } }),
    ];
    expect((await convertAt(node, 16)).report.kept).toMatchObject([{ node: 'search' }]);
  });

  it('refuses a softmax of all axes from one on, below opset 13', async () => {
    const node = [makeNode('Softmax', ['x'], ['s'], { name: 'sum' })];
    await expect(convertAt(node, 16, 12)).rejects.toMatchObject({
      message: expect.stringContaining('sum: Softmax over height and width'),
    });
    expect((await convertAt(node, 16, 17)).report.kept).toMatchObject([{ node: 'ReduceMax (computes top)' }]);
  });
});
