import { describe, expect, it } from 'vitest';
import { buildBytes, floats, integers } from '../../test/build-model.js';
import { convert } from '../../test/convert.js';
import { largestDifference, localInstanceNorm, noise } from '../../test/reference.js';
import { runModel } from '../../test/run-model.js';
import { expectLikeWindows } from '../../test/window-crops.js';
import { makeNode, type NodeProto } from '../graph/proto.js';

const epsilon = 0.01;
const constants = [
  floats('epsilon', [], [epsilon]),
  floats('two', [], [2]),
  floats('three', [], [3]),
  floats('scale', [3, 1, 1], [1.5, -0.5, 2]),
  integers('plane', [2, 3]),
];

const pool = (to: string) => makeNode('GlobalAveragePool', ['x'], [to], { name: to });
const mean = (from: string, to: string) =>
  makeNode('ReduceMean', [from], [to], { name: to, attributes: { axes: [-1, -2], keepdims: 1 } });

function root(from: string): NodeProto[] {
  return [makeNode('Add', [from, 'epsilon'], ['raised']), makeNode('Sqrt', ['raised'], ['deviation'])];
}

/** (x - mean) / deviation, times the scale. */
const spellings: Readonly<Record<string, readonly NodeProto[]>> = {
  'one mean, squared by Mul': [
    mean('x', 'm'),
    makeNode('Sub', ['x', 'm'], ['d']),
    makeNode('Mul', ['d', 'd'], ['square']),
    mean('square', 'variance'),
    ...root('variance'),
    makeNode('Div', ['d', 'deviation'], ['n']),
  ],
  'a mean each, squared by Pow': [
    pool('m'),
    makeNode('Sub', ['x', 'm'], ['d']),
    pool('m2'),
    makeNode('Sub', ['x', 'm2'], ['d2']),
    makeNode('Pow', ['d2', 'two'], ['square']),
    mean('square', 'variance'),
    ...root('variance'),
    makeNode('Div', ['d', 'deviation'], ['n']),
  ],
  'times the reciprocal': [
    mean('x', 'm'),
    makeNode('Sub', ['x', 'm'], ['d']),
    makeNode('Mul', ['d', 'd'], ['square']),
    mean('square', 'variance'),
    ...root('variance'),
    makeNode('Reciprocal', ['deviation'], ['factor']),
    makeNode('Mul', ['factor', 'd'], ['n']),
  ],
};
const [first = []] = Object.values(spellings);
const scaled = makeNode('Mul', ['n', 'scale'], ['y']);

function build(node: readonly NodeProto[]): Uint8Array {
  const read = new Set(node.flatMap(({ input }) => input));
  return buildBytes({ node, initializer: constants.filter(({ name }) => read.has(name)) });
}

describe('written-instance-normalization', () => {
  it.each(Object.keys(spellings))('converts a normalization that is written out: %s', async (spelling) => {
    const { model, report } = await convert(build([...(spellings[spelling] ?? []), scaled]), {
      trainSize: 8,
      baseSize: [12, 10],
    });
    expect(report.sites).toMatchObject([
      {
        node: 'variance',
        rule: 'written-instance-normalization',
        operator: 'LocalInstanceNormalization',
        window: [12, 10],
      },
    ]);
    const x = noise([2, 3, 21, 17]);
    const expected = localInstanceNorm(x, [1.5, -0.5, 2], [0, 0, 0], [12, 10], epsilon);
    for (const operators of ['native', 'portable'] as const)
      expect(largestDifference(await runModel(model, x, operators), expected)).toBeLessThan(1e-5);
  });

  const replace = (output: string, ...nodes: readonly NodeProto[]) =>
    first.flatMap((node) => (node.output.includes(output) ? nodes : [node]));
  const others: Readonly<Record<string, readonly NodeProto[]>> = {
    'whose deviation is used elsewhere': [...first, makeNode('Mul', ['n', 'deviation'], ['y'])],
    'whose mean is used elsewhere': [...first, makeNode('Add', ['n', 'm'], ['y'])],
    'of another image than it divides': [
      ...replace('n', makeNode('Relu', ['x'], ['r']), makeNode('Div', ['r', 'deviation'], ['n'])),
      scaled,
    ],
    'that adds to the deviation': [
      ...replace('raised', makeNode('Sqrt', ['variance'], ['raised'])).filter(
        ({ output }) => output[0] !== 'deviation' && output[0] !== 'n',
      ),
      makeNode('Add', ['raised', 'epsilon'], ['deviation']),
      makeNode('Div', ['d', 'deviation'], ['n']),
      scaled,
    ],
  };

  it.each(Object.keys(others))('makes mean and variance local for themselves in one %s', async (name) => {
    const original = build(others[name] ?? []);
    const { model, report } = await convert(original, { trainSize: 16, baseSize: [5, 4] });
    expect(report.sites).toMatchObject([
      { node: 'm', operator: 'LocalAveragePool' },
      { node: 'variance', operator: 'LocalVariance' },
    ]);
    await expectLikeWindows(original, model, noise([1, 3, 9, 7]), [5, 4], { tolerance: 1e-4 });
    for (const exclude of [['m'], ['variance']])
      await expect(convert(original, { trainSize: 16, exclude })).rejects.toMatchObject({
        code: 'ERR_NOT_LOCALIZABLE',
        message:
          'm is the mean of the variance variance: one cannot be local without the other; choose both or none',
      });
  });

  it('refuses one with another power', async () => {
    const node = [...replace('square', makeNode('Pow', ['d', 'three'], ['square'])), scaled];
    await expect(convert(build(node), { trainSize: 8 })).rejects.toMatchObject({
      code: 'ERR_NOT_LOCALIZABLE',
      message: expect.stringContaining(
        'variance: it is the mean of what Sub (computes d) has taken a mean off',
      ),
    });
  });
});
