// All that may lie between a mean and the images that it is combined with, in whatever layout.
import { create } from '@bufbuild/protobuf';
import { TensorProtoSchema } from 'onnx-buf';
import { describe, expect, it } from 'vitest';
import { buildBytes, floats, type GraphParts, integers, valueInfo } from '../../test/build-model.js';
import { convert } from '../../test/convert.js';
import { noise } from '../../test/reference.js';
import { expectLikeWindows } from '../../test/window-crops.js';
import { DataType, makeNode, type NodeProto } from '../graph/proto.js';
import { floatsOf, toImageTensor } from '../session/image-tensors.js';
import { InferenceSession } from '../session/inference-session.js';
import type { Size } from '../size.js';

type Attributes = NonNullable<Parameters<typeof makeNode>[3]>['attributes'];

function op(opType: string, input: string, output: string, attributes: Attributes = {}): NodeProto {
  return makeNode(opType, input.split(' '), output.split(' '), { name: `${opType}_${output}`, attributes });
}

const pool = op('GlobalAveragePool', 'x', 'm');
const scaled = op('Mul', 'x gate', 'y');
const toLast = op('Transpose', 'x', 'last', { perm: [0, 2, 3, 1] });
const fromLast = op('Transpose', 'z', 'y', { perm: [0, 3, 1, 2] });
const flat = op('Flatten', 'm', 'f');
const back = op('Reshape', 'g image', 'gate');
/** `tokens`, N × pixels × C, and back to the image `y` from `z`, like it. */
const tokens = [op('Reshape', 'x rows', 'planes'), op('Transpose', 'planes', 'tokens', { perm: [0, 2, 1] })];
const fromTokens = [
  op('Transpose', 'z', 'zt', { perm: [0, 2, 1] }),
  op('Shape', 'x', 'shape'),
  op('Reshape', 'zt shape', 'y'),
];
/** The number of pixels, as a float. */
const pixels = [
  op('Shape', 'x', 's'),
  op('Gather', 's i2', 'h', { axis: 0 }),
  op('Gather', 's i3', 'w', { axis: 0 }),
  op('Mul', 'h w', 'hw'),
  op('Cast', 'hw', 'n', { to: DataType.FLOAT }),
];

/** The variance `v` of planes, and the mean `m` that was taken off for it. */
const centred = [
  op('ReduceMean', 'x', 'm', { axes: [2, 3] }),
  op('Sub', 'x m', 'c0'),
  op('Mul', 'c0 c0', 's'),
  op('ReduceMean', 's', 'v', { axes: [2, 3] }),
];

const constants = [
  integers('rows', [0, 4, -1]),
  integers('image', [0, 4, 1, 1]),
  integers('last_image', [-1, 1, 1, 4]),
  integers('branches', [0, 2, 4, 1, 1]),
  integers('pairs', [0, 2, 2]),
  integers('row', [-1]),
  integers('all', [0, 1, 2, 3]),
  integers('some', [2, 0]),
  integers('one', [1]),
  integers('two', [2]),
  integers('three', [3]),
  integers('four', [4]),
  integers('minus', [-1]),
  integers('i2', [2]),
  integers('i3', [3]),
  integers('plane_axes', [2, 3]),
  integers('last_axes', [1, 2]),
  integers('halves', [2, 2]),
  integers('four_once', [1, 4, 1, 1]),
  integers('repeats', [1, 4, 1, 1]),
  floats('c', [4, 4, 1, 1]),
  floats('c2', [8, 4, 1, 1]),
  floats('c8', [4, 8, 1, 1]),
  floats('k3', [1, 1, 3]),
  floats('k3x1', [1, 1, 3, 1]),
  floats('c1d', [4, 4, 1]),
  floats('d', [4, 4]),
  floats('d2', [2, 2]),
  floats('b', [4], [0.5, -0.25, 0.75, 0.1]),
  floats('b1', [1, 4], [0.5, -0.25, 0.75, 0.1]),
  floats('ones', [4], [1, 1, 1, 1]),
  floats('zero', [], [0]),
  floats('number', [1], [0.5]),
  floats('mean4', [4], [0.1, 0.2, 0.3, 0.4]),
  floats('var4', [4], [1, 2, 3, 4]),
  floats('scale4', [1, 4, 1, 1], [0.5, 1, 1.5, 2]),
];

interface Form {
  readonly node: readonly NodeProto[];
  readonly opset?: number;
}

const forms: Readonly<Record<string, Form>> = {
  'a mean over channels, height and width': {
    node: [op('ReduceMean', 'x', 'm', { axes: [1, 2, 3] }), op('Mul', 'x m', 'y')],
  },
  'a mean over everything': { node: [op('ReduceMean', 'x', 'm', { keepdims: 0 }), op('Add', 'x m', 'y')] },
  'a mean of rank 3': {
    node: [
      op('Squeeze', 'x zero_axis', 'chw'),
      op('ReduceMean', 'chw', 'm', { axes: [1, 2] }),
      op('Mul', 'chw m', 'z'),
      op('Unsqueeze', 'z zero_axis', 'y'),
    ],
  },
  'a mean where channels come last': {
    node: [toLast, op('ReduceMean', 'last', 'm', { axes: [1, 2] }), op('Mul', 'last m', 'z'), fromLast],
  },
  'Dense layers where channels come last': {
    node: [
      toLast,
      op('ReduceMean', 'last', 'm', { axes: [1, 2], keepdims: 0 }),
      op('MatMul', 'm d', 'a'),
      op('Add', 'a b', 'e'),
      op('Sigmoid', 'e', 'g'),
      op('Reshape', 'g last_image', 'gate'),
      op('Mul', 'last gate', 'z'),
      fromLast,
    ],
  },
  'Dense layers on a mean that keeps its axes': {
    node: [
      toLast,
      op('ReduceMean', 'last', 'm', { axes: [1, 2] }),
      op('MatMul', 'm d', 'a'),
      op('Add', 'a b', 'gate'),
      op('Mul', 'last gate', 'z'),
      fromLast,
    ],
  },
  'a mean turned to channels first and back': {
    node: [
      toLast,
      op('ReduceMean', 'last', 'm', { axes: [1, 2] }),
      op('Transpose', 'm', 'mt', { perm: [0, 3, 1, 2] }),
      op('Conv', 'mt c', 'a'),
      op('Transpose', 'a', 'gate', { perm: [0, 2, 3, 1] }),
      op('Mul', 'last gate', 'z'),
      fromLast,
    ],
  },
  'the mean of an image that was computed channels last': {
    node: [
      toLast,
      op('Relu', 'last', 'positive'),
      op('ReduceMean', 'positive', 'm', { axes: [1, 2] }),
      op('Sub', 'last m', 'z'),
      fromLast,
    ],
  },
  'the mean of a turned image': {
    node: [
      op('Transpose', 'x', 'turned', { perm: [0, 1, 3, 2] }),
      op('Relu', 'turned', 'r'),
      op('ReduceMean', 'r', 'm', { axes: [2, 3] }),
      scaledBy('turned', 'm', 'z'),
      op('Transpose', 'z', 'y', { perm: [0, 1, 3, 2] }),
    ],
  },
  'the mean of tokens': {
    node: [
      ...tokens,
      op('ReduceMean', 'tokens', 'm', { axes: [1] }),
      op('Mul', 'tokens m', 'z'),
      ...fromTokens,
    ],
  },
  'the mean of tokens behind a layer of theirs': {
    node: [
      ...tokens,
      op('MatMul', 'tokens d', 't'),
      op('ReduceMean', 't', 'm', { axes: [1] }),
      op('Mul', 'tokens m', 'z'),
      ...fromTokens,
    ],
  },
  'the mean of rows, with rows': {
    node: [
      op('Reshape', 'x rows', 'planes'),
      op('Relu', 'planes', 'r'),
      op('ReduceMean', 'r', 'm', { axes: [2] }),
      op('Mul', 'planes m', 'z'),
      op('Shape', 'x', 'shape'),
      op('Reshape', 'z shape', 'y'),
    ],
  },
  'a mean over one side after the other, channels last': {
    node: [
      toLast,
      op('ReduceMean', 'last', 'a', { axes: [1], keepdims: 0 }),
      op('ReduceMean', 'a', 'm', { axes: [1], keepdims: 0 }),
      op('Reshape', 'm image', 'gate'),
      scaled,
    ],
  },
  'a sum divided by a computed number of pixels': {
    node: [...pixels, op('ReduceSum', 'x plane_axes', 'm'), op('Div', 'm n', 'gate'), scaled],
  },
  'a sum that is halved before it is divided': {
    node: [
      ...pixels,
      op('ReduceSum', 'x plane_axes', 's1'),
      op('Mul', 's1 number', 'halved'),
      op('Div', 'halved n', 'gate'),
      scaled,
    ],
  },
  'a variance by sums that are divided': {
    node: [
      ...pixels,
      op('ReduceSum', 'x plane_axes', 's1'),
      op('Div', 's1 n', 'm'),
      op('Sub', 'x m', 'c0'),
      op('Mul', 'c0 c0', 'squares'),
      op('ReduceSum', 'squares plane_axes', 's2'),
      op('Div', 's2 n', 'v'),
      op('Sqrt', 'v', 'deviation'),
      op('Div', 'c0 deviation', 'y'),
    ],
  },
  'a variance by a sum of squares that is divided': {
    node: [
      ...pixels,
      op('ReduceMean', 'x', 'm', { axes: [2, 3] }),
      op('Sub', 'x m', 'c0'),
      op('ReduceSumSquare', 'c0', 's2', { axes: [2, 3] }),
      op('Div', 's2 n', 'v'),
      op('Mul', 'c0 v', 'y'),
    ],
  },
  // How jax2tf writes means of images of any size: sides are rounded up behind conditions.
  'a sum that is spread over nothing, divided by a number of pixels that was chosen': {
    node: [
      ...pixels,
      op('Mod', 'hw two', 'odd'),
      op('Equal', 'odd zero_axis', 'is_even'),
      op('Where', 'is_even hw hw', 'chosen'),
      op('Cast', 'chosen', 'count', { to: DataType.FLOAT }),
      op('ReduceSum', 'x plane_axes', 'm'),
      op('Expand', 'm four_once', 'spread'),
      op('Div', 'spread count', 'gate'),
      scaled,
    ],
  },
  'a sum divided by sides that a Split takes out of the shape': {
    node: [
      op('Shape', 'x', 's'),
      op('Split', 's', 'sn sc sh sw', { axis: 0 }),
      op('Mul', 'sh sw', 'hw'),
      op('Cast', 'hw', 'n', { to: DataType.FLOAT }),
      op('ReduceSum', 'x plane_axes', 'm'),
      op('Div', 'm n', 'gate'),
      scaled,
    ],
  },
  'a mean of half the channels, repeated for all of them and for the plane': {
    node: [
      ...pixels,
      op('Split', 'x', 'xa xb', { axis: 1 }),
      op('GlobalAveragePool', 'xa', 'm'),
      op('Concat', 'one two h w', 'times', { axis: 0 }),
      op('Tile', 'm times', 'gate'),
      scaled,
    ],
  },
  'an image that was parts of a sequence that is handed on': {
    node: [
      pool,
      op('SplitToSequence', 'x by_two', 'parts', { axis: 1 }),
      op('Identity', 'parts', 'same'),
      op('SequenceAt', 'same place_0', 'xa'),
      op('SequenceAt', 'same place_1', 'xb'),
      op('Concat', 'xa xb', 'joined', { axis: 1 }),
      op('Mul', 'joined m', 'y'),
    ],
  },
  'a sum that is reshaped, then multiplied by the reciprocal': {
    node: [
      ...pixels,
      op('ReduceSum', 'x plane_axes', 'm', { keepdims: 0 }),
      op('Reshape', 'm image', 'r'),
      op('Reciprocal', 'n', 'weight'),
      op('Mul', 'weight r', 'gate'),
      scaled,
    ],
  },
  'a sum over channels, too': {
    node: [
      ...pixels,
      op('Mul', 'n four_float', 'all_of_it'),
      op('ReduceSum', 'x last3', 'm'),
      op('Div', 'm all_of_it', 'gate'),
      scaled,
    ],
  },
  'a sum divided by height, then by width': {
    node: [
      ...pixels,
      op('Cast', 'h', 'hf', { to: DataType.FLOAT }),
      op('Cast', 'w', 'wf', { to: DataType.FLOAT }),
      op('ReduceSum', 'x plane_axes', 'm'),
      op('Div', 'm hf', 'mh'),
      op('Div', 'mh wf', 'gate'),
      scaled,
    ],
  },
  'squares divided by the number of pixels': {
    node: [
      ...pixels,
      op('ReduceSumSquare', 'x', 'total', { axes: [2, 3] }),
      op('Div', 'total n', 'v'),
      op('Sqrt', 'v', 'r'),
      op('Div', 'x r', 'y'),
    ],
  },
  'a norm divided by the root of the number of pixels': {
    node: [
      ...pixels,
      op('Sqrt', 'n', 'root'),
      op('ReduceL2', 'x', 'total', { axes: [2, 3] }),
      op('Div', 'total root', 'r'),
      op('Div', 'x r', 'y'),
    ],
  },
  'a mean of channels taken off the means': {
    node: [
      op('ReduceMean', 'x', 'm', { axes: [2, 3] }),
      op('ReduceMean', 'm', 'mu', { axes: [1] }),
      op('Sub', 'm mu', 'gate'),
      scaled,
    ],
  },
  'a mean in steps, the second dropped': {
    node: [
      op('ReduceMean', 'x', 'a', { axes: [3] }),
      op('ReduceMean', 'a', 'm', { axes: [2], keepdims: 0 }),
      op('MatMul', 'd m', 'e'),
      op('Reshape', 'e image', 'gate'),
      scaled,
    ],
  },
  'an axis in front of the batch': {
    node: [
      pool,
      op('Unsqueeze', 'm none', 'u'),
      op('Unsqueeze', 'x none', 'xu'),
      op('Mul', 'xu u', 'yu'),
      op('Squeeze', 'yu none', 'y'),
    ],
  },
  'a reshape that joins batch and channels': {
    node: [
      pool,
      op('Reshape', 'm twos', 'p'),
      op('MatMul', 'p d2', 'q'),
      op('Reshape', 'q each', 'gate'),
      scaled,
    ],
  },
  'the channels before the batch': {
    node: [
      op('Transpose', 'x', 'first', { perm: [1, 0, 2, 3] }),
      op('GlobalAveragePool', 'first', 'm'),
      op('Transpose', 'm', 'gate', { perm: [1, 0, 2, 3] }),
      scaled,
    ],
  },
  'branches stacked before the batch': {
    node: [
      pool,
      op('Unsqueeze', 'm none', 'mu'),
      op('Neg', 'mu', 'nu'),
      op('Concat', 'mu nu', 'both', { axis: 0 }),
      op('Softmax', 'both', 'soft', { axis: 0 }),
      op('Split', 'soft', 'sp sq', { axis: 0 }),
      op('Squeeze', 'sp none', 'gate'),
      scaled,
    ],
  },
  'the mean of rows that meets that of the plane': {
    node: [
      pool,
      flat,
      op('Tanh', 'x', 't'),
      op('Reshape', 't rows', 'planes'),
      op('ReduceMean', 'planes', 'r', { axes: [2], keepdims: 0 }),
      op('Add', 'f r', 'g'),
      back,
      scaled,
    ],
  },
  'a norm over the plane': {
    node: [op('ReduceL2', 'x', 'gate', { axes: [2, 3] }), op('Div', 'x gate', 'y')],
  },
  'a sum of magnitudes': { node: [op('ReduceL1', 'x', 'gate', { axes: [2, 3] }), op('Div', 'x gate', 'y')] },
  'a sum of squares': {
    node: [op('ReduceSumSquare', 'x', 'gate', { axes: [2, 3] }), op('Div', 'x gate', 'y')],
  },
  'a norm over planes and channels': {
    node: [op('ReduceL2', 'x', 'gate', { axes: [1, 2, 3] }), op('Div', 'x gate', 'y')],
  },
  'a norm over one side after the other': {
    node: [
      op('ReduceL2', 'x', 'a', { axes: [3] }),
      op('ReduceL2', 'a', 'gate', { axes: [2] }),
      op('Div', 'x gate', 'y'),
    ],
  },
  GlobalLpPool: { node: [op('GlobalLpPool', 'x', 'gate', { p: 2 }), op('Div', 'x gate', 'y')] },
  'the response normalization of ConvNeXt V2': {
    node: [
      toLast,
      op('ReduceL2', 'last', 'norm', { axes: [1, 2] }),
      op('ReduceMean', 'norm', 'mean', { axes: [-1] }),
      op('Div', 'norm mean', 'n'),
      op('Mul', 'last n', 'a'),
      op('Mul', 'a b', 'e'),
      op('Add', 'e last', 'z'),
      fromLast,
    ],
  },
  'a deviation and the mean': {
    node: [...centred, op('Sqrt', 'v', 'dev'), op('Add', 'dev m', 'gate'), scaled],
  },
  'a normalization that adds to the root': {
    node: [...centred, op('Sqrt', 'v', 'dev'), op('Add', 'dev number', 'e'), op('Div', 'c0 e', 'y')],
  },
  'a normalization by what was negated, its mean used besides': {
    node: [
      op('ReduceMean', 'x', 'm', { axes: [2, 3] }),
      op('Neg', 'm', 'minus_m'),
      op('Add', 'minus_m x', 'c0'),
      op('Pow', 'c0 power', 's'),
      op('ReduceMean', 's', 'v', { axes: [2, 3] }),
      op('Add', 'v number', 'e'),
      op('Sqrt', 'e', 'dev'),
      op('Div', 'c0 dev', 'n'),
      op('Add', 'n m', 'y'),
    ],
  },
  'a normalization over channels, height and width, with what it is divided by': {
    node: [
      op('ReduceMean', 'x', 'm', { axes: [1, 2, 3] }),
      op('Sub', 'x m', 'c0'),
      op('Mul', 'c0 c0', 's'),
      op('ReduceMean', 's', 'v', { axes: [1, 2, 3] }),
      op('Add', 'v number', 'e'),
      op('Sqrt', 'e', 'dev'),
      op('Div', 'c0 dev', 'n'),
      op('Conv', 'dev from_one', 'scale'),
      op('Mul', 'n scale', 'a'),
      op('Add', 'a m', 'y'),
    ],
  },
  'a normalization with the channels last, its mean squeezed': {
    node: [
      toLast,
      op('ReduceMean', 'last', 'm', { axes: [1, 2], keepdims: 0 }),
      op('Reshape', 'm last_image', 'mr'),
      op('Sub', 'last mr', 'c0'),
      op('Mul', 'c0 c0', 's'),
      op('ReduceMean', 's', 'v', { axes: [1, 2] }),
      op('Sqrt', 'v', 'dev'),
      op('Div', 'c0 dev', 'n'),
      op('Add', 'n mr', 'z'),
      fromLast,
    ],
  },
  'branches stacked, and a softmax over them': {
    node: [
      pool,
      op('Conv', 'm c', 'p'),
      op('Neg', 'm', 'q'),
      op('Unsqueeze', 'p one', 'pu'),
      op('Unsqueeze', 'q one', 'qu'),
      op('Concat', 'pu qu', 'both', { axis: 1 }),
      op('Softmax', 'both', 'soft', { axis: 1 }),
      op('Split', 'soft', 'sp sq', { axis: 1 }),
      op('Squeeze', 'sp one', 'gp'),
      op('Squeeze', 'sq one', 'gq'),
      op('Mul', 'x gp', 'a'),
      op('Tanh', 'x', 't'),
      op('Mul', 't gq', 'e'),
      op('Add', 'a e', 'y'),
    ],
  },
  'branches in one axis, viewed apart': {
    node: [
      pool,
      op('Conv', 'm c2', 'p'),
      op('Reshape', 'p branches', 'v'),
      op('Softmax', 'v', 'soft', { axis: 1 }),
      op('Unsqueeze', 'x one', 'xu'),
      op('Mul', 'xu soft', 'both'),
      op('ReduceSum', 'both one', 'y', { keepdims: 0 }),
    ],
  },
  'a softmax over channels': { node: [pool, op('Softmax', 'm', 'gate', { axis: 1 }), scaled] },
  'a softmax over channels, below opset 13': {
    node: [pool, op('Softmax', 'm', 'gate', { axis: 1 }), scaled],
    opset: 12,
  },
  'a softmax of a vector, below opset 13': {
    node: [pool, flat, op('LogSoftmax', 'f', 'g'), back, scaled],
    opset: 12,
  },
  'a convolution along the channels': {
    node: [
      pool,
      op('Squeeze', 'm minus', 'q'),
      op('Transpose', 'q', 'qt', { perm: [0, 2, 1] }),
      op('Conv', 'qt k3', 'e', { pads: [1, 1] }),
      op('Transpose', 'e', 'et', { perm: [0, 2, 1] }),
      op('Unsqueeze', 'et minus', 'g'),
      op('Sigmoid', 'g', 'gate'),
      scaled,
    ],
  },
  'the same in two dimensions': {
    node: [
      pool,
      op('Reshape', 'm column', 'q'),
      op('Conv', 'q k3x1', 'e', { pads: [1, 0, 1, 0] }),
      op('Reshape', 'e image', 'gate'),
      scaled,
    ],
  },
  'a one-dimensional convolution of one pixel': {
    node: [
      pool,
      op('Squeeze', 'm minus', 'q'),
      op('Conv', 'q c1d', 'e'),
      op('Unsqueeze', 'e minus', 'gate'),
      scaled,
    ],
  },
  'a mean spread by Resize': {
    node: [
      pool,
      op('Conv', 'm c', 'p'),
      op('Shape', 'x', 's'),
      op('Slice', 's two four', 'hw'),
      op('Shape', 'p', 'ps'),
      op('Slice', 'ps none two', 'nc'),
      op('Concat', 'nc hw', 'size', { axis: 0 }),
      makeNode('Resize', ['p', '', '', 'size'], ['big'], { attributes: { mode: { text: 'linear' } } }),
      op('Concat', 'x big', 'cat', { axis: 1 }),
      op('Conv', 'cat c8', 'y'),
    ],
  },
  'a mean spread by Expand': {
    node: [
      pool,
      op('Shape', 'x', 's'),
      op('Expand', 'm s', 'gate'),
      op('Concat', 'gate x', 'cat', { axis: 1 }),
      op('Conv', 'cat c8', 'y'),
    ],
  },
  'a mean spread by Tile': {
    node: [
      pool,
      op('Shape', 'x', 's'),
      op('Slice', 's two four', 'hw'),
      op('Concat', 'ones2 hw', 'times', { axis: 0 }),
      op('Tile', 'm times', 'gate'),
      scaled,
    ],
  },
  'one mean repeated over the channels': {
    node: [
      op('ReduceMean', 'x', 'm', { axes: [1, 2, 3] }),
      op('Expand', 'm four_once', 'e'),
      op('Mul', 'e scale4', 'gate'),
      scaled,
    ],
  },
  'one mean tiled over the channels': {
    node: [
      op('ReduceMean', 'x', 'm', { axes: [1, 2, 3] }),
      op('Tile', 'm repeats', 'e'),
      op('Mul', 'e scale4', 'gate'),
      scaled,
    ],
  },
  'a reshape to a vector, and a Gather of all of it': {
    node: [
      op('ReduceMean', 'x', 'm', { axes: [2, 3] }),
      op('Reshape', 'm row', 'r'),
      op('Gather', 'r all4', 'g'),
      op('Conv', 'g c', 'gate'),
      scaled,
    ],
  },
  'some of the channels, in another order': {
    node: [pool, op('Gather', 'm some', 'g', { axis: 1 }), op('Concat', 'g g', 'gate', { axis: 1 }), scaled],
  },
  'slices of the channels': {
    node: [
      pool,
      op('Slice', 'm one three one', 'a'),
      op('Slice', 'm none two one', 'e'),
      op('Concat', 'a e', 'gate', { axis: 1 }),
      scaled,
    ],
  },
  'a shuffle of the channels': {
    node: [
      pool,
      flat,
      op('Reshape', 'f pairs', 'p'),
      op('Transpose', 'p', 'pt', { perm: [0, 2, 1] }),
      op('Reshape', 'pt image', 'gate'),
      scaled,
    ],
  },
  'a product over pairs': {
    node: [
      pool,
      flat,
      op('Reshape', 'f pairs', 'p'),
      op('MatMul', 'p d2', 'q'),
      op('Reshape', 'q image', 'gate'),
      scaled,
    ],
  },
  'a product with a constant in front': {
    node: [
      pool,
      op('Squeeze', 'm minus', 'q'),
      op('MatMul', 'd q', 'e'),
      op('Unsqueeze', 'e minus', 'gate'),
      scaled,
    ],
  },
  'attention among the channels of the mean': {
    node: [
      pool,
      op('Squeeze', 'm minus', 'q'),
      op('Transpose', 'q', 'k', { perm: [0, 2, 1] }),
      op('MatMul', 'q k', 'scores'),
      op('Softmax', 'scores', 'soft'),
      op('MatMul', 'soft q', 'v'),
      op('Unsqueeze', 'v minus', 'gate'),
      scaled,
    ],
  },
  'a layer with computed weights': {
    node: [pool, flat, op('Neg', 'd', 'weights'), op('MatMul', 'f weights', 'g'), back, scaled],
  },
  'an Einsum': {
    node: [pool, flat, op('Einsum', 'f d', 'g', { equation: { text: 'nc,cd->nd' } }), back, scaled],
  },
  'an Einsum with axes left open': {
    node: [pool, flat, op('Einsum', 'f d', 'g', { equation: { text: '...c,cd->...d' } }), back, scaled],
  },
  'a layer norm of the mean': {
    node: [pool, flat, op('LayerNormalization', 'f b ones', 'g'), back, scaled],
  },
  'a batch norm of the mean': {
    node: [pool, op('BatchNormalization', 'm ones b mean4 var4', 'gate'), scaled],
  },
  'a batch norm of the flattened mean': {
    node: [pool, flat, op('BatchNormalization', 'f ones b mean4 var4', 'g'), back, scaled],
  },
  'a norm of the flattened mean': {
    node: [pool, flat, op('LpNormalization', 'f', 'g', { axis: 1, p: 2 }), back, scaled],
  },
  'a comparison': {
    node: [pool, op('Greater', 'm zero', 'is'), op('Where', 'is m zero', 'gate'), scaled],
  },
  'computed values per channel that meet it flattened': {
    node: [pool, flat, op('Neg', 'b1', 'computed'), op('Mul', 'f computed', 'g'), back, scaled],
  },
  'a constant joined to it': {
    node: [pool, op('Concat', 'm scale4', 'cat', { axis: 1 }), op('Conv', 'cat c8', 'gate'), scaled],
  },
  'a question for its shape': {
    node: [pool, op('Shape', 'm', 's'), op('ConstantOfShape', 's', 'z'), op('Add', 'z m', 'gate'), scaled],
  },
  'two means that meet flattened': {
    node: [
      pool,
      flat,
      op('Tanh', 'x', 't'),
      op('GlobalAveragePool', 't', 'm2'),
      op('Flatten', 'm2', 'f2'),
      op('Concat', 'f f2', 'cat', { axis: 1 }),
      op('MatMul', 'cat d8', 'g'),
      back,
      scaled,
    ],
  },
};

function scaledBy(image: string, mean: string, output: string): NodeProto {
  return op('Mul', `${image} ${mean}`, output);
}

const more = [
  integers('zero_axis', [0]),
  integers('none', [0]),
  integers('column', [0, 1, 4, 1]),
  integers('ones2', [1, 1]),
  integers('twos', [-1, 2]),
  integers('each', [-1, 4, 1, 1]),
  integers('last3', [1, 2, 3]),
  floats('four_float', [], [4]),
  floats('d8', [8, 4]),
  floats('power', [], [2]),
  floats('hundred', [], [100]),
  { ...integers('place_0', [0]), dims: [] },
  { ...integers('place_1', [1]), dims: [] },
  { ...integers('by_two', [2]), dims: [] },
  floats('minus_one', [], [-1]),
  floats('from_one', [4, 1, 1, 1]),
  { ...integers('all4', [0, 1, 2, 3]), dims: [1n, 4n, 1n, 1n] },
];

/** What takes one image alone. */
const ofOneImage = ['a mean of rank 3', 'a constant joined to it'];

const window: Size = [5, 4];

function build({ node, opset = 17 }: Form, batch: number | string): Uint8Array {
  const read = new Set(node.flatMap(({ input }) => input));
  const initializer = [...constants, ...more].filter(({ name }) =>
    read.has(name),
  ) as GraphParts['initializer'];
  const sides = [batch, 4, 'height', 'width'];
  const parts = { node, input: [valueInfo('x', sides)], ...(initializer && { initializer }) };
  return buildBytes(parts, { opset });
}

/** What cannot be local, and why. */
const refused: Readonly<Record<string, Form & { readonly reason: string }>> = {
  'a sum divided by what is the number of pixels of large images alone': {
    node: [
      ...pixels,
      op('Max', 'n hundred', 'most'),
      op('ReduceSum', 'x plane_axes', 'm'),
      op('Div', 'm most', 'gate'),
      scaled,
    ],
    reason: 'nothing divides by the number of pixels',
  },
  'a sum divided by the pixels of a plane that was halved': {
    node: [
      op('MaxPool', 'x', 'small', { kernel_shape: [2, 2], strides: [2, 2] }),
      op('Shape', 'small', 's'),
      op('Gather', 's i2', 'h', { axis: 0 }),
      op('Gather', 's i3', 'w', { axis: 0 }),
      op('Mul', 'h w', 'hw'),
      op('Mul', 'hw four', 'count'),
      op('Cast', 'count', 'n', { to: DataType.FLOAT }),
      op('ReduceSum', 'x plane_axes', 'm'),
      op('Div', 'm n', 'gate'),
      scaled,
    ],
    reason: 'nothing divides by the number of pixels',
  },
  'a sum divided by the pixels of all images': {
    node: [
      op('Size', 'x', 'all_values'),
      op('Div', 'all_values four', 'count'),
      op('Cast', 'count', 'n', { to: DataType.FLOAT }),
      op('ReduceSum', 'x plane_axes', 'm'),
      op('Div', 'm n', 'gate'),
      scaled,
    ],
    reason: 'nothing divides by the number of pixels',
  },
  'a convolution by weights that follow the image': {
    node: [...pixels, pool, op('Mul', 'c n', 'cn'), op('Conv', 'm cn', 'gate'), scaled],
    reason: 'its mean meets cn, a number that follows the size of the image, in Conv_gate',
  },
  'a place that follows the image': {
    node: [
      op('Shape', 'x', 's'),
      op('Gather', 's i2', 'h', { axis: 0 }),
      op('Mod', 'h four', 'place'),
      pool,
      op('Gather', 'm place', 'gate', { axis: 1 }),
      scaled,
    ],
    reason: 'its mean meets place, a number that follows the size of the image, in Gather_gate',
  },
  'a softmax over the batch, below opset 13': {
    node: [pool, op('Softmax', 'm', 'gate', { axis: 0 }), scaled],
    opset: 9,
    reason: 'its mean feeds Softmax_gate (Softmax)',
  },
  'a mean times the number of pixels': {
    node: [...pixels, pool, op('Mul', 'm n', 'gate'), scaled],
    reason: 'its mean meets n, a number that follows the size of the image, in Mul_gate',
  },
  'a variance behind a Transpose': {
    node: [
      op('ReduceMean', 'x', 'm', { axes: [2, 3] }),
      op('Sub', 'x m', 'c0'),
      op('Transpose', 'c0', 'ct', { perm: [0, 2, 3, 1] }),
      op('Mul', 'ct ct', 's'),
      op('ReduceMean', 's', 'v', { axes: [1, 2] }),
      op('Div', 'ct v', 'z'),
      fromLast,
    ],
    reason: 'ReduceMean_v: it is the mean of what Sub_c0 has taken a mean off',
  },
  'a variance with a mean that is multiplied by -1': {
    node: [
      op('ReduceMean', 'x', 'm', { axes: [2, 3] }),
      op('Mul', 'm minus_one', 'off'),
      op('Add', 'x off', 'c0'),
      op('Mul', 'c0 c0', 's'),
      op('ReduceMean', 's', 'v', { axes: [2, 3] }),
      op('Div', 'c0 v', 'y'),
    ],
    reason: 'ReduceMean_v: it is the mean of what Add_c0 has taken a mean off',
  },
};

describe('what becomes of a mean', () => {
  it.each(Object.keys(forms))('is local behind %s', async (title) => {
    const original = build(forms[title] as Form, 'batch');
    const { model, report } = await convert(original, { trainSize: 16, baseSize: window });
    expect(report.sites[0]?.window).toEqual(window);
    await expectLikeWindows(original, model, noise([1, 4, 9, 7]), window);
  });

  const ofAny = Object.keys(forms).filter((title) => !ofOneImage.includes(title));
  it.each(ofAny)('is local for each of two images, the batch free or fixed, behind %s', async (title) => {
    for (const batch of ['batch', 2]) {
      const original = build(forms[title] as Form, batch);
      const { model } = await convert(original, { trainSize: 16, baseSize: window });
      await expectLikeWindows(original, model, noise([2, 4, 7, 6]), window);
    }
  });

  it('goes through quantization by one scale, of values and of weights', async () => {
    const zero = create(TensorProtoSchema, { name: 'zp', dataType: DataType.UINT8, int32Data: [128] });
    const weights = create(TensorProtoSchema, {
      name: 'qw',
      dataType: DataType.UINT8,
      dims: [4n, 4n, 1n, 1n],
      int32Data: Array.from({ length: 16 }, (_, i) => 96 + ((i * 29) % 64)),
    });
    const through = (value: string) => [
      op('QuantizeLinear', `${value} step zp`, `${value}_q`),
      op('DequantizeLinear', `${value}_q step zp`, `${value}_d`),
    ];
    const node = [
      ...through('x'),
      op('GlobalAveragePool', 'x_d', 'm'),
      ...through('m'),
      op('DequantizeLinear', 'qw step zp', 'w'),
      op('Conv', 'm_d w', 'gate'),
      ...through('gate'),
      op('Mul', 'x_d gate_d', 'y'),
    ];
    const original = buildBytes({
      node,
      initializer: [zero, weights, floats('step', [], [0.01])],
      input: [valueInfo('x', ['batch', 4, 'height', 'width'])],
    });
    const { model, report } = await convert(original, { trainSize: 16, baseSize: window });
    expect(report.sites).toHaveLength(1);
    // A mean that lies on the border between two steps may be rounded to either.
    await expectLikeWindows(original, model, noise([1, 4, 9, 7]), window, { tolerance: 0.025 });
  });

  it.each(Object.keys(refused))('is refused behind %s', async (title) => {
    const { reason, ...form } = refused[title] as (typeof refused)[string];
    await expect(convert(build(form, 'batch'), { trainSize: 16 })).rejects.toMatchObject({
      code: 'ERR_NOT_LOCALIZABLE',
      message: expect.stringContaining(reason),
    });
  });

  it.each(['ReduceL1', 'ReduceL2', 'ReduceSumSquare'])(
    'is worked out in float32 for %s of halves',
    async (opType) => {
      const node = [op(opType, 'x', 'gate', { axes: [2, 3] }), op('Div', 'x gate', 'y')];
      const half = [valueInfo('x', ['batch', 4, 'height', 'width'], DataType.FLOAT16)];
      const bytes = buildBytes({
        node,
        input: half,
        output: [valueInfo('y', ['n', 4, 'h', 'w'], DataType.FLOAT16)],
      });
      const { model } = await convert(bytes, { trainSize: 16, baseSize: window });
      const large = (noise([1, 4, 9, 7]).data as Float32Array).map((value) => 300 * value);
      const session = await InferenceSession.create(model);
      const { y } = await session.run({
        x: await toImageTensor('float16', large, [1, 4, 9, 7]),
      });
      const values = (y && (await floatsOf(y))) ?? [];
      expect([...values].every(Number.isFinite)).toBe(true);
    },
  );
});
