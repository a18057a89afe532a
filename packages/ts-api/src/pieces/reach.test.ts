import { create } from '@bufbuild/protobuf';
import { OperatorSetIdProtoSchema } from 'onnx-buf';
import { expect, it } from 'vitest';
import { buildModel, floats, valueInfo } from '../../test/build-model.js';
import { encodeModel } from '../graph/model.js';
import { makeNode } from '../graph/proto.js';
import { InferenceSession } from '../session/inference-session.js';
import { freeImageOf } from '../session/known-sides.js';
import { reachesOf, recordedReach } from './reach.js';

async function reachOf(parts: Parameters<typeof buildModel>[0], most = 1e6) {
  const model = buildModel(parts);
  model.opsetImport.push(create(OperatorSetIdProtoSchema, { domain: 'tlsc', version: 1n }));
  const bytes = encodeModel(model);
  const session = await InferenceSession.create(bytes);
  const input = freeImageOf(session);
  await session.release();
  if (!input) throw new Error('no image');
  return reachesOf(model, input, { multiple: 1, minimum: 1 }, most);
}

const conv = (from: string, to: string, side: number) =>
  makeNode('Conv', [from, `w${side}`], [to], { attributes: { pads: Array(4).fill((side - 1) / 2) } });
const weights = [floats('w3', [3, 3, 3, 3]), floats('w5', [3, 3, 5, 5])];

it.each([
  'Relu',
  'LeakyRelu',
  'Sigmoid',
  'Tanh',
  'Erf',
  'Softplus',
  'HardSwish',
  'HardSigmoid',
  'Elu',
  'Clip',
  'Abs',
  'Exp',
  'Sqrt',
])('gets through %s', async (operator) => {
  const node = [conv('x', 'a', 3), makeNode(operator, ['a'], ['b']), conv('b', 'y', 5)];
  expect(await reachOf({ node, initializer: weights })).toEqual({ y: [3, 3] });
});

it.each([
  ['Max', [makeNode('Max', ['a', 'x'], ['b'])]],
  ['a softmax of channels', [makeNode('Softmax', ['a'], ['b'], { attributes: { axis: 1 } })]],
  [
    'a pool of maxima',
    [
      makeNode('MaxPool', ['a'], ['b'], {
        attributes: { kernel_shape: [3, 3], pads: [1, 1, 1, 1], strides: [1, 1] },
      }),
    ],
  ],
  ['a power', [makeNode('Pow', ['a', 'a'], ['b'])]],
  ['a quotient of zeros', [makeNode('Sub', ['a', 'a'], ['z']), makeNode('Div', ['z', 'z'], ['b'])]],
])('gets through %s', async (what, between) => {
  const node = [conv('x', 'a', 3), ...between, conv('b', 'y', 5)];
  const reach = what === 'a pool of maxima' ? 4 : 3;
  expect(await reachOf({ node, initializer: weights })).toEqual({ y: [reach, reach] });
});

it('counts strides, and windows of local statistics, which may be no square', async () => {
  const node = [
    makeNode('LocalAveragePool', ['x'], ['m'], {
      domain: 'tlsc',
      attributes: { kernel_shape: [21, 41] },
    }),
    makeNode('Add', ['x', 'm'], ['s']),
    makeNode('AveragePool', ['s'], ['p'], { attributes: { kernel_shape: [4, 4], strides: [4, 4] } }),
    makeNode('Resize', ['p', '', 'scales'], ['y']),
  ];
  const initializer = [floats('scales', [4], [1, 1, 4, 4])];
  // Four rows of a block have what each of them sees; ten, or twenty, to both sides.
  expect(await reachOf({ node, initializer })).toEqual({ y: [12, 20] });
});

it('leaves out an output that depends on all, and does not look farther than it may', async () => {
  const node = [
    makeNode('GlobalAveragePool', ['x'], ['m']),
    makeNode('Add', ['x', 'm'], ['y']),
    conv('x', 'z', 3),
  ];
  const both = ['y', 'z'].map((name) => valueInfo(name, ['n', 'c', 'h', 'w']));
  expect(await reachOf({ node, initializer: weights, output: both })).toEqual({ z: [1, 1] });
  expect(await reachOf({ node, initializer: weights, output: both }, 100)).toEqual({});
});

it('heeds only what could have been recorded', () => {
  const read = (text: string) => recordedReach({ 'tlsc.reach': text }, 'y');
  expect(read('{"y":[3,4]}')).toEqual([3, 4]);
  for (const text of [
    '',
    'no',
    'null',
    '{"z":[3,4]}',
    '{"y":[3]}',
    '{"y":[-1,4]}',
    '{"y":[3.5,4]}',
    '{"y":"3,4"}',
    '{"y":[3,1e9]}',
  ])
    expect(read(text)).toBeUndefined();
  expect(recordedReach({ 'tlsc.reach': '{}' }, 'constructor')).toBeUndefined();
});
