import { create } from '@bufbuild/protobuf';
import { AttributeProto_AttributeType, AttributeProtoSchema } from 'onnx-buf';
import { describe, expect, it } from 'vitest';
import { carriedCases, exampleModel, otherCases } from '../../../../test/fixtures/index.js';
import { buildModel, floats, integers, valueInfo } from '../../test/build-model.js';
import type { Size } from '../size.js';
import { type FrozenSize, findFrozenSizes, sizesAskedOf } from './frozen-sizes.js';
import { Graph } from './graph.js';
import { withProbedModel } from './measure.js';
import { loadModel, type Model } from './model.js';
import { type AttributeValue, DataType, makeNode, type NodeProto } from './proto.js';
import { sampleTwice } from './two-sizes.js';

const open = 2 ** 31 - 1;

function frozenSizesOf(model: Model, size: Size): Promise<FrozenSize[]> {
  const questions = { valued: sizesAskedOf(model) };
  return withProbedModel(model, 'm', questions, async (probed) =>
    findFrozenSizes(new Graph(model.graph), await sampleTwice(probed, size)),
  );
}

/** Findings, one per line, of nodes between `x` and `y` that are traced at 64x64, as the training size is. */
async function find(node: readonly NodeProto[]) {
  const initializer = [
    integers('zero', [0]),
    integers('one', [1]),
    integers('two', [2]),
    integers('eight', [8]),
    integers('minus_one', [-1]),
    integers('half', [32]),
    integers('whole', [64]),
    integers('minus_half', [-32]),
    integers('beyond', [9]),
    integers('open', [open]),
    integers('axis_2', [2]),
    integers('axis_3', [3]),
    integers('last', [-1]),
    integers('height_width', [2, 3]),
    integers('zeros', [0, 0]),
    integers('ones', [1, 1]),
    integers('minus_ones', [-1, -1]),
    integers('plane', [1, 3, 64, 64]),
    integers('thumb', [1, 3, 16, 16]),
    integers('any_batch', [-1, 3, 64, 64]),
    integers('windows', [1, 3, -1, 8, 8, 8]),
    integers('flat', [0, 0, -1]),
    integers('rows', [1, 3, 4096]),
    integers('small_pads', [0, 0, 2, 2, 0, 0, 2, 2]),
    integers('wide_pads', [0, 0, 20, 20, 0, 0, 20, 20]),
    integers('wide', [20, 20]),
    integers('minus_wide', [-20, -20]),
    integers('uneven_pads', [0, 0, 0, 0, 0, 0, 1, 1]),
    integers('large_pads', [0, 0, 0, 0, 0, 0, 0, 20]),
    integers('repeats', [1, 1, 64, 64]),
    floats('scales', [4], [1, 1, 2, 2]),
    floats('kernel', [3, 3, 1, 1]),
  ];
  const model = buildModel({ node, initializer, input: [valueInfo('x', ['n', 3, 'h', 'w'])] });
  const found = await frozenSizesOf(model, [64, 64]);
  return found.map(({ node: name, reason }) => `${name} ${reason}`);
}

function slice(from: string, to: string, axes = 'axis_2', name = 'slice'): NodeProto[] {
  return [
    makeNode('Slice', ['x', from, to, axes], ['s'], { name }),
    makeNode('Conv', ['s', 'kernel'], ['y']),
  ];
}

function one(op: string, inputs: readonly string[], attributes: Record<string, AttributeValue> = {}) {
  return [makeNode(op, inputs, ['y'], { name: op.toLowerCase(), attributes })];
}

/** The pooled input at the size of the plane, made by `op` of a constant, times the input. */
function filled(op: string, size: string): NodeProto[] {
  return [
    makeNode('ReduceMean', ['x'], ['mean'], { attributes: { axes: [2, 3] } }),
    makeNode(op, ['mean', size], ['map'], { name: op.toLowerCase() }),
    makeNode('Mul', ['x', 'map'], ['y'], { name: 'product' }),
  ];
}

function constantOfShape(size: string): NodeProto[] {
  const make = makeNode('ConstantOfShape', [size], ['map'], { name: 'make' });
  const t = floats('', [1], [0.5]);
  make.attribute.push(
    create(AttributeProtoSchema, { name: 'value', type: AttributeProto_AttributeType.TENSOR, t }),
  );
  return [make, makeNode('Add', ['x', 'map'], ['y'], { name: 'sum' })];
}

describe('findFrozenSizes', () => {
  it.each<[string, NodeProto[], string]>([
    ['an upper half', slice('zero', 'half'), 'slice always takes 32 along axis 2'],
    ['a lower half', slice('half', 'open'), 'slice always leaves out 32 along axis 2'],
    ['a right half from the end', slice('minus_half', 'open', 'last'), 'slice always takes 32 along axis -1'],
    [
      'all but a right half',
      slice('zero', 'minus_half', 'axis_3'),
      'slice always leaves out 32 along axis 3',
    ],
    ['a crop to the traced size', slice('zero', 'whole'), 'slice always takes 64 along axis 2'],
    [
      'a reshape to the traced plane',
      [makeNode('Reshape', ['x', 'flat'], ['f']), ...one('Reshape', ['f', 'any_batch'])],
      'reshape always gives planes of 64x64',
    ],
    [
      'a reshape of a plane to the traced one',
      one('Reshape', ['x', 'any_batch']),
      'reshape always gives planes of 64x64',
    ],
    ['a reshape that fails', one('Reshape', ['x', 'rows']), 'reshape cannot run on an image of '],
    ['a resize to the traced size', one('Resize', ['x', '', '', 'plane']), 'resize always resizes to 64x64'],
    ['a resize to a thumbnail', one('Resize', ['x', '', '', 'thumb']), 'resize always resizes to 16x16'],
    ['an expansion', filled('Expand', 'plane'), 'expand always makes planes of 64x64'],
    ['a tiling', filled('Tile', 'repeats'), 'tile always makes planes of 64x64'],
    ['a constant plane', constantOfShape('plane'), 'make always makes planes of 64x64'],
    ['a padding to a multiple', one('Pad', ['x', 'large_pads']), 'pad always pads axis 3'],
    [
      'a pool over the plane',
      one('AveragePool', ['x'], { kernel_shape: [64, 64] }),
      'averagepool averages 64x64, the whole plane',
    ],
  ])('finds %s', async (_, node, message) => {
    expect((await find(node)).join('\n')).toContain(message);
  });

  it.each<[string, NodeProto[]]>([
    ['a border cut off', slice('ones', 'minus_ones', 'height_width')],
    [
      'a wide border put on and cut off',
      [
        makeNode('Pad', ['x', 'wide_pads'], ['padded']),
        makeNode('Slice', ['padded', 'wide', 'minus_wide', 'height_width'], ['y']),
      ],
    ],
    ['an open end', slice('zero', 'open')],
    ['the first rows, for a border of its own', slice('zero', 'eight')],
    ['the last row', slice('minus_one', 'open')],
    [
      'a slice of channels',
      slice('zero', 'two', 'one')
        .slice(0, 1)
        .concat(one('Relu', ['s'])),
    ],
    ['an end beyond the channels', slice('zero', 'beyond', 'one')],
    [
      'a slice of a shape',
      [
        makeNode('Shape', ['x'], ['shape']),
        makeNode('Slice', ['shape', 'two', 'open', 'zero'], ['hw']),
        ...one('Cast', ['hw'], { to: DataType.FLOAT }),
      ],
    ],
    [
      'a half that is computed',
      [
        makeNode('Shape', ['x'], ['shape']),
        makeNode('Gather', ['shape', 'axis_2'], ['side']),
        makeNode('Div', ['side', 'two'], ['to']),
        ...slice('zero', 'to'),
      ],
    ],
    ['a flattened plane', one('Reshape', ['x', 'flat'])],
    ['windows of fixed size', one('Reshape', ['x', 'windows'])],
    ['a resize by a factor', one('Resize', ['x', '', 'scales'])],
    ['an expansion to what it meets', [makeNode('Shape', ['x'], ['shape']), ...filled('Expand', 'shape')]],
    ['a constant map that meets nothing', [...constantOfShape('thumb').slice(0, 1), ...one('Relu', ['map'])]],
    ['a small padding on all sides', one('Pad', ['x', 'small_pads'])],
    ['a small padding on two sides', one('Pad', ['x', 'uneven_pads'])],
    ['a pool of windows', one('AveragePool', ['x'], { kernel_shape: [8, 8], strides: [8, 8] })],
    [
      'a pool of the last four pixels',
      [
        makeNode('AveragePool', ['x'], ['p'], { attributes: { kernel_shape: [16, 16], strides: [16, 16] } }),
        ...one('AveragePool', ['p'], { kernel_shape: [4, 4] }),
      ],
    ],
  ])('finds nothing in %s', async (_, node) => {
    expect(await find(node)).toEqual([]);
  });

  it('finds what is wrong ahead of what fails', async () => {
    const found = await find(filled('Expand', 'plane'));
    expect(found).toEqual([
      'expand always makes planes of 64x64',
      expect.stringMatching(/^product cannot run on an image of 48x32: /),
    ]);
  });

  it('names nodes that have no name', async () => {
    const [first, second] = slice('zero', 'half', 'axis_2', '');
    expect(await find([first as NodeProto, second as NodeProto])).toEqual([
      expect.stringMatching(/^Slice \(computes s\) always takes 32/),
    ]);
    expect(await find([makeNode('Reshape', ['x', 'rows'], ['y'])])).toEqual([
      expect.stringMatching(/^Reshape \(computes y\) cannot run/),
    ]);
  });

  it('compares with a larger size where a smaller one will not do', async () => {
    // The plane must be a multiple of 64 to be shuffled.
    const shuffle = [makeNode('SpaceToDepth', ['x'], ['y'], { attributes: { blocksize: 64 } })];
    expect(await find(shuffle)).toEqual([]);
  });

  it.each(['unet', 'unet_in', 'unet_se'])('finds nothing in the example %s', async (name) => {
    const { model } = await loadModel(exampleModel(name));
    expect(await frozenSizesOf(model, [64, 64])).toEqual([]);
  });

  it.each([...carriedCases, ...otherCases])('finds nothing in $name', async (published) => {
    const { model } = await loadModel(published.model);
    expect(await frozenSizesOf(model, published.train_size)).toEqual([]);
  });
});
