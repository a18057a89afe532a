import { describe, expect, it } from 'vitest';
import { buildBytes, floats, integers, valueInfo } from '../../test/build-model.js';
import { convert } from '../../test/convert.js';
import { largestDifference, localInstanceNorm, noise } from '../../test/reference.js';
import { runModel } from '../../test/run-model.js';
import type { ConvertOptions } from '../conversion/choice.js';
import { makeNode, type NodeProto } from '../graph/proto.js';

const node = makeNode;
const window = [12, 16] as const;
const epsilon = { epsilon: { float: 1e-3 } };
const [scale, bias] = [
  [1.5, -0.5, 2, 1],
  [0.1, 0.2, -0.3, 0],
];
const norm = (from: string, to: string) =>
  node('InstanceNormalization', [from, 'scale', 'bias'], [to], { attributes: epsilon });
const relu = (from: string, to: string) =>
  node('LeakyRelu', [from], [to], { attributes: { alpha: { float: 0.25 } } });
const join = (inputs: readonly string[], to: string) =>
  node('Concat', inputs, [to], { attributes: { axis: 1 } });
const split = node('Split', ['x'], ['u', 'v'], { attributes: { axis: 1 } });
const tanh = (from: string) => node('Tanh', [from], ['y']);

function build(nodes: readonly NodeProto[], count = 4): Uint8Array {
  const constants = [
    floats('scale', [count], scale.slice(0, count)),
    floats('bias', [count], bias.slice(0, count)),
    integers('axis', [1]),
    integers('zero', [0]),
    integers('two', [2]),
    integers('four', [4]),
  ];
  const read = new Set(nodes.flatMap(({ input }) => input));
  return buildBytes({
    node: nodes,
    initializer: constants.filter(({ name }) => read.has(name)),
    input: [valueInfo('x', ['n', 4, 'h', 'w'])],
  });
}

/** The operators that were put in place, where they compute the Tanh of LeakyRelu of the first `count` channels normalized in windows. */
async function fused(
  nodes: readonly NodeProto[],
  count: number,
  alpha: number,
  mode: Pick<ConvertOptions, 'fast'> = {},
): Promise<string[]> {
  const options = { trainSize: [16, 20], baseSize: window, ...mode } as const;
  const { model, report } = await convert(build(nodes, count), options);
  const x = noise([2, 4, 19, 23]);
  const [{ maxStride } = {}] = report.sites;
  const strides = maxStride ? { maxStride } : {};
  const filled = (values: readonly number[]) => [0, 1, 2, 3].map((i) => (i < count ? (values[i] ?? 0) : 0));
  const expected = localInstanceNorm(x, filled(scale), filled(bias), window, 1e-3, strides).map(
    (value, i) => {
      const own = Math.floor(i / (19 * 23)) % 4 < count ? value : (x.data[i] as number);
      return Math.tanh(own < 0 ? alpha * own : own);
    },
  );
  for (const operators of ['native', 'portable'] as const)
    expect(largestDifference(await runModel(model, x, operators), expected)).toBeLessThan(1e-5);
  return report.fused.map(({ operator }) => operator);
}

async function found(nodes: readonly NodeProto[], count = 4): Promise<string[]> {
  const { report } = await convert(build(nodes, count), { trainSize: [16, 20], baseSize: window });
  return report.fused.map(({ operator }) => operator);
}

const half = ['LocalHalfInstanceNormalizationLeakyRelu'];
const slices = [
  node('Slice', ['x', 'two', 'four', 'axis'], ['v']),
  node('Slice', ['x', 'zero', 'two', 'axis'], ['u']),
];

describe('instance normalization', () => {
  it('takes the LeakyRelu behind it along', async () => {
    expect(await fused([norm('x', 'n'), relu('n', 'r'), tanh('r')], 4, 0.25)).toEqual([
      'LocalInstanceNormalizationLeakyRelu',
    ]);
  });

  it.each([
    ['a Split', [split]],
    ['Slices', slices],
  ])('of the first half by %s is one operator', async (_, parts) => {
    const nodes = [...parts, norm('u', 'n'), join(['n', 'v'], 'c'), relu('c', 'r'), tanh('r')];
    expect(await fused(nodes, 2, 0.25)).toEqual(half);
  });

  it('is as sparse in fast mode as it is on its own', async () => {
    const whole = [norm('x', 'n'), relu('n', 'r'), tanh('r')];
    const first = [split, norm('u', 'n'), join(['n', 'v'], 'c'), relu('c', 'r'), tanh('r')];
    expect(await fused(whole, 4, 0.25, { fast: true })).toEqual(['LocalInstanceNormalizationLeakyRelu']);
    expect(await fused(first, 2, 0.25, { fast: true })).toEqual(half);
  });

  it('of the first half needs no LeakyRelu', async () => {
    expect(await fused([split, norm('u', 'n'), join(['n', 'v'], 'c'), tanh('c')], 2, 1)).toEqual(half);
  });

  it('stays on its own, before another activation, and where its result is read twice', async () => {
    expect(await found([norm('x', 'n'), tanh('n')])).toEqual([]);
    expect(await found([norm('x', 'n'), node('Relu', ['n'], ['r']), tanh('r')])).toEqual([]);
    expect(await found([norm('x', 'n'), relu('n', 'r'), node('Add', ['n', 'r'], ['y'])])).toEqual([]);
  });

  it('stays before a LeakyRelu that multiplies with no number', async () => {
    const attributes = { alpha: { float: Number.POSITIVE_INFINITY } };
    const infinite = node('LeakyRelu', ['n'], ['r'], { attributes });
    expect(await found([norm('x', 'n'), infinite, tanh('r')])).toEqual([]);
  });

  it('stays where the halves come in another order, or are read elsewhere', async () => {
    const swapped = [split, norm('u', 'n'), join(['v', 'n'], 'c'), relu('c', 'r'), tanh('r')];
    expect(await found(swapped, 2)).toEqual([]);
    const second = [split, norm('v', 'n'), join(['n', 'u'], 'c'), relu('c', 'r'), tanh('r')];
    expect(await found(second, 2)).toEqual([]);
    const read = [split, norm('u', 'n'), join(['n', 'v'], 'c'), relu('c', 'r'), join(['r', 'u'], 'y')];
    expect(await found(read, 2)).toEqual([]);
  });
});
