// Models in which the statistics lie in functions or branches, as PyTorch's dynamo exporter writes them.
import { create } from '@bufbuild/protobuf';
import { AttributeProto_AttributeType, AttributeProtoSchema, TensorProtoSchema } from 'onnx-buf';
import type { Tensor } from 'onnxruntime-common';
import { describe, expect, it } from 'vitest';
import {
  buildFunction,
  buildModel,
  choose,
  floats,
  type GraphParts,
  image,
  valueInfo,
  withFunctions,
} from '../../test/build-model.js';
import { convert } from '../../test/convert.js';
import { largestDifference, localInstanceNorm, noise, windowMeans } from '../../test/reference.js';
import { convert as convertModel } from '../convert.js';
import { decodeModel, encodeModel } from '../graph/model.js';
import { DataType, type FunctionProto, makeNode, type NodeProto, type TensorProto } from '../graph/proto.js';
import { inspect } from '../inspect.js';
import { InferenceSession } from '../session/inference-session.js';
import { verify } from '../verify.js';

const lib = 'pkg.onnxscript.torch_lib';
const common = 'pkg.onnxscript.torch_lib.common';
const torch = 'pkg.torch.2.3.0';
const opset = 18;
const call = (domain: string, name: string, input: string[], output: string[], label = '', attributes = {}) =>
  makeNode(name, input, output, { domain, name: label, attributes });

/** A function of torch_lib, written in opset 18. */
const aten = (
  name: string,
  input: string[],
  output: string,
  node: NodeProto[],
  parts: { attribute?: string[]; defaults?: Record<string, number | { float: number }> } = {},
) =>
  buildFunction(name, {
    domain: lib,
    input,
    output: [output],
    node,
    imports: { '': opset, [common]: 1 },
    ...parts,
  });

const isScalar = buildFunction('IsScalar', {
  domain: common,
  input: ['input'],
  output: ['return_val'],
  imports: { '': opset },
  node: [
    makeNode('Shape', ['input'], ['tmp'], { name: 'n0' }),
    makeNode('Size', ['tmp'], ['tmp_0'], { name: 'n1' }),
    makeNode('Constant', [], ['tmp_1'], { name: 'n2', attributes: { value_int: 0 } }),
    makeNode('Equal', ['tmp_0', 'tmp_1'], ['return_val'], { name: 'n3' }),
  ],
});

/** As onnxscript writes them: with questions for scalars, and If where Python had one. */
const library: readonly FunctionProto[] = [
  isScalar,
  aten(
    'aten_mean_dim',
    ['self', 'dim'],
    'result_9',
    [
      call(common, 'IsScalar', ['self'], ['cond'], 'n0'),
      choose(
        'cond',
        'result_9',
        {
          whenTrue: [makeNode('Identity', ['self'], ['result'], { name: 'n0' })],
          whenFalse: [
            call(common, 'IsScalar', ['dim'], ['cond_0'], 'n0'),
            choose(
              'cond_0',
              'dim_5',
              {
                whenTrue: [
                  makeNode('Constant', [], ['one'], { attributes: { value_ints: [-1] } }),
                  makeNode('Reshape', ['dim', 'one'], ['dim_3']),
                ],
                whenFalse: [makeNode('Identity', ['dim'], ['dim_4'])],
              },
              'n1',
            ),
            makeNode('ReduceMean', ['self', 'dim_5'], ['result_8'], {
              name: 'n2',
              attributes: { keepdims: { reference: 'keepdim', type: 'int' } },
            }),
          ],
        },
        'n1',
      ),
    ],
    { attribute: ['keepdim'] },
  ),
  aten('aten_view', ['self', 'size'], 'return_val', [
    makeNode('Cast', ['size'], ['size_0'], { name: 'n0', attributes: { to: DataType.INT64 } }),
    makeNode('Reshape', ['self', 'size_0'], ['return_val'], { name: 'n1' }),
  ]),
  aten('aten_t', ['self'], 'result_1', [
    makeNode('Shape', ['self'], ['shape'], { name: 'n0' }),
    makeNode('Size', ['shape'], ['rank'], { name: 'n1' }),
    makeNode('Constant', [], ['two'], { name: 'n2', attributes: { value_int: 2 } }),
    makeNode('Equal', ['rank', 'two'], ['cond'], { name: 'n3' }),
    choose(
      'cond',
      'result_1',
      {
        whenTrue: [makeNode('Transpose', ['self'], ['result'], { attributes: { perm: [1, 0] } })],
        whenFalse: [makeNode('Identity', ['self'], ['result_0'])],
      },
      'n4',
    ),
  ]),
  aten(
    'aten_addmm',
    ['self', 'mat1', 'mat2'],
    'return_val',
    [
      makeNode('Gemm', ['mat1', 'mat2', 'self'], ['return_val'], {
        name: 'n0',
        attributes: {
          alpha: { reference: 'alpha', type: 'float' },
          beta: { reference: 'beta', type: 'float' },
        },
      }),
    ],
    { defaults: { alpha: { float: 1 }, beta: { float: 1 } } },
  ),
  aten('aten_relu', ['self'], 'r', [makeNode('Relu', ['self'], ['r'], { name: 'n0' })]),
  aten('aten_sigmoid', ['self'], 'r', [makeNode('Sigmoid', ['self'], ['r'], { name: 'n0' })]),
  aten('aten_mul', ['self', 'other'], 'r', [makeNode('Mul', ['self', 'other'], ['r'], { name: 'n0' })]),
  aten('aten_convolution', ['x', 'w', 'b', 'transposed'], 'r', [
    makeNode('Shape', ['x'], ['s']),
    makeNode('Size', ['s'], ['rank']),
    makeNode('Shape', ['w'], ['s_1']),
    makeNode('Size', ['s_1'], ['rank_1']),
    makeNode('Equal', ['rank', 'rank_1'], ['same']),
    makeNode('Not', ['same'], ['no_batch']),
    makeNode('Constant', [], ['zero'], { attributes: { value_ints: [0] } }),
    choose(
      'no_batch',
      'x_2',
      {
        whenTrue: [makeNode('Unsqueeze', ['x', 'zero'], ['x_0'])],
        whenFalse: [makeNode('Identity', ['x'], ['x_1'])],
      },
      'n6',
    ),
    choose(
      'transposed',
      'r_2',
      {
        whenTrue: [makeNode('ConvTranspose', ['x_2', 'w', 'b'], ['r_0'])],
        whenFalse: [makeNode('Conv', ['x_2', 'w', 'b'], ['r_1'], { attributes: { pads: [1, 1, 1, 1] } })],
      },
      'n7',
    ),
    choose(
      'no_batch',
      'r',
      {
        whenTrue: [makeNode('Squeeze', ['r_2', 'zero'], ['r_3'])],
        whenFalse: [makeNode('Identity', ['r_2'], ['r_4'])],
      },
      'n8',
    ),
  ]),
];

/** Squeeze and excitation with Linear layers: a module, a function that calls functions. */
const squeezeExcite = buildFunction('SE_1', {
  domain: torch,
  input: ['x', 'fc1.weight', 'fc1.bias', 'fc2.weight', 'fc2.bias'],
  output: ['mul'],
  imports: { '': opset, [lib]: 1 },
  node: [
    makeNode('Constant', [], ['_val_5'], { name: 'Constant_5', attributes: { value_ints: [-1, -2] } }),
    call(lib, 'aten_mean_dim', ['x', '_val_5'], ['mean'], 'aten_mean_dim_6', { keepdim: 1 }),
    makeNode('Constant', [], ['_val_7'], { name: 'Constant_7', attributes: { value_ints: [-1, 3] } }),
    call(lib, 'aten_view', ['mean', '_val_7'], ['view'], 'aten_view_8'),
    call(lib, 'aten_t', ['fc1.weight'], ['t'], 'aten_t_9'),
    call(lib, 'aten_addmm', ['fc1.bias', 'view', 't'], ['addmm'], 'aten_addmm_10', {
      alpha: { float: 1 },
      beta: { float: 1 },
    }),
    call(lib, 'aten_relu', ['addmm'], ['relu'], 'aten_relu_11'),
    call(lib, 'aten_t', ['fc2.weight'], ['t_1'], 'aten_t_12'),
    // The factors are left to their defaults.
    call(lib, 'aten_addmm', ['fc2.bias', 'relu', 't_1'], ['addmm_1'], 'aten_addmm_13'),
    call(lib, 'aten_sigmoid', ['addmm_1'], ['sigmoid'], 'aten_sigmoid_14'),
    makeNode('Constant', [], ['_val_17'], { name: 'Constant_17', attributes: { value_ints: [-1, 3, 1, 1] } }),
    call(lib, 'aten_view', ['sigmoid', '_val_17'], ['view_1'], 'aten_view_18'),
    call(lib, 'aten_mul', ['x', 'view_1'], ['mul'], 'aten_mul_19'),
  ],
});

const seWeights = [
  floats('se.fc1.weight', [2, 3]),
  floats('se.fc1.bias', [2]),
  floats('se.fc2.weight', [3, 2]),
  floats('se.fc2.bias', [3]),
];
const seInputs = seWeights.map(({ name }) => name);
const no = create(TensorProtoSchema, { name: 'no', dataType: DataType.BOOL, int32Data: [0] });

/** A convolution, squeeze and excitation, a convolution: three levels of functions. */
function dynamoModel() {
  const block = buildFunction('Block_1', {
    domain: torch,
    input: ['x', 'w', 'b', ...seInputs],
    output: ['conv', 'se'],
    imports: { [lib]: 1, [torch]: 1, '': opset },
    node: [
      makeNode('Constant', [], ['off'], { name: 'Constant_0' }),
      call(lib, 'aten_convolution', ['x', 'w', 'b', 'off'], ['conv'], 'conv_0'),
      call(torch, 'SE_1', ['conv', ...seInputs], ['se'], 'se_1'),
    ],
  });
  block.node[0]?.attribute.push(
    create(AttributeProtoSchema, { name: 'value', type: AttributeProto_AttributeType.TENSOR, t: no }),
  );
  const parts: GraphParts = {
    node: [call(torch, 'Block_1', ['x', 'conv.w', 'conv.b', ...seInputs], ['conv', 'y'], 'Block_1_0')],
    initializer: [floats('conv.w', [3, 3, 3, 3]), floats('conv.b', [3]), ...seWeights],
    output: [valueInfo('conv', image), valueInfo('y', image)],
  };
  return withFunctions(buildModel(parts, { opset }), [...library, squeezeExcite, block]);
}

const sigmoid = (value: number) => 1 / (1 + Math.exp(-value));

/** Squeeze and excitation by the weights above, each pixel by the mean of its window. */
function expectedExcitation(x: Tensor, window: readonly [number, number]): Float64Array {
  const means = windowMeans(x, window);
  const [, , height = 0, width = 0] = x.dims;
  const area = height * width;
  const [w1, b1, w2, b2] = seWeights.map(({ floatData }) => floatData) as [
    number[],
    number[],
    number[],
    number[],
  ];
  return Float64Array.from(x.data as Float32Array, (value, i) => {
    const [batch, channel, pixel] = [Math.floor(i / area / 3), Math.floor(i / area) % 3, i % area];
    const at = (c: number) => means[(batch * 3 + c) * area + pixel] as number;
    const hidden = [0, 1].map((row) =>
      Math.max(
        0,
        [0, 1, 2].reduce((sum, c) => sum + (w1[row * 3 + c] as number) * at(c), b1[row] as number),
      ),
    );
    const gate = hidden.reduce(
      (sum, one, j) => sum + one * (w2[channel * 2 + j] as number),
      b2[channel] as number,
    );
    return value * sigmoid(gate);
  });
}

async function run(model: Uint8Array, x: Tensor, operators: 'native' | 'portable') {
  const session = await InferenceSession.create(model, { operators });
  const outputs = await session.run({ x });
  await session.release();
  return outputs;
}

const opTypes = (bytes: Uint8Array) => decodeModel(bytes, 'it').graph.node.map(({ opType }) => opType);

describe('statistics in functions', () => {
  it('become local in a network as the dynamo exporter writes it', async () => {
    const { model, report } = await convert(encodeModel(dynamoModel()), { trainSize: 8 });
    expect(report.sites).toMatchObject([
      {
        node: 'Block_1_0/se_1/aten_mean_dim_6/n2',
        operator: 'LocalAveragePool',
        window: [12, 12],
        validLayers: 4,
      },
    ]);
    // Of the questions for scalars nothing is left but the values that they handed on.
    expect(opTypes(model)).toEqual([
      'Identity',
      'Conv',
      'Identity',
      'LocalAveragePool',
      'Conv',
      'Relu',
      'Conv',
      'Sigmoid',
      'ReplicateScale',
    ]);
    const { functions, opsetImport } = decodeModel(model, 'it');
    expect(functions.map(({ name }) => name).sort()).toEqual(['LocalAveragePool', 'ReplicateScale']);
    expect(opsetImport.map(({ domain }) => domain)).toEqual(['', 'tlsc']);
    for (const operators of ['native', 'portable'] as const) {
      const { conv, y } = await run(model, noise([2, 3, 23, 17]), operators);
      const expected = expectedExcitation(conv as Tensor, [12, 12]);
      expect(largestDifference(y?.data as Float32Array, expected)).toBeLessThan(1e-5);
    }
  });

  it('become local where the model and notes in its functions are for images of one size', async () => {
    const fixed = dynamoModel();
    fixed.graph.input = [valueInfo('x', [1, 3, 16, 16])];
    fixed.graph.output = ['conv', 'y'].map((name) => valueInfo(name, [1, 3, 16, 16]));
    const excite = fixed.functions.find(({ name }) => name === 'SE_1');
    excite?.valueInfo.push(valueInfo('mean', [1, 3, 1, 1]), valueInfo('view', [1, 3]));
    const bytes = encodeModel(fixed);
    // That sizes become free is a change that the tests' own convert does not know.
    const { model } = await convertModel(bytes, { trainSize: 16 });
    expect(await verify(bytes, model, { fullSize: [29, 41] })).toMatchObject({ passed: true });
    const { conv, y } = await run(model, noise([1, 3, 29, 41]), 'native');
    const expected = expectedExcitation(conv as Tensor, [24, 24]);
    expect(largestDifference(y?.data as Float32Array, expected)).toBeLessThan(1e-5);
  });

  it('go by the same names in inspect, and can be left global', async () => {
    const bytes = encodeModel(dynamoModel());
    const name = 'Block_1_0/se_1/aten_mean_dim_6/n2';
    const inspection = await inspect(bytes, { trainSize: 8, explain: name });
    expect(inspection.statistics).toMatchObject([{ node: name, operator: 'LocalAveragePool' }]);
    expect(inspection.explanation?.verdicts).toContainEqual(expect.objectContaining({ outcome: 'converts' }));
    const { model, report } = await convert(bytes, { trainSize: 8, exclude: ['*/aten_mean_dim_6/*'] });
    expect(report.kept).toMatchObject([{ node: name }]);
    expect(Buffer.compare(model, bytes)).toBe(0);
  });

  it('pass the check of verify, which knows their epsilons', async () => {
    const bytes = encodeModel(normModel());
    const { model } = await convert(bytes, { trainSize: 16 });
    expect(await verify(bytes, model, { fullSize: false })).toMatchObject({
      passed: true,
      wrongEpsilons: [],
    });
    const wrong = decodeModel(model, 'it');
    const norm = wrong.graph.node.find(({ opType }) => opType === 'LocalInstanceNormalization');
    for (const entry of norm?.attribute ?? []) if (entry.name === 'epsilon') entry.f = 0.5;
    const { wrongEpsilons } = await verify(bytes, encodeModel(wrong), { fullSize: false });
    expect(wrongEpsilons).toEqual(['first/norm']);
  });

  it('become local at every call, each with its attributes', async () => {
    const { model, report } = await convert(encodeModel(normModel()), { trainSize: 8 });
    expect(report.sites.map(({ node }) => node)).toEqual(['first/norm', 'second/norm']);
    const x = noise([2, 3, 23, 17]);
    for (const operators of ['native', 'portable'] as const) {
      const { once, y } = await run(model, x, operators);
      const expected = localInstanceNorm(x, [1, 2, 3], [0, 1, 2], [12, 12], 0.1);
      expect(largestDifference(once?.data as Float32Array, expected)).toBeLessThan(1e-5);
      const again = localInstanceNorm(once as Tensor, [1, 2, 3], [0, 1, 2], [12, 12], 0.001);
      expect(largestDifference(y?.data as Float32Array, again)).toBeLessThan(1e-5);
    }
  });

  it('are no reason to inline functions of a model without them', async () => {
    const twice = buildFunction('Twice', {
      input: ['a'],
      output: ['b'],
      node: [makeNode('Add', ['a', 'a'], ['b'])],
    });
    const node = [
      makeNode('GlobalAveragePool', ['x'], ['p']),
      makeNode('Mul', ['x', 'p'], ['m']),
      call('own', 'Twice', ['m'], ['y']),
    ];
    const { model } = await convert(encodeModel(withFunctions(buildModel({ node }), [twice])), {
      trainSize: 8,
    });
    expect(opTypes(model)).toEqual(['LocalAveragePool', 'ReplicateScale', 'Twice']);
  });

  it('are refused where the function is written in another opset', async () => {
    const pool = buildFunction('Pool', {
      input: ['a'],
      output: ['b'],
      node: [makeNode('GlobalAveragePool', ['a'], ['b'], { name: 'pool' })],
      imports: { '': 16 },
    });
    const node = [call('own', 'Pool', ['x'], ['p'], 'squeeze'), makeNode('Mul', ['x', 'p'], ['y'])];
    const bytes = encodeModel(withFunctions(buildModel({ node }), [pool]));
    const message =
      'function Pool of the model is written in opset 16, and what calls it in 17: it cannot be inlined';
    await expect(convert(bytes, { trainSize: 8 })).rejects.toMatchObject({
      code: 'ERR_UNSUPPORTED_MODEL',
      message,
    });
    const { statistics } = await inspect(bytes);
    expect(statistics).toMatchObject([{ node: 'pool', operator: undefined, reason: message }]);
  });

  it('are refused where functions call each other in circles', async () => {
    const [even, odd] = ['Even', 'Odd'].map((name, i) =>
      buildFunction(name, {
        input: ['a'],
        output: ['b'],
        imports: { '': 17, own: 1 },
        node: [
          makeNode('GlobalAveragePool', ['a'], ['p']),
          makeNode('Mul', ['a', 'p'], ['c']),
          call('own', ['Odd', 'Even'][i] ?? '', ['c'], ['b']),
        ],
      }),
    ) as [FunctionProto, FunctionProto];
    const bytes = encodeModel(
      withFunctions(buildModel({ node: [call('own', 'Even', ['x'], ['y'])] }), [even, odd]),
    );
    await expect(convert(bytes, { trainSize: 8 })).rejects.toMatchObject({
      code: 'ERR_INVALID_MODEL',
      message: expect.stringMatching(/a function that calls itself, (Even|Odd)/),
    });
  });

  it('are refused where functions multiply without end', async () => {
    const doubling = Array.from({ length: 40 }, (_, i) =>
      buildFunction(`F${i}`, {
        input: ['a'],
        output: ['b'],
        imports: { '': 17, own: 1 },
        node: [call('own', `F${i + 1}`, ['a'], ['t']), call('own', `F${i + 1}`, ['t'], ['b'])],
      }),
    );
    const last = buildFunction('F40', { input: ['a'], output: ['b'], node: [makeNode('Neg', ['a'], ['b'])] });
    const bytes = encodeModel(
      withFunctions(buildModel({ node: [call('own', 'F0', ['x'], ['y'])] }), [...doubling, last]),
    );
    await expect(convert(bytes, { trainSize: 8 })).rejects.toMatchObject({
      code: 'ERR_UNSUPPORTED_MODEL',
      message: expect.stringContaining('functions that stand for more than'),
    });
  });

  it('are refused where functions are nested without end', async () => {
    const depth = 30_000;
    const nested = Array.from({ length: depth }, (_, i) =>
      buildFunction(`F${i}`, {
        input: ['a'],
        output: ['b'],
        imports: { '': 17, own: 1 },
        node: [
          i + 1 < depth
            ? call('own', `F${i + 1}`, ['a'], ['b'])
            : makeNode('GlobalAveragePool', ['a'], ['b'], { name: 'pool' }),
        ],
      }),
    );
    const bytes = encodeModel(withFunctions(buildModel({ node: [call('own', 'F0', ['x'], ['y'])] }), nested));
    await expect(convert(bytes, { trainSize: 8 })).rejects.toMatchObject({
      code: 'ERR_UNSUPPORTED_MODEL',
      message: expect.stringContaining('functions in more than 200 functions'),
    });
  });
});

/** One function, called twice with another epsilon each. */
function normModel() {
  const norm = buildFunction('Norm', {
    input: ['a', 's', 'b'],
    output: ['c'],
    attribute: ['eps'],
    node: [
      makeNode('InstanceNormalization', ['a', 's', 'b'], ['c'], {
        name: 'norm',
        attributes: { epsilon: { reference: 'eps', type: 'float' } },
      }),
    ],
  });
  const node = [
    call('own', 'Norm', ['x', 's', 'b'], ['once'], 'first', { eps: { float: 0.1 } }),
    call('own', 'Norm', ['once', 's', 'b'], ['y'], 'second', { eps: { float: 0.001 } }),
  ];
  const initializer = [floats('s', [3], [1, 2, 3]), floats('b', [3], [0, 1, 2])];
  const output = [valueInfo('once', image), valueInfo('y', image)];
  return withFunctions(buildModel({ node, initializer, output }), [norm]);
}

const yes = create(TensorProtoSchema, { name: 'yes', dataType: DataType.BOOL, int32Data: [1] });

describe('statistics in branches', () => {
  const gate = (name: string) => makeNode('GlobalAveragePool', ['x'], [name], { name: `pool_${name}` });
  const product = makeNode('Mul', ['x', 'gate'], ['y']);

  const conditions: Readonly<
    Record<string, readonly [string, readonly NodeProto[], readonly TensorProto[]]>
  > = {
    'an initializer': ['yes', [], [yes]],
    'an initializer behind Identity and Not': [
      'c',
      [makeNode('Not', ['no'], ['d']), makeNode('Identity', ['d'], ['c'])],
      [no],
    ],
    'an integer that is cast': [
      'c',
      [
        makeNode('Constant', [], ['one'], { attributes: { value_int: 1 } }),
        makeNode('Cast', ['one'], ['c'], { attributes: { to: DataType.BOOL } }),
      ],
      [],
    ],
    'a rank': [
      'c',
      [
        makeNode('Shape', ['x'], ['shape']),
        makeNode('Size', ['shape'], ['rank']),
        makeNode('Constant', [], ['four'], { attributes: { value_int: 4 } }),
        makeNode('Equal', ['rank', 'four'], ['c']),
      ],
      [],
    ],
  };

  it.each(Object.keys(conditions))('become local where the condition is %s', async (name) => {
    const [condition, nodes, initializer] = conditions[name] as (typeof conditions)[string];
    const branches = {
      whenTrue: [gate('p'), makeNode('Sigmoid', ['p'], ['s'])],
      whenFalse: [makeNode('GlobalMaxPool', ['x'], ['q'])],
    };
    const bytes = encodeModel(
      buildModel({ node: [...nodes, choose(condition, 'gate', branches), product], initializer }),
    );
    const { model, report } = await convert(bytes, { trainSize: 8 });
    expect(report.sites).toMatchObject([{ node: 'pool_p', validLayers: 1 }]);
    expect(opTypes(model)).toEqual(['LocalAveragePool', 'Sigmoid', 'ReplicateScale']);
    const x = noise([1, 3, 23, 17]);
    const means = windowMeans(x, [12, 12]);
    const expected = Float64Array.from(
      x.data as Float32Array,
      (value, i) => value * sigmoid(means[i] as number),
    );
    for (const operators of ['native', 'portable'] as const) {
      const { y } = await run(model, x, operators);
      expect(largestDifference(y?.data as Float32Array, expected)).toBeLessThan(1e-5);
    }
  });

  it('become local in the other branch, and behind another If', async () => {
    const inner = choose(
      'yes',
      'inner',
      { whenTrue: [gate('p')], whenFalse: [makeNode('GlobalMaxPool', ['x'], ['q'])] },
      'inner',
    );
    const outer = choose('no', 'gate', {
      whenTrue: [makeNode('GlobalMaxPool', ['x'], ['r'])],
      whenFalse: [inner],
    });
    const bytes = encodeModel(buildModel({ node: [outer, product], initializer: [yes, no] }));
    const { model, report } = await convert(bytes, { trainSize: 8 });
    expect(report.sites).toMatchObject([{ node: 'pool_p' }]);
    expect(decodeModel(model, 'it').graph.initializer).toEqual([]);
  });

  it('become local where the condition follows from itself twice at every step', async () => {
    const steps = Array.from({ length: 30 }, (_, i) => makeNode('And', [`c${i}`, `c${i}`], [`c${i + 1}`]));
    const branches = { whenTrue: [gate('p')], whenFalse: [makeNode('GlobalMaxPool', ['x'], ['q'])] };
    const first = makeNode('Identity', ['yes'], ['c0']);
    const bytes = encodeModel(
      buildModel({ node: [first, ...steps, choose('c30', 'gate', branches), product], initializer: [yes] }),
    );
    expect((await convert(bytes, { trainSize: 8 })).report.sites).toMatchObject([{ node: 'pool_p' }]);
  });

  it('are reported where it cannot be told what they are', async () => {
    const norm = makeNode('ReduceL2', ['x'], ['n'], { name: 'norm', attributes: { axes: [2, 3] } });
    const parts: GraphParts = {
      node: [
        choose('yes', 'gate', { whenTrue: [norm], whenFalse: [makeNode('Relu', ['x'], ['r'])] }),
        product,
      ],
      input: [valueInfo('x', image), valueInfo('yes', [], DataType.BOOL)],
    };
    const { report } = await convert(encodeModel(buildModel(parts)), { trainSize: 8 });
    expect(report).toMatchObject({
      sites: [],
      kept: [{ node: 'norm', reason: expect.stringMatching(/^it is inside choice \(If\): whether it is/) }],
    });
  });

  it('stay refused where the condition may be set', async () => {
    const branches = { whenTrue: [gate('p')], whenFalse: [makeNode('GlobalMaxPool', ['x'], ['q'])] };
    const parts: GraphParts = {
      node: [choose('yes', 'gate', branches), product],
      initializer: [yes],
      input: [valueInfo('x', image), valueInfo('yes', [], DataType.BOOL)],
    };
    const bytes = encodeModel(buildModel(parts));
    await expect(convert(bytes, { trainSize: 8 })).rejects.toMatchObject({
      code: 'ERR_NOT_LOCALIZABLE',
      message: expect.stringContaining('pool_p: it is inside choice (If)'),
    });
    expect((await convert(bytes, { trainSize: 8, exclude: ['pool_p'] })).report.kept).toMatchObject([
      { node: 'pool_p' },
      {
        node: 'GlobalMaxPool (computes q)',
        reason: expect.stringContaining('it is inside choice (If): whether it'),
      },
    ]);
  });

  it('are named by the call where a function is called in a branch', async () => {
    const pool = buildFunction('Pool', {
      input: ['a'],
      output: ['b'],
      node: [makeNode('GlobalAveragePool', ['a'], ['b'], { name: 'pool' })],
    });
    const branches = {
      whenTrue: [call('own', 'Pool', ['x'], ['p'], 'squeeze')],
      whenFalse: [makeNode('GlobalMaxPool', ['x'], ['q'])],
    };
    const parts: GraphParts = {
      node: [choose('c', 'gate', branches), product],
      input: [valueInfo('x', image), valueInfo('c', [], DataType.BOOL)],
    };
    const bytes = encodeModel(withFunctions(buildModel(parts), [pool]));
    await expect(convert(bytes, { trainSize: 8 })).rejects.toMatchObject({
      message: expect.stringContaining('squeeze/pool: it is inside choice (If)'),
    });
  });
});
