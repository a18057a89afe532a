import { describe, expect, it } from 'vitest';
import { buildModel, integers, valueInfo } from '../../test/build-model.js';
import type { Size } from '../size.js';
import { withProbedModel } from './measure.js';
import { makeNode, type NodeProto } from './proto.js';
import { sampleTwice, type TwoSizes } from './two-sizes.js';

const initializer = [
  integers('i2', [2]),
  integers('i4', [4]),
  integers('step', [64]),
  integers('wide_step', [256]),
  integers('front', [0, 0, 0, 0, 0, 0]),
  integers('pooled', [1, 3, 64, 64]),
];

function sample(node: readonly NodeProto[], size: Size): Promise<TwoSizes> {
  const model = buildModel({ node, initializer, input: [valueInfo('x', [1, 3, 'h', 'w'])] });
  return withProbedModel(model, 'm', {}, (probed) => sampleTwice(probed, size));
}

const relu = [makeNode('Relu', ['x'], ['y'])];

/** What it takes to the next multiple of `step` below and to the right: -side modulo it. */
const paddedTo = (step: string) => [
  makeNode('Shape', ['x'], ['shape']),
  makeNode('Slice', ['shape', 'i2', 'i4'], ['sides']),
  makeNode('Neg', ['sides'], ['negative']),
  makeNode('Mod', ['negative', step], ['more']),
  makeNode('Concat', ['front', 'more'], ['pads'], { attributes: { axis: 0 } }),
  makeNode('Pad', ['x', 'pads'], ['y']),
];

describe('sampleTwice', () => {
  it.each([
    [
      [256, 256],
      [192, 128],
    ],
    [
      [64, 128],
      [48, 64],
    ],
    [
      [50, 64],
      [100, 96],
    ], // no quarters
    [
      [64, 65],
      [128, 195],
    ], // no halves
    [
      [48, 48],
      [96, 72],
    ], // little would be left of it
  ] as const)('compares %j with %j', async (size, other) => {
    expect((await sample(relu, size)).map((one) => one.size)).toEqual([size, other]);
  });

  it('looks for a size that is not padded to be the same', async () => {
    const [trained, other] = await sample(paddedTo('step'), [64, 64]);
    expect(trained.shapes.get('y')).toEqual([1, 3, 64, 64]);
    expect(other).toMatchObject({ size: [128, 96], failure: undefined });
    expect(other.shapes.get('y')).toEqual([1, 3, 128, 128]);
  });

  it('goes beyond what every size is padded to', async () => {
    const [trained, other] = await sample(paddedTo('wide_step'), [40, 64]);
    expect(trained.shapes.get('y')).toEqual([1, 3, 256, 256]);
    expect(other).toMatchObject({ size: [512, 768], failure: undefined });
  });

  it('compares squares where the model takes these alone', async () => {
    const square = [
      makeNode('Transpose', ['x'], ['t'], { attributes: { perm: [0, 1, 3, 2] } }),
      makeNode('Add', ['x', 't'], ['y']),
    ];
    expect((await sample(square, [64, 64]))[1]).toMatchObject({ size: [48, 48], failure: undefined });
    expect((await sample(square, [16, 16]))[1]).toMatchObject({ size: [32, 32], failure: undefined });
  });

  it('looks for a size that the model can run at', async () => {
    const folded = [
      makeNode('SpaceToDepth', ['x'], ['d'], { attributes: { blocksize: 64 } }),
      makeNode('DepthToSpace', ['d'], ['y'], { attributes: { blocksize: 64 } }),
    ];
    const [, other] = await sample(folded, [64, 64]);
    expect(other).toMatchObject({ size: [128, 192], failure: undefined });
  });

  it('tells of what comes before a node that fails at any other size', async () => {
    const fixed = [
      makeNode('Relu', ['x'], ['r']),
      makeNode('Reshape', ['r', 'pooled'], ['p'], { name: 'fixing' }),
      makeNode('Relu', ['p'], ['y']),
    ];
    const [trained, other] = await sample(fixed, [64, 64]);
    expect(other).toMatchObject({
      failure: { node: 'fixing', reason: expect.stringMatching(/^cannot run on/) },
    });
    expect([...trained.shapes.keys()]).toEqual(['x', 'r', 'p', 'y']);
    expect([...other.shapes.keys()]).toEqual(['x', 'r']);
  });
});
