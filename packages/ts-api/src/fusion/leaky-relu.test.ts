import { describe, expect, it } from 'vitest';
import { buildBytes, floats } from '../../test/build-model.js';
import { optimize } from '../../test/optimize.js';
import { decodeModel } from '../graph/model.js';
import { makeNode } from '../graph/proto.js';
import { optimize as optimizeModel } from '../optimize.js';

function build(dims: readonly number[], values: readonly number[]): Uint8Array {
  return buildBytes({
    node: [makeNode('PRelu', ['x', 'slope'], ['r']), makeNode('Tanh', ['r'], ['y'])],
    initializer: [floats('slope', dims, values)],
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
    expect(graph.node.map(({ opType }) => opType)).toEqual(['LeakyRelu', 'Tanh']);
    expect(opsetImport.map(({ domain }) => domain)).toEqual(['']);
    expect(functions).toEqual([]);
  });

  it('with a slope for each channel stays', async () => {
    expect(await optimize(build([3, 1, 1], [0.1, 0.2, 0.3]))).toEqual([]);
  });
});
