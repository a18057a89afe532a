import { describe, expect, it } from 'vitest';
import { buildBytes, floats, integers } from '../../test/build-model.js';
import { convert } from '../../test/convert.js';
import { largestDifference, noise, windowMeans } from '../../test/reference.js';
import { runModel } from '../../test/run-model.js';
import { makeNode, type NodeProto } from '../graph/proto.js';

const constants = [
  integers('rows', [0, 0, -1]),
  integers('known', [1, 3, -1]),
  integers('last', [-1]),
  integers('third', [2]),
  integers('two', [2, 3]),
  integers('image', [0, 3, 1, 1]),
  floats('w', [3, 3], [1, 0, 0, 0, 1, 0, 0, 0, 1]),
];

function mean(from: string, to: string, axes: readonly number[], keepdims: number): NodeProto {
  return makeNode('ReduceMean', [from], [to], { name: to, attributes: { axes, keepdims } });
}

const product = makeNode('Mul', ['x', 'gate'], ['y']);

/** Each is the mean of the planes of x times x. */
const spellings: Readonly<Record<string, readonly NodeProto[]>> = {
  'Reshape, mean of rows, two Unsqueeze': [
    makeNode('Reshape', ['x', 'rows'], ['r']),
    mean('r', 'm', [-1], 0),
    makeNode('Unsqueeze', ['m', 'last'], ['column']),
    makeNode('Unsqueeze', ['column', 'last'], ['gate']),
    product,
  ],
  'mean of rows that keeps their axis': [
    makeNode('Reshape', ['x', 'known'], ['r']),
    mean('r', 'm', [2], 1),
    makeNode('Unsqueeze', ['m', 'last'], ['gate']),
    product,
  ],
  'mean of rows, a Linear layer, Reshape': [
    makeNode('Reshape', ['x', 'rows'], ['r']),
    mean('r', 'm', [2], 0),
    makeNode('MatMul', ['m', 'w'], ['l']),
    makeNode('Reshape', ['l', 'image'], ['gate']),
    product,
  ],
  'over width, then over height': [mean('x', 'rows_m', [3], 1), mean('rows_m', 'gate', [2], 1), product],
  'over height, then over width, axes dropped': [
    mean('x', 'rows_m', [2], 0),
    mean('rows_m', 'm', [-1], 0),
    makeNode('Unsqueeze', ['m', 'two'], ['gate']),
    product,
  ],
};

function build(node: readonly NodeProto[]): Uint8Array {
  const read = new Set(node.flatMap(({ input }) => input));
  return buildBytes({ node, initializer: constants.filter(({ name }) => read.has(name)) });
}

describe('means in steps', () => {
  it.each(Object.keys(spellings))('converts a mean: %s', async (spelling) => {
    const { model, report } = await convert(build(spellings[spelling] ?? []), {
      trainSize: 8,
      baseSize: [12, 10],
    });
    expect(report.sites).toMatchObject([{ operator: 'LocalAveragePool', window: [12, 10] }]);
    for (const plane of [
      [21, 17],
      [9, 30],
    ] as const) {
      const x = noise([1, 3, ...plane]);
      const means = windowMeans(x, [12, 10]);
      const expected = (x.data as Float32Array).map((value, i) => value * (means[i] as number));
      for (const operators of ['native', 'portable'] as const)
        expect(largestDifference(await runModel(model, x, operators), expected)).toBeLessThan(1e-6);
    }
  });

  it('keeps what else reads the rows, or the first of two means', async () => {
    const node = [
      makeNode('Reshape', ['x', 'rows'], ['r']),
      mean('r', 'm', [-1], 0),
      makeNode('Unsqueeze', ['m', 'two'], ['gate']),
      makeNode('ReduceMax', ['r'], ['top'], { attributes: { axes: [0, 1, 2], keepdims: 0 } }),
      makeNode('Mul', ['x', 'gate'], ['scaled']),
      makeNode('Add', ['scaled', 'top'], ['y']),
    ];
    const { model } = await convert(build(node), { trainSize: 8 });
    const x = noise([1, 3, 20, 15]);
    const means = windowMeans(x, [12, 12]);
    const top = Math.max(...(x.data as Float32Array));
    const expected = (x.data as Float32Array).map((value, i) => value * (means[i] as number) + top);
    for (const operators of ['native', 'portable'] as const)
      expect(largestDifference(await runModel(model, x, operators), expected)).toBeLessThan(1e-6);
  });

  it('leaves means over channels, over windows and over one side alone', async () => {
    const node = [
      makeNode('Transpose', ['x'], ['last'], { attributes: { perm: [0, 2, 3, 1] } }),
      makeNode('Reshape', ['last', 'tokens'], ['t']),
      mean('t', 'channels', [-1], 1),
      makeNode('Sub', ['t', 'channels'], ['centred']),
      makeNode('Reshape', ['centred', 'images'], ['i']),
      makeNode('Transpose', ['i'], ['y'], { attributes: { perm: [0, 3, 1, 2] } }),
    ];
    const initializer = [integers('tokens', [1, -1, 3]), integers('images', [1, 8, -1, 3])];
    const { report } = await convert(buildBytes({ node, initializer }), { trainSize: 8 });
    expect(report.sites).toEqual([]);
  });

  it('leaves means over channels and one side, where there are as many channels as columns', async () => {
    const node = [mean('x', 'c', [1], 1), mean('c', 'gate', [2], 1), product];
    const { report } = await convert(build(node), { trainSize: 3 });
    expect(report.sites).toEqual([]);
  });
});
