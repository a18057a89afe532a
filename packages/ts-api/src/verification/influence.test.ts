import { describe, expect, it } from 'vitest';
import { buildBytes, floats, type GraphParts, image, integers, valueInfo } from '../../test/build-model.js';
import { convert } from '../../test/convert.js';
import { decodeModel, encodeModel, type Model } from '../graph/model.js';
import { DataType, makeNode, type NodeProto } from '../graph/proto.js';
import { type Verification, verify } from '../verify.js';

const x = valueInfo('x', image);

/** A network with one statistic, `pool`, from x to net. */
const net = [
  makeNode('Conv', ['x', 'kernel'], ['c'], { name: 'conv' }),
  makeNode('GlobalAveragePool', ['c'], ['p'], { name: 'pool' }),
  makeNode('Mul', ['c', 'p'], ['net'], { name: 'scale' }),
];
const kernel = floats('kernel', [3, 3, 1, 1]);

function network(after: readonly NodeProto[], parts: Partial<GraphParts> = {}): Uint8Array {
  const { initializer = [], ...others } = parts;
  return buildBytes({ node: [...net, ...after], initializer: [kernel, ...initializer], ...others });
}

/** y = x + w · net. */
const blend = [makeNode('Mul', ['net', 'w'], ['part']), makeNode('Add', ['x', 'part'], ['y'])];

async function check(bytes: Uint8Array, spoil?: (model: Model) => void): Promise<Verification> {
  const { model } = await convert(bytes, { trainSize: 64 });
  const decoded = decodeModel(model, 'm');
  spoil?.(decoded);
  return verify(bytes, spoil ? encodeModel(decoded) : model, { fullSize: false });
}

/** The weights of the convolution, one of them another. */
function spoilWeights({ graph }: Model): void {
  const weights = graph.initializer.find(({ name }) => name === 'kernel');
  if (weights) weights.floatData[0] = 2;
}

describe('what inputs that are no images are fed', () => {
  it.each<[string, (number | string)[]]>([
    ['scalar', []],
    ['vector', [3]],
    ['value per channel', [1, 3, 1, 1]],
    ['map', ['batch', 1, 'height', 'width']],
  ])('does not switch off what is blended by a %s', async (_, shape) => {
    const after = shape.length === 1 ? [makeNode('Reshape', ['v', 'dims'], ['w']), ...blend] : blend;
    const input = [x, valueInfo(shape.length === 1 ? 'v' : 'w', shape)];
    const bytes = network(after, { input, initializer: [integers('dims', [1, 3, 1, 1])] });
    const sound = await check(bytes);
    expect(sound).toMatchObject({ passed: true, blindSites: [] });
    if (shape.length !== 4) expect(sound.fed).toMatchObject([{ values: '0.25 to 0.75' }]);
    expect(await check(bytes, spoilWeights)).toMatchObject({ passed: false, faulty: true });
  });

  it('is another where the first choice switches the network off', async () => {
    const after = [makeNode('Where', ['skip', 'x', 'net'], ['y'])];
    const bytes = network(after, { input: [valueInfo('skip', [], DataType.BOOL), x] });
    const fed = [{ input: 'skip', values: 'false' }];
    expect(await check(bytes)).toMatchObject({ passed: true, fed });
    expect(await check(bytes, spoilWeights)).toMatchObject({ passed: false, faulty: true, fed });
  });

  it('is another where the model fails on the first choice', async () => {
    const after = [makeNode('Gather', ['table', 'task'], ['w']), ...blend];
    const parts = { input: [x, valueInfo('task', [], DataType.INT64)], initializer: [floats('table', [1])] };
    const fed = [{ input: 'task', values: '0' }];
    expect(await check(network(after, parts))).toMatchObject({ passed: true, fed });
  });
});

describe('a local operator that no output shows', () => {
  it('proves nothing, where there is no other', async () => {
    const bytes = network(blend, { initializer: [floats('w', [1], [0])] });
    const nothing = { passed: false, faulty: false, blindSites: ['pool'], selfCheck: { native: 0 } };
    expect(await check(bytes)).toMatchObject(nothing);
    // What is wrong with it cannot be seen.
    expect(await check(bytes, spoilWeights)).toMatchObject(nothing);
  });

  it('is one that shows less than the tolerance can tell', async () => {
    const bytes = network(blend, { initializer: [floats('w', [1], [1e-6])] });
    expect(await check(bytes)).toMatchObject({ passed: false, faulty: false, blindSites: ['pool'] });
  });

  it('is one that computes the same whatever the image', async () => {
    const zero = floats('kernel', [3, 3, 1, 1], Array(9).fill(0));
    const after = [makeNode('Add', ['x', 'net'], ['y'])];
    const bytes = buildBytes({ node: [...net, ...after], initializer: [zero] });
    expect(await check(bytes)).toMatchObject({ passed: false, faulty: false, blindSites: ['pool'] });
  });

  it('is named, and others are compared', async () => {
    const after = [
      makeNode('GlobalAveragePool', ['net'], ['p2'], { name: 'dead' }),
      makeNode('Mul', ['net', 'p2'], ['net2']),
      makeNode('Mul', ['net2', 'w'], ['part']),
      makeNode('Add', ['net', 'part'], ['y']),
    ];
    const bytes = network(after, { initializer: [floats('w', [1], [0])] });
    expect(await check(bytes)).toMatchObject({ passed: true, blindSites: ['dead'] });
    expect(await check(bytes, spoilWeights)).toMatchObject({ passed: false, faulty: true });
  });

  it('is looked for on the small image first, and then on the large one', async () => {
    const after = [
      makeNode('Shape', ['x'], ['shape'], { attributes: { start: 2, end: 3 } }),
      makeNode('Greater', ['shape', 'rows'], ['large']),
      makeNode('Cast', ['large'], ['w'], { attributes: { to: DataType.FLOAT } }),
      ...blend,
    ];
    expect(await check(network(after, { initializer: [integers('rows', [32])] }))).toMatchObject({
      passed: true,
      blindSites: [],
    });
  });

  it('is none that a later normalization sees unevenly only', async () => {
    const constants = [floats('one', [3], [1, 1, 1]), floats('none', [3], [0, 0, 0])];
    const node = [
      makeNode('InstanceNormalization', ['x', 'one', 'none'], ['n'], { name: 'first' }),
      makeNode('InstanceNormalization', ['n', 'one', 'none'], ['y'], { name: 'second' }),
    ];
    expect(await check(buildBytes({ node, initializer: constants }))).toMatchObject({
      passed: true,
      blindSites: [],
    });
  });

  it('may be float16, and is not one where it is only NaN that shows', async () => {
    const half = DataType.FLOAT16;
    const node = (divisor: string) => [
      makeNode('Cast', ['x'], ['h'], { attributes: { to: half } }),
      makeNode('GlobalAveragePool', ['h'], ['p'], { name: 'pool' }),
      makeNode('Mul', ['h', 'p'], ['z']),
      makeNode('Cast', ['z'], ['f'], { attributes: { to: DataType.FLOAT } }),
      makeNode('Div', ['f', divisor], ['y']),
    ];
    const initializer = [floats('by', [1], [0.1]), floats('nothing', [1], [0])];
    const sound = await check(buildBytes({ node: node('by'), initializer }));
    expect(sound).toMatchObject({ passed: true, tolerance: 2 ** -7, blindSites: [] });
    const infinite = await check(buildBytes({ node: node('nothing'), initializer }));
    expect(infinite).toMatchObject({ passed: false, blindSites: ['pool'] });
  });
});
