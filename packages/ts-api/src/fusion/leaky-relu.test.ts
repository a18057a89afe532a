import { describe, expect, it } from 'vitest';
import { buildBytes, floats } from '../../test/build-model.js';
import { optimize } from '../../test/optimize.js';
import { decodeModel } from '../graph/model.js';
import { makeNode } from '../graph/proto.js';
import { optimize as optimizeModel } from '../optimize.js';

const convolved = [makeNode('Conv', ['x', 'weights'], ['c'], { attributes: { pads: [1, 1, 1, 1] } })];

function build(dims: readonly number[], values: readonly number[], before = convolved): Uint8Array {
  return buildBytes({
    node: [...before, makeNode('PRelu', ['c', 'slope'], ['r']), makeNode('Tanh', ['r'], ['y'])],
    initializer: [floats('weights', [3, 3, 3, 3]), floats('slope', dims, values)].slice(
      before === convolved ? 0 : 1,
    ),
  });
}

describe('PRelu', () => {
  it.each([
    ['of no axes', []],
    ['of one', [1]],
    ['of an image', [1, 1, 1]],
  ])('with one slope %s is a LeakyRelu', async (_, dims) => {
    expect(await optimize(build(dims, [0.25]))).toEqual(['LeakyRelu']);
  });

  it('makes no model of tlsc of a model', async () => {
    const { model } = await optimizeModel(build([1], [0.25]));
    const { graph, opsetImport, functions } = decodeModel(model, 'optimized');
    expect(graph.node.map(({ opType }) => opType)).toEqual(['Conv', 'LeakyRelu', 'Tanh']);
    expect(opsetImport.map(({ domain }) => domain)).toEqual(['']);
    expect(functions).toEqual([]);
  });

  it('behind anything but a convolution stays', async () => {
    expect(await optimize(build([1], [0.25], [makeNode('Neg', ['x'], ['c'])]))).toEqual([]);
  });

  it('with a slope for each channel stays', async () => {
    expect(await optimize(build([3, 1, 1], [0.1, 0.2, 0.3]))).toEqual([]);
  });
});
