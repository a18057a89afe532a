import type { Tensor } from 'onnxruntime-common';
import { describe, expect, it } from 'vitest';
import { carriedModel } from '../../../test/fixtures/index.js';
import { buildBytes, floats, valueInfo } from '../test/build-model.js';
import { noise } from '../test/reference.js';
import { makeNode } from './graph/proto.js';
import { restore } from './image/restore.js';
import { type ObserveOptions, observe } from './observe.js';
import { InferenceSession } from './session/inference-session.js';

type Samples = readonly (readonly number[])[];

function rowsOf({ data, dims: [samples = 0, groups = 0] }: Tensor): Samples {
  return Array.from({ length: samples }, (_, i) =>
    Array.from((data as Float32Array).subarray(i * groups, (i + 1) * groups)),
  );
}

async function observed(model: Uint8Array, x: Tensor, options: ObserveOptions) {
  const { model: bytes, sites, unseen } = await observe(model, options);
  const session = await InferenceSession.create(bytes);
  const outputs = await session.run({ x });
  await session.release();
  const shown = sites.map(({ node, operator, mean, deviation }) => ({
    node,
    operator,
    mean: rowsOf(outputs[mean] as Tensor),
    deviation: deviation === undefined ? undefined : rowsOf(outputs[deviation] as Tensor),
  }));
  return { shown, unseen };
}

/** Mean and standard deviation of a part of some channels of an image. */
function statistics(x: Tensor, channels: readonly number[], [top, left]: readonly number[], side: number) {
  const [, , height = 0, width = 0] = x.dims;
  const values = channels.flatMap((c) =>
    Array.from({ length: Math.min(side, height) }, (_, i) =>
      Array.from(
        (x.data as Float32Array).subarray(
          (c * height + (top ?? 0) + i) * width + (left ?? 0),
          (c * height + (top ?? 0) + i) * width + (left ?? 0) + Math.min(side, width),
        ),
      ),
    ).flat(),
  );
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, deviation: Math.sqrt(variance) };
}

const trainSize = 8;
const window = 12;
/** Two positions of a window of 12 down, three across. */
const x = noise([1, 4, 13, 14]);
const corners = [0, 1].flatMap((top) => [0, 1, 2].map((left) => [top, left]));
const input = [valueInfo('x', ['n', 4, 'h', 'w'])];
const constants = [floats('scale', [4]), floats('bias', [4])];

describe('observe', () => {
  it('shows the means of windows, or of whole planes', async () => {
    const node = [makeNode('GlobalAveragePool', ['x'], ['m']), makeNode('Mul', ['x', 'm'], ['y'])];
    const pooled = buildBytes({ node, input });
    const local = await observed(pooled, x, { trainSize });
    expect(local.shown).toMatchObject([{ operator: 'LocalAveragePool', deviation: undefined }]);
    const means = (corner: readonly number[], side: number) =>
      [0, 1, 2, 3].map((channel) => statistics(x, [channel], corner, side).mean);
    for (const [i, corner] of corners.entries())
      for (const [c, mean] of means(corner, window).entries())
        expect(local.shown[0]?.mean[i]?.[c]).toBeCloseTo(mean, 5);
    const whole = await observed(pooled, x, { trainSize, whole: true });
    expect(whole.shown[0]?.mean).toHaveLength(1);
    for (const [c, mean] of means([0, 0], 14).entries())
      expect(whole.shown[0]?.mean[0]?.[c]).toBeCloseTo(mean, 5);
  });

  it.each([
    ['InstanceNormalization', {}, 17, [[0], [1], [2], [3]]],
    [
      'GroupNormalization',
      { num_groups: 2 },
      21,
      [
        [0, 1],
        [2, 3],
      ],
    ],
  ] as const)('shows means and deviations of %s', async (operator, attributes, opset, groups) => {
    const node = [makeNode(operator, ['x', 'scale', 'bias'], ['y'], { attributes })];
    const normalized = buildBytes({ node, input, initializer: constants }, { opset, irVersion: 10 });
    const { shown } = await observed(normalized, x, { trainSize });
    expect(shown).toHaveLength(1);
    for (const [i, corner] of corners.entries())
      for (const [g, channels] of groups.entries()) {
        const { mean, deviation } = statistics(x, channels, corner, window);
        expect(shown[0]?.mean[i]?.[g]).toBeCloseTo(mean, 5);
        expect(shown[0]?.deviation?.[i]?.[g]).toBeCloseTo(deviation, 5);
      }
  });

  it('takes no more of large planes than shows how they lie', async () => {
    const node = [makeNode('GlobalAveragePool', ['x'], ['m']), makeNode('Mul', ['x', 'm'], ['y'])];
    const { shown } = await observed(buildBytes({ node, input }), noise([1, 4, 40, 120]), { trainSize });
    // 29 positions down by twos, 109 across by sevens.
    expect(shown[0]?.mean).toHaveLength(15 * 16);
  });

  it('shows those of float16 in float32', async () => {
    const { model, sites } = await observe(carriedModel('nafnet_fp16'), { trainSize: 64 });
    const session = await InferenceSession.create(model);
    const photo = { tensor: noise([1, 3, 104, 128]), bitDepth: 8 } as const;
    const [first] = sites;
    const [output = ''] = session.outputNames;
    const { outputs } = await restore(session, photo, { output, fetches: [first?.mean ?? ''] });
    const shown = outputs[first?.mean ?? ''];
    expect(shown?.type).toBe('float32');
    expect(Array.from(shown?.data as Float32Array).every(Number.isFinite)).toBe(true);
    await expect(restore(session, photo, { output, fetches: [output] })).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      parameter: 'fetches',
    });
    await session.release();
  });

  it('shows the scores of attention', async () => {
    const { model, sites, unseen } = await observe(carriedModel('restormer_small_one_dim'), {
      trainSize: 64,
    });
    expect(sites.map(({ operator }) => operator)).toEqual(Array(8).fill('LocalWindowPartition'));
    expect(unseen).toEqual([]);
    const session = await InferenceSession.create(model);
    const photo = { tensor: noise([1, 3, 104, 128]), bitDepth: 8 } as const;
    const [output = ''] = session.outputNames;
    const [first] = sites;
    const { outputs } = await restore(session, photo, { output, fetches: [first?.mean ?? ''] });
    // Windows of 96 pixels: two down, two across.
    expect(outputs[first?.mean ?? '']?.dims[0]).toBe(4);
    await session.release();
  });

  it('refuses what it cannot make sense of', async () => {
    const model = buildBytes({ node: [makeNode('Relu', ['x'], ['y'])] });
    expect(await observe(model, { trainSize })).toMatchObject({ sites: [], unseen: [] });
    await expect(observe(model, { trainSize, whole: 1 as never })).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      parameter: 'whole',
    });
    await expect(observe(model, { trainSize: 0 })).rejects.toMatchObject({ parameter: 'trainSize' });
  });
});
