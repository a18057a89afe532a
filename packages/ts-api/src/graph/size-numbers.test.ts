import { describe, expect, it } from 'vitest';
import { buildModel, choose, integers } from '../../test/build-model.js';
import { Graph } from './graph.js';
import { makeNode, type NodeProto } from './proto.js';
import { mergeSizeNumbers, sizeNumbers } from './size-numbers.js';

const initializer = [
  integers('i2', [2]),
  integers('also_2', [2]),
  integers('i3', [3]),
  integers('two', [2]),
  integers('flat', [-1, 2]),
];

function side(of: string, which: string, name: string): NodeProto[] {
  return [makeNode('Shape', [of], [`${name}_shape`]), makeNode('Gather', [`${name}_shape`, which], [name])];
}

function merged(...node: NodeProto[]) {
  const { nodes, twins } = mergeSizeNumbers(new Graph(buildModel({ node, initializer }).graph));
  return { left: nodes.flatMap(({ output }) => output), twins: Object.fromEntries(twins), nodes };
}

describe('sizeNumbers', () => {
  it('are what is worked out of shapes and constants alone', () => {
    const node = [
      ...side('x', 'i2', 'h'),
      makeNode('Mod', ['h', 'two'], ['odd']),
      makeNode('Where', ['odd', 'h', 'two'], ['chosen']),
      makeNode('Reshape', ['x', 'chosen'], ['image']),
    ];
    const numbers = sizeNumbers(new Graph(buildModel({ node, initializer }).graph));
    expect([...numbers]).toEqual(['h_shape', 'h', 'odd', 'chosen']);
  });
});

describe('mergeSizeNumbers', () => {
  it('keeps the first of what is worked out alike, constants told by their values', () => {
    const { left, twins, nodes } = merged(
      ...side('x', 'i2', 'a'),
      ...side('x', 'also_2', 'b'),
      ...side('x', 'i3', 'c'),
      makeNode('Mul', ['b', 'c'], ['bc']),
      makeNode('Reshape', ['x', 'b'], ['y']),
    );
    expect(left).toEqual(['a_shape', 'a', 'c', 'bc', 'y']);
    expect(twins).toEqual({ b_shape: 'a_shape', b: 'a', c_shape: 'a_shape' });
    expect(nodes.at(-1)?.input).toEqual(['x', 'a']);
  });

  it('tells operators and attributes apart, and leaves images alone', () => {
    const { twins } = merged(
      makeNode('Shape', ['x'], ['whole']),
      makeNode('Shape', ['x'], ['sides'], { attributes: { start: 2 } }),
      makeNode('Relu', ['x'], ['r']),
      makeNode('Relu', ['x'], ['s']),
    );
    expect(twins).toEqual({});
  });

  it('merges numbers that are worked out of constants', () => {
    const { twins } = merged(
      makeNode('Concat', ['i2', 'i3'], ['p'], { attributes: { axis: 0 } }),
      makeNode('Concat', ['also_2', 'i3'], ['q'], { attributes: { axis: 0 } }),
    );
    expect(twins).toEqual({ q: 'p' });
  });

  it('leaves what a branch reads where it is', () => {
    const branches = {
      whenTrue: [makeNode('Identity', ['b'], ['yes'])],
      whenFalse: [makeNode('Neg', ['x'], ['no'])],
    };
    const { left, twins } = merged(
      ...side('x', 'i2', 'a'),
      ...side('x', 'i2', 'b'),
      choose('condition', 'z', branches),
    );
    expect(left).toContain('b');
    expect(twins).toEqual({ b_shape: 'a_shape' });
  });
});
