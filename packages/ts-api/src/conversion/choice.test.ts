// What is made local by the caller's choice, and what a converted model says of it.
import { describe, expect, it } from 'vitest';
import { carriedModel, exampleModel } from '../../../../test/fixtures/index.js';
import { buildBytes, floats, integers } from '../../test/build-model.js';
import { convert } from '../../test/convert.js';
import { largestDifference, noise, windowMeans } from '../../test/reference.js';
import { runModel } from '../../test/run-model.js';
import { decodeModel, encodeModel } from '../graph/model.js';
import { makeNode } from '../graph/proto.js';
import { inspect } from '../inspect.js';
import { verify } from '../verify.js';
import { version } from '../version.js';
import { toChoice } from './choice.js';

const model = exampleModel('unet_se');
const first = '/enc.0/se/se.0/GlobalAveragePool';
const trainSize = 64;

async function chosen(options: {
  include?: readonly (string | RegExp)[];
  exclude?: readonly (string | RegExp)[];
}) {
  const { report } = await convert(model, { trainSize, ...options });
  return { sites: report.sites.map(({ node }) => node), kept: report.kept };
}

describe('include and exclude', () => {
  it('take names of nodes', async () => {
    const { sites, kept } = await chosen({ include: [first] });
    expect(sites).toEqual([first]);
    expect(kept).toHaveLength(4);
    expect(kept[0]?.reason).toBe('left global: it is not among those included');
  });

  it('take * for any characters, and nothing else for a pattern', async () => {
    const { sites, kept } = await chosen({ exclude: ['/enc.*'] });
    expect(sites).toHaveLength(2);
    expect(kept).toMatchObject([{ node: first, reason: 'left global: it is excluded by /enc.*' }, {}, {}]);
    await expect(chosen({ exclude: ['/enc.+'] })).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' });
  });

  it.each([
    ['*', true],
    ['pool', true],
    ['pool*', true],
    ['*pool', true],
    ['p*l', true],
    ['p*o*l', true],
    ['**po**ol**', true],
    ['poo', false],
    ['*x*', false],
    ['ool*', false],
    ['*poo', false],
    ['pool*l', false],
    ['po*ol*ol', false],
    ['*o*o*o*', false],
    ['', false],
  ])('take %j for pool: %j', (pattern, taken) => {
    const [one] = toChoice({ trainSize, exclude: [pattern] }).exclude;
    expect(one?.matches('pool')).toBe(taken);
  });

  it('take no longer for a pattern of many * than for others', () => {
    const [one] = toChoice({ trainSize, exclude: [`${'*a'.repeat(30)}*b`] }).exclude;
    expect(one?.matches('a'.repeat(5000))).toBe(false);
  });

  it('take regular expressions, with whatever flags', async () => {
    const { sites } = await chosen({ include: [/ENC/gi], exclude: [/enc\.[02]/] });
    expect(sites).toEqual(['/enc.1/se/se.0/GlobalAveragePool']);
  });

  it('leave the rest of the network as it was', async () => {
    const { model: converted } = await convert(model, { trainSize, exclude: [first] });
    expect(await verify(model, converted, { fullSize: [96, 130] })).toMatchObject({ passed: true });
    const { statistics, localOperators } = await inspect(converted);
    expect(statistics.map(({ node }) => node)).toEqual([first]);
    expect(localOperators.filter(({ operator }) => operator === 'LocalAveragePool')).toHaveLength(4);
  });

  it('let a model be converted around what cannot be made local', async () => {
    const node = [
      makeNode('MeanVarianceNormalization', ['x'], ['n'], { name: 'mvn' }),
      makeNode('GlobalAveragePool', ['n'], ['p'], { name: 'pool' }),
      makeNode('Mul', ['n', 'p'], ['y']),
    ];
    const bytes = buildBytes({ node });
    await expect(convert(bytes, { trainSize })).rejects.toMatchObject({ code: 'ERR_NOT_LOCALIZABLE' });
    const { report } = await convert(bytes, { trainSize, exclude: ['mvn'] });
    expect(report).toMatchObject({ sites: [{ node: 'pool' }], kept: [{ node: 'mvn' }] });
  });

  it('name the statistic that a node is part of', async () => {
    const node = [
      makeNode('ReduceMean', ['x'], ['m'], { name: 'first', attributes: { axes: [3] } }),
      makeNode('ReduceMean', ['m'], ['s'], { name: 'second', attributes: { axes: [2] } }),
      makeNode('Mul', ['x', 's'], ['y']),
    ];
    await expect(convert(buildBytes({ node }), { trainSize, exclude: ['first'] })).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      message: 'exclude: first goes with second, which it is part of; choose that',
    });
  });

  it('hand a model back as it is where nothing is left', async () => {
    const { model: converted, report } = await convert(model, { trainSize, exclude: ['*'] });
    expect(report.sites).toEqual([]);
    expect(decodeModel(converted, 'm').functions).toEqual([]);
  });

  it('part means that meet flattened: the other is the same for all pixels', async () => {
    const pool = (name: string) => [
      makeNode('GlobalAveragePool', [name === 'a' ? 'x' : 'r'], [`${name}p`], { name }),
      makeNode('Flatten', [`${name}p`], [`${name}f`]),
    ];
    const node = [
      makeNode('Relu', ['x'], ['r']),
      ...pool('a'),
      ...pool('b'),
      makeNode('Add', ['af', 'bf'], ['sum']),
      makeNode('MatMul', ['sum', 'w'], ['gate']),
      makeNode('Unsqueeze', ['gate', 'axes'], ['g']),
      makeNode('Mul', ['x', 'g'], ['y']),
    ];
    const weights = floats('w', [3, 3]);
    const bytes = buildBytes({ node, initializer: [weights, integers('axes', [2, 3])] });
    expect((await convert(bytes, { trainSize })).report.sites).toHaveLength(2);
    const { model: parted, report } = await convert(bytes, { trainSize, baseSize: [5, 4], exclude: ['b'] });
    expect(report.sites).toMatchObject([{ node: 'a' }]);
    const x = noise([1, 3, 9, 7]);
    const global = [0, 1, 2].map((c) => {
      const plane = Array.from({ length: 63 }, (_, i) => Math.max(x.data[c * 63 + i] as number, 0));
      return plane.reduce((sum, value) => sum + value, 0) / 63;
    });
    const local = windowMeans(x, [5, 4]);
    const expected = Float32Array.from(local, (_, i) => {
      const [channel, pixel] = [Math.floor(i / 63), i % 63];
      const gate = [0, 1, 2].reduce(
        (sum, c) =>
          sum + ((local[c * 63 + pixel] ?? 0) + (global[c] ?? 0)) * (weights.floatData[c * 3 + channel] ?? 0),
        0,
      );
      return gate * (x.data[i] as number);
    });
    for (const operators of ['native', 'portable'] as const)
      expect(largestDifference(await runModel(parted, x, operators), expected)).toBeLessThan(1e-6);
  });

  it.each([
    [{ include: ['nothing'] }, 'include: nothing is no global statistic of'],
    [{ exclude: [/^enc/] }, 'exclude: /^enc/ is no global statistic of'],
    [{ include: [] }, 'include must be a list of names of nodes or regular expressions, at least one'],
    [
      { exclude: 'enc' as never },
      'exclude must be a list of names of nodes or regular expressions, at least one',
    ],
    [
      { exclude: [3] as never },
      'exclude must be a list of names of nodes or regular expressions, at least one',
    ],
  ])('refuse %j', async (options, message) => {
    await expect(chosen(options)).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      message: expect.stringContaining(message),
    });
  });
});

describe('a converted model', () => {
  it('says by what and how it was converted', async () => {
    const { model: converted, report } = await convert(carriedModel('nafnet_base_nonsquare'), {
      trainSize,
      baseSize: [80, 112],
      fast: true,
    });
    const { converted: record } = await inspect(converted);
    const { sites, baseSize } = report;
    expect(record).toEqual({ version, trainSize: [64, 64], baseSize, sites });
  });

  it.each([
    ['tlsc.sites', 'no JSON'],
    ['tlsc.sites', '[{"node":"n"}]'],
    ['tlsc.sites', '{}'],
    ['tlsc.train_size', '64'],
    ['tlsc.base_size', '0x0'],
  ])('is not believed when it says %s: %s', async (key, value) => {
    const { model: converted } = await convert(model, { trainSize });
    const edited = decodeModel(converted, 'm');
    for (const entry of edited.metadataProps) if (entry.key === key) entry.value = value;
    const bytes = encodeModel(edited);
    expect((await inspect(bytes)).converted).toBeUndefined();
    await expect(verify(model, bytes)).rejects.toMatchObject({ code: 'ERR_NOT_CONVERTED' });
  });
});

describe('explain', () => {
  const verdictsOf = async (node: string) => {
    const { explanation } = await inspect(model, { trainSize, explain: node });
    return Object.fromEntries((explanation?.verdicts ?? []).map(({ rule, ...verdict }) => [rule, verdict]));
  };

  it('says which rule converts a node, and what the others look for', async () => {
    expect(await verdictsOf(first)).toMatchObject({
      'local-average-pool': {
        outcome: 'converts',
        reason: 'its plane is 32x32; it becomes LocalAveragePool … ReplicateScale',
      },
      'local-instance-normalization': {
        outcome: 'passes',
        reason: expect.stringContaining('it looks for InstanceNormalization'),
      },
    });
  });

  it('gives the reason of a refusal, of what is kept and of what shapes clear', async () => {
    const node = [
      makeNode('GlobalMaxPool', ['x'], ['top'], { name: 'max' }),
      makeNode('ReduceLogSum', ['x'], ['p'], { name: 'odd', attributes: { axes: [2, 3] } }),
      makeNode('ReduceSum', ['x', 'one'], ['s'], { name: 'channels' }),
      makeNode('Mul', ['top', 'p'], ['scale']),
      makeNode('Mul', ['x', 'scale'], ['scaled']),
      makeNode('Add', ['scaled', 's'], ['y']),
    ];
    const bytes = buildBytes({ node, initializer: [integers('one', [1])] });
    const outcomeOf = async (explain: string, rule: string) => {
      const { explanation } = await inspect(bytes, { trainSize, explain });
      return explanation?.verdicts.find((verdict) => verdict.rule === rule);
    };
    expect(await outcomeOf('odd', 'other-reductions')).toMatchObject({
      outcome: 'refuses',
      reason: expect.stringContaining('ReduceLogSum over height and width cannot be converted yet'),
    });
    expect(await outcomeOf('max', 'other-reductions')).toMatchObject({ outcome: 'keeps' });
    // By what it computes, too.
    expect(await outcomeOf('s', 'other-reductions')).toMatchObject({
      outcome: 'passes',
      reason: expect.stringContaining('shapes show that this is none'),
    });
  });

  it('refuses a name that no node has', async () => {
    await expect(inspect(model, { explain: 'nothing' })).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      parameter: 'explain',
      message: expect.stringContaining('has no node named nothing'),
    });
  });
});
