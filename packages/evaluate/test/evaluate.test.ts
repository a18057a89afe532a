// Evaluations of the example networks on crops of the example photos.
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { convert, InferenceSession, readPhoto, restore } from '@tlsc/api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exampleModel } from '../../../test/fixtures/index.js';
import { makeNode } from '../../ts-api/src/graph/proto.js';
import { buildBytes, integers, valueInfo } from '../../ts-api/test/build-model.js';
import {
  type EvaluateOptions,
  type Evaluation,
  evaluate,
  findPairs,
  type MethodResult,
  type ModelResult,
  type Pair,
  type Progress,
  qualityOfPhotos,
  writeReport,
} from '../src/index.js';
import { writeSmallPairs } from './small-pairs.js';

const [height, width] = [168, 200];
let folder = '';
let pairs: readonly Pair[] = [];
const few = { trainSize: 64, baseSizes: [96, 128], patchSizes: [64], blendedSizes: [64] };
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tlsc-evaluate-'));
  await writeSmallPairs(join(folder, 'pairs'), height, width);
  ({ pairs } = await findPairs(join(folder, 'pairs')));
});
afterAll(() => rm(folder, { recursive: true }));

function resultOf({ methods }: ModelResult, title: string): MethodResult {
  const result = methods.find((one) => one.title === title);
  if (!result) throw new Error(`no ${title} among ${methods.map((one) => one.title).join('; ')}`);
  return result;
}

function only({ models: [model] }: Evaluation): ModelResult {
  if (!model) throw new Error('no model');
  return model;
}

describe('evaluate', () => {
  it('measures what the original and the converted model make of photos', async () => {
    const file = exampleModel('unet_in');
    const evaluation = await evaluate([file], pairs, few);
    const model = only(evaluation);
    expect(evaluation.photos.map(({ name }) => name)).toEqual([
      'oakland-zoo-otters',
      'perched-osprey',
      'tea-gardens',
    ]);
    expect(model.methods.map(({ title, work }) => [title, Math.round(work * 100) / 100])).toEqual([
      ['tiles of 64', 1.46],
      ['tiles of 64, blended', 3.66],
      ['global', 1],
      ['local 96', 1],
      ['local 128', 1],
    ]);
    const [pair] = pairs as [Pair];
    const { model: local } = await convert(file, { trainSize: 64, baseSize: 96 });
    const [input, target] = await Promise.all([readPhoto(pair.input), readPhoto(pair.target ?? '')]);
    for (const [title, source] of [
      ['global', file],
      ['local 96', local],
    ] as const) {
      const session = await InferenceSession.create(source);
      const expected = qualityOfPhotos(await restore(session, input), target, { bitDepth: 8 });
      await session.release();
      expect(resultOf(model, title).photos[0]).toEqual({ ...expected });
    }
    expect(evaluation.input?.photos[0]).toEqual({ ...qualityOfPhotos(input, target, { bitDepth: 8 }) });
    const psnrs = resultOf(model, 'global').photos.map((scores) => ('psnr' in scores ? scores.psnr : 0));
    expect(resultOf(model, 'global').mean?.psnr).toBeCloseTo(psnrs.reduce((sum, one) => sum + one) / 3, 10);
  });

  it.each(['unet_in', 'unet_se'])(
    'finds the statistics of %s nearer to training in windows',
    async (name) => {
      const large = join(folder, 'large');
      await writeSmallPairs(large, 256, 256);
      const { pairs: own } = await findPairs(large);
      const evaluation = await evaluate([exampleModel(name)], own, {
        ...few,
        baseSizes: [96],
        patchSizes: [],
        blendedSizes: [],
      });
      const { statistics } = only(evaluation);
      expect(statistics?.sites).toHaveLength(5);
      const { whole, local } = statistics?.total ?? {};
      expect(local?.wasserstein).toBeLessThan((whole?.wasserstein ?? 0) / 2);
      const all = statistics?.sites.map(({ mean }) => mean?.whole.wasserstein ?? 0) ?? [];
      expect(Math.min(...all)).toBeGreaterThan(0);
    },
  );

  it('finds them no nearer where photos are no larger than the windows', async () => {
    const evaluation = await evaluate([exampleModel('unet_se')], pairs, {
      ...few,
      trainSize: [height, width],
      baseSizes: [[height, width]],
      patchSizes: [],
      blendedSizes: [],
    });
    const { whole, local } = only(evaluation).statistics?.total ?? {};
    expect(whole?.wasserstein).toBeCloseTo(0, 5);
    expect(local?.wasserstein).toBeCloseTo(0, 5);
    // And so local statistics are global ones.
    const { gain } = only(evaluation).verdict;
    expect(gain?.mean).toBeCloseTo(0, 4);
  });

  it('has nothing to convert where there are no statistics', async () => {
    const model = only(await evaluate([exampleModel('unet')], pairs, few));
    expect(model).toMatchObject({ sites: [], statistics: undefined, verdict: { convert: undefined } });
    expect(model.verdict.sentence).toContain('no global statistics');
    expect(model.methods.map(({ title }) => title)).toEqual([
      'tiles of 64',
      'tiles of 64, blended',
      'global',
    ]);
  });

  it('says how far results differ where there are no targets', async () => {
    const inputs = pairs.map(({ name, input }) => ({ name, input, target: undefined }));
    const evaluation = await evaluate([exampleModel('unet_in')], inputs, { ...few, statistics: false });
    expect(evaluation).toMatchObject({ hasTargets: false, input: undefined });
    const model = only(evaluation);
    expect(model.methods.map(({ title }) => title)).toEqual(['global', 'local 96', 'local 128']);
    expect(resultOf(model, 'global').mean?.psnr).toBe(Number.POSITIVE_INFINITY);
    expect(resultOf(model, 'local 96').mean?.psnr).toBeLessThan(60);
    expect(model.verdict).toMatchObject({ convert: undefined, gain: undefined });
  });

  it('takes other measures', async () => {
    const image = (name: string) => valueInfo(name, ['n', 3, 'h', 'w']);
    const node = [
      makeNode('Sub', ['a', 'b'], ['d']),
      makeNode('Mul', ['d', 'd'], ['s']),
      makeNode('ReduceMean', ['s'], ['m'], { attributes: { keepdims: 0 } }),
    ];
    const mse = join(folder, 'mse.onnx');
    await writeFile(mse, buildBytes({ node, input: [image('a'), image('b')], output: [valueInfo('m', [])] }));
    const options = { ...few, baseSizes: [96], patchSizes: [], blendedSizes: [], statistics: false };
    const evaluation = await evaluate([exampleModel('unet_in')], pairs, { ...options, metrics: { mse } });
    expect(evaluation.measures).toEqual(['psnr', 'ssim', 'psnrY', 'ssimY', 'mse']);
    for (const scores of resultOf(only(evaluation), 'local 96').photos) {
      const { psnr, mse: found } = scores as Record<string, number>;
      expect(-10 * Math.log10(found ?? 0)).toBeCloseTo(psnr ?? 0, 3);
    }
    const wrong = evaluate([exampleModel('unet_in')], pairs, {
      ...options,
      metrics: { x: exampleModel('unet') },
    });
    await expect(wrong).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT', parameter: 'metrics' });
  });

  it('goes on where it was interrupted', async () => {
    const cache = join(folder, 'cache');
    const options: EvaluateOptions = { ...few, cache };
    const controller = new AbortController();
    const stopAt = ({ what }: Progress) => {
      if (what.includes('global: perched')) controller.abort();
    };
    const cut = evaluate([exampleModel('unet_in')], pairs, {
      ...options,
      onProgress: stopAt,
      signal: controller.signal,
    });
    await expect(cut).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    const kept = (await readdir(cache)).length;
    expect(kept).toBeGreaterThan(6);
    const shares: number[] = [];
    const onProgress = ({ done }: Progress) => shares.push(done);
    const first = await evaluate([exampleModel('unet_in')], pairs, { ...options, onProgress });
    expect(shares.at(-1)).toBeCloseTo(1, 6);
    expect(shares.toSorted((a, b) => a - b)).toEqual(shares);
    const again = await evaluate([exampleModel('unet_in')], pairs, options);
    expect(again).toEqual(first);
    // Of other options nothing is known.
    const shaved = await evaluate([exampleModel('unet_in')], pairs, {
      ...options,
      shave: 8,
      statistics: false,
    });
    expect(resultOf(only(shaved), 'global').mean?.psnr).not.toBe(resultOf(only(first), 'global').mean?.psnr);
  });

  it('notes a method that fails, and goes on', async () => {
    // Of one size, which tiles do not have.
    const node = [makeNode('Relu', ['x'], ['z']), makeNode('Reshape', ['z', 'shape'], ['y'])];
    const fixed = join(folder, 'fixed.onnx');
    const whole = integers('shape', [1, 3, height, width]);
    await writeFile(fixed, buildBytes({ node, initializer: [whole] }));
    const evaluation = await evaluate([fixed], pairs, {
      ...few,
      trainSize: [height, width],
      statistics: false,
    });
    const model = only(evaluation);
    expect(resultOf(model, 'tiles of 64').mean).toBeUndefined();
    expect(resultOf(model, 'tiles of 64').photos[0]).toMatchObject({ failure: expect.any(String) });
    expect(resultOf(model, 'global').mean).toBeDefined();
  });

  it('tells models of one name apart', async () => {
    const files = ['one', 'two'].map((name) => join(folder, name, 'unet_in.onnx'));
    for (const file of files) {
      await mkdir(join(file, '..'), { recursive: true });
      await copyFile(exampleModel('unet_in'), file);
    }
    const options = { ...few, baseSizes: [96], patchSizes: [], blendedSizes: [], statistics: false };
    const { models } = await evaluate(files, pairs, options);
    expect(models.map(({ name }) => name)).toEqual(['one-unet_in', 'two-unet_in']);
  });

  it('measures against the original where not all photos have targets', async () => {
    const mixed = pairs.map((pair, i) => (i === 0 ? { ...pair, target: undefined } : pair));
    const options = { ...few, baseSizes: [96], statistics: false };
    const evaluation = await evaluate([exampleModel('unet_in')], mixed, options);
    expect(evaluation.hasTargets).toBe(false);
    expect(resultOf(only(evaluation), 'global').mean?.psnr).toBe(Number.POSITIVE_INFINITY);
  });

  it('leaves statistics global that are excluded', async () => {
    const options = { ...few, baseSizes: [64], patchSizes: [], blendedSizes: [], exclude: ['/enc.*'] };
    const { sites, statistics } = only(await evaluate([exampleModel('unet_in')], pairs, options));
    expect(sites.every((site) => site.startsWith('/dec'))).toBe(true);
    expect(statistics?.sites).toHaveLength(sites.length);
  });

  it('notes where statistics cannot be compared, and goes on', async () => {
    const damaged = join(folder, 'damaged.png');
    await writeFile(damaged, (await readFile(pairs[0]?.input ?? '')).subarray(0, 2000));
    const broken = [{ name: 'damaged', input: damaged, target: pairs[0]?.target }, ...pairs];
    const options = { ...few, baseSizes: [96], patchSizes: [], blendedSizes: [] };
    const model = only(await evaluate([exampleModel('unet_in')], broken, options));
    expect(model).toMatchObject({ statistics: undefined, statisticsFailure: expect.any(String) });
    expect(resultOf(model, 'global').photos[0]).toMatchObject({ failure: expect.any(String) });
    expect(resultOf(model, 'global').photos[1]).toMatchObject({ psnr: expect.any(Number) });
    expect(model.verdict.sentence).toContain('could not be compared');
  });

  it('refuses what it cannot make sense of', async () => {
    const model = exampleModel('unet_in');
    const other = { name: 'a', input: pairs[0]?.input ?? '', target: pairs[1]?.input };
    await writeSmallPairs(join(folder, 'odd'), 100, 150);
    const odd = { ...other, target: join(folder, 'odd', 'tea-gardens_target.png') };
    const cases: readonly [string, () => Promise<unknown>][] = [
      ['models', () => evaluate([], pairs, few)],
      ['pairs', () => evaluate([model], [], few)],
      ['pairs', () => evaluate([model], [odd], few)],
      ['trainSize', () => evaluate([model], pairs, { ...few, trainSize: 0 })],
      ['baseSizes', () => evaluate([model], pairs, { ...few, baseSizes: [0] })],
      ['patchSizes', () => evaluate([model], pairs, { ...few, patchSizes: [1.5] })],
      ['blendedSizes', () => evaluate([model], pairs, { ...few, blendedSizes: 64 as never })],
      ['shave', () => evaluate([model], pairs, { ...few, shave: -1 })],
      ['shave', () => evaluate([model], pairs, { ...few, shave: height / 2 })],
      ['range', () => evaluate([model], pairs, { ...few, range: [1, 0] })],
      ['output', () => evaluate([model], pairs, { ...few, output: 'none' })],
      ['cache', () => evaluate([model], pairs, { ...few, cache: 5 as never })],
      ['inputs', () => evaluate([model], pairs, { ...few, inputs: { w: 'a' as never } })],
      ['metrics', () => evaluate([model], pairs, { ...few, metrics: { psnr: model } })],
      ['round', () => evaluate([model], pairs, { ...few, round: 1 as never })],
      ['metrics', () => evaluate([model], pairs, { ...few, metrics: { 'a b': 'c' } })],
      ['options', () => evaluate([model], pairs, { ...few, typo: 1 } as never)],
    ];
    for (const [parameter, call] of cases)
      await expect(call()).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT', parameter });
    await expect(evaluate(['missing.onnx'], pairs, few)).rejects.toMatchObject({
      code: 'ERR_MODEL_NOT_FOUND',
    });
    const missing = [{ name: 'a', input: 'missing.png', target: undefined }];
    await expect(evaluate([model], missing, few)).rejects.toMatchObject({ code: 'ERR_IMAGE_NOT_FOUND' });
  });
});

describe('writeReport', () => {
  it('writes a page, numbers and figures', async () => {
    const report = join(folder, 'report');
    const models = [exampleModel('unet'), exampleModel('unet_in')];
    const evaluation = await evaluate(models, pairs, few);
    const page = await writeReport(evaluation, report, few, { left: ['left.png'] });
    expect((await readdir(report)).toSorted()).toEqual([
      'base-sizes.png',
      'base-sizes.svg',
      'distances-unet_in.png',
      'distances-unet_in.svg',
      'index.html',
      'patches.png',
      'patches.svg',
      'results.csv',
      'results.json',
      'statistics-unet_in.png',
      'statistics-unet_in.svg',
    ]);
    const text = await readFile(page, 'utf8');
    for (const { verdict } of evaluation.models) expect(text).toContain(verdict.sentence.slice(0, 30));
    expect(text).toContain('1 images have no other half');
    // Nothing is fetched from anywhere.
    expect(text).not.toMatch(/(src|href)="(?!data:)/);
    const written = JSON.parse(await readFile(join(report, 'results.json'), 'utf8')) as Evaluation;
    expect(written.models.map(({ name }) => name)).toEqual(['unet', 'unet_in']);
    const rows = (await readFile(join(report, 'results.csv'), 'utf8')).trim().split('\n');
    expect(rows[0]).toBe('model,method,photo,psnr,ssim,psnrY,ssimY,work,failure');
    expect(rows).toHaveLength(1 + 3 * (1 + 3 + 5));
  });

  it('takes names for text', async () => {
    const model = join(folder, '-&<x>"sizes.onnx');
    await copyFile(exampleModel('unet_in'), model);
    const odd = pairs.map((pair) => ({ ...pair, name: `<b>"${pair.name}"&</script>` }));
    const options = { ...few, patchSizes: [], blendedSizes: [] };
    const evaluation = await evaluate([model, exampleModel('unet_in')], odd, options);
    const text = await readFile(await writeReport(evaluation, join(folder, 'odd-report'), options), 'utf8');
    expect(text).not.toContain('<b>"');
    expect(text.split('</script>')).toHaveLength(3);
    // One of each model, two that compare them.
    expect(text.match(/<svg /g)).toHaveLength(1 + 2 + 2);
  });
});
