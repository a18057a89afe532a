import { describe, expect, it } from 'vitest';
import { carriedCases, exampleModel, otherCases } from '../../../../test/fixtures/index.js';
import { freeze } from '../../test/freeze.js';
import { inlineEnclosed } from '../conversion/inline-enclosed.js';
import { decodeModel, encodeModel, loadModel } from '../graph/model.js';
import { trialFeeds } from '../graph/trial-feeds.js';
import { InferenceSession } from '../session/inference-session.js';
import type { Size } from '../size.js';
import { compare } from '../verification/compare.js';
import { freeSizes } from './free-sizes.js';

/** Sizes that the networks take without padding. */
const sizes: readonly Size[] = [
  [64, 64],
  [80, 112],
  [128, 64],
  [96, 208],
];

function paint(values: Float32Array): void {
  for (let i = 0; i < values.length; i++) values[i] = Math.sin(i * 12.9) * 0.4 + 0.5;
}

/** Freezes a model that takes any size to this one, frees it, and holds it against what it was. */
async function expectFreed(path: string, size: Size, at = sizes): Promise<void> {
  const { model: dynamic } = await loadModel(path);
  const inlined = await inlineEnclosed((await loadModel(path)).model, 'model');
  await freeze(inlined, size);
  const frozen = decodeModel(encodeModel(inlined), 'frozen');
  expect((await freeSizes(frozen, 'frozen'))?.size).toEqual(size);
  const [before, after] = await Promise.all(
    [dynamic, frozen].map((model) => InferenceSession.create(encodeModel(model), { operators: 'portable' })),
  );
  for (const other of at) {
    const feeds = await trialFeeds(dynamic, other, 'model', paint);
    const [expected = {}, freed = {}] = [await before?.run(feeds), await after?.run(feeds)];
    expect(await compare(expected, freed)).toBeLessThan(1e-5);
  }
  await Promise.all([before, after].map((session) => session?.release()));
}

const small: Size = [64, 96];

describe('a model that an exporter has traced at one size', () => {
  const carried = [
    ...carriedCases.filter(({ dtype }) => dtype === 'float32').map(({ name, model }) => ({ name, model })),
    { name: 'unet_se', model: exampleModel('unet_se') },
  ];
  it.each(carried.flatMap((one) => [small, [128, 64] as Size].map((size) => ({ ...one, size }))))(
    '$name, at $size, is freed',
    ({ model, size }) => expectFreed(model, size),
  );

  // NAFNet pads by itself to what its depth calls for.
  it('is freed where its own size was padded, to be padded at others', async () => {
    const path = carriedCases.find(({ name }) => name.startsWith('nafnet'))?.model ?? '';
    const odd: readonly Size[] = [
      [60, 83],
      [64, 64],
      [51, 70],
      [97, 130],
    ];
    for (const size of [
      [61, 83],
      [64, 96],
    ] as const)
      await expectFreed(path, [...size], odd);
  });

  const others = otherCases.filter(({ dtype }) => dtype === 'float32');
  it.skipIf(others.length === 0).each(others)(
    'of the whole collection: $name is freed',
    ({ model }) => expectFreed(model, small),
    30_000,
  );
});
