import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { Tensor } from 'onnxruntime-common';
import { describe, expect, it } from 'vitest';
import { carriedModel, exampleModel } from '../../../../test/fixtures/index.js';
import { buildBytes, valueInfo } from '../../test/build-model.js';
import { convert } from '../../test/convert.js';
import { noise } from '../../test/reference.js';
import { TlscError } from '../errors.js';
import { decodeModel, encodeModel } from '../graph/model.js';
import { makeNode } from '../graph/proto.js';
import { toImageTensor } from './image-tensors.js';
import { InferenceSession } from './inference-session.js';

const twoOutputs = buildBytes({
  node: [makeNode('Neg', ['x'], ['y']), makeNode('Abs', ['x'], ['z'])],
  output: [valueInfo('y', ['n', 'c', 'h', 'w']), valueInfo('z', ['n', 'c', 'h', 'w'])],
});

async function longRun() {
  const session = await InferenceSession.create(exampleModel('unet_in'));
  return { session, feeds: { input: noise([1, 3, 1200, 1600]) } };
}

describe('InferenceSession', () => {
  it('speaks onnxruntime’s words', async () => {
    const session = await InferenceSession.create(twoOutputs);
    expect(session.inputNames).toEqual(['x']);
    expect(session.outputNames).toEqual(['y', 'z']);
    expect(session.inputMetadata).toEqual([
      { name: 'x', isTensor: true, type: 'float32', shape: ['batch', 3, 'height', 'width'] },
    ]);
    const x = noise([1, 3, 4, 5]);
    const { y, z } = await session.run({ x });
    expect(y).toBeInstanceOf(Tensor);
    expect(y?.dims).toEqual([1, 3, 4, 5]);
    expect(y?.data).toEqual((x.data as Float32Array).map((value) => -value));
    expect(z?.data).toEqual((x.data as Float32Array).map(Math.abs));
    await session.release();
  });

  it('takes bytes, array buffers and models with a space in their offset', async () => {
    const buffer = new Uint8Array(twoOutputs.length + 3);
    buffer.set(twoOutputs, 3);
    await expect(InferenceSession.create(buffer.subarray(3))).resolves.toBeInstanceOf(InferenceSession);
    await expect(InferenceSession.create(twoOutputs.slice().buffer)).resolves.toBeInstanceOf(
      InferenceSession,
    );
    await expect(InferenceSession.create(5 as never)).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' });
  });

  it('fetches what is asked for, by list or by object', async () => {
    const session = await InferenceSession.create(twoOutputs);
    const feeds = { x: noise([1, 3, 2, 2]) };
    expect(Object.keys(await session.run(feeds, ['z']))).toEqual(['z']);
    expect(Object.keys(await session.run(feeds, { y: null }))).toEqual(['y']);
    await expect(session.run(feeds, ['w'])).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      parameter: 'fetches',
    });
    await expect(session.run(feeds, [])).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      parameter: 'fetches',
    });
  });

  it.each([
    ['a missing input', {}, 'input x must be a Tensor, not missing'],
    [
      'an unknown input',
      { x: noise([1, 3, 2, 2]), mask: noise([1]) },
      'the model has no input mask; its inputs are x',
    ],
    [
      'a wrong type',
      { x: new Tensor('int32', [1, 2, 3], [1, 3, 1, 1]) },
      'input x must be float32, not int32',
    ],
    [
      'a wrong rank',
      { x: noise([3, 2, 2]) },
      'input x must be of shape [batch, 3, height, width], not [3, 2, 2]',
    ],
    [
      'a wrong size',
      { x: noise([1, 4, 2, 2]) },
      'input x must be of shape [batch, 3, height, width], not [1, 4, 2, 2]',
    ],
    ['something else', { x: [1, 2, 3] }, 'input x must be a Tensor, not object'],
  ])('refuses %s', async (_, feeds, message) => {
    const session = await InferenceSession.create(twoOutputs);
    await expect(session.run(feeds as never)).rejects.toMatchObject({ code: 'ERR_INPUT_MISMATCH', message });
  });

  it('gives the same in parallel mode', async () => {
    const feeds = { x: noise([1, 3, 4, 4]) };
    const [inSequence, inParallel] = await Promise.all(
      [{}, { executionMode: 'parallel', interOpNumThreads: 2 } as const].map(async (options) => {
        const session = await InferenceSession.create(twoOutputs, options);
        return session.run(feeds);
      }),
    );
    expect(inParallel).toEqual(inSequence);
  });

  it('takes any shape where the model does not say which', async () => {
    const x = valueInfo('x', []);
    if (x.type?.value.case === 'tensorType') delete x.type.value.value.shape;
    const y = valueInfo('y', []);
    if (y.type?.value.case === 'tensorType') delete y.type.value.value.shape;
    const model = buildBytes({ node: [makeNode('Neg', ['x'], ['y'])], input: [x], output: [y] });
    const session = await InferenceSession.create(model);
    expect((await session.run({ x: noise([1, 3, 2, 2]) })).y?.dims).toEqual([1, 3, 2, 2]);
  });

  it.each([
    ['intraOpNumThreads', -1],
    ['intraOpNumThreads', 1.5],
    ['interOpNumThreads', 'many'],
    ['executionMode', 'both'],
    ['graphOptimizationLevel', 'most'],
    ['enableProfiling', 1],
    ['logSeverityLevel', 9],
    ['operators', 'fast'],
    ['executionProviders', 'cpu'],
    ['operatorLibrary', 4],
  ])('refuses %s: %j and names it', async (name, value) => {
    const creation = InferenceSession.create(twoOutputs, { [name]: value });
    await expect(creation).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT', parameter: name });
  });

  it('refuses null where an object belongs', async () => {
    await expect(InferenceSession.create(twoOutputs, null as never)).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
    });
    const session = await InferenceSession.create(twoOutputs);
    const feeds = { x: noise([1, 3, 2, 2]) };
    await expect(session.run(null as never)).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      parameter: 'feeds',
    });
    await expect(session.run(feeds, null as never)).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' });
    await expect(session.run(feeds, { signal: {} as never })).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      parameter: 'signal',
    });
  });

  it('refuses an option that it does not know', async () => {
    await expect(InferenceSession.create(twoOutputs, { threads: 2 } as never)).rejects.toThrow(/threads/);
  });

  // A card that no machine has.
  const missingCard = { name: 'cuda', deviceId: 999 } as const;

  it('says what CUDA lacks, where it is all that was asked for', async () => {
    const creation = InferenceSession.create(twoOutputs, {
      executionProviders: [missingCard],
      logSeverityLevel: 4,
    });
    await expect(creation).rejects.toMatchObject({
      code: 'ERR_PROVIDER_UNAVAILABLE',
      message: expect.stringMatching(/^execution provider cuda cannot be had:\n/),
      cause: expect.objectContaining({ culprit: 'cuda' }),
    });
  });

  it('falls back to the next provider, and says so', async () => {
    const session = await InferenceSession.create(twoOutputs, {
      executionProviders: ['Nonsense', missingCard, 'cpu'],
      logSeverityLevel: 4,
    });
    expect(session.executionProviders).toEqual(['cpu']);
    expect(session.operators).toBe('native');
    expect(session.warnings).toEqual([
      expect.objectContaining({
        code: 'ERR_PROVIDER_UNAVAILABLE',
        message: expect.stringContaining('Nonsense'),
      }),
      expect.objectContaining({ code: 'ERR_PROVIDER_UNAVAILABLE', message: expect.stringContaining('cuda') }),
    ]);
    expect((await session.run({ x: noise([1, 3, 2, 2]) })).y?.dims).toEqual([1, 3, 2, 2]);
  });

  it('blames no provider for what a model says', async () => {
    const node = [makeNode('a failure b ; GPU=0', ['x'], ['y'])];
    const creation = InferenceSession.create(buildBytes({ node }), { logSeverityLevel: 4 });
    await expect(creation).rejects.toMatchObject({ code: 'ERR_INVALID_MODEL' });
  });

  it('names every provider when none is left', async () => {
    const creation = InferenceSession.create(twoOutputs, {
      executionProviders: [missingCard, 'Nonsense'],
      logSeverityLevel: 4,
    });
    await expect(creation).rejects.toMatchObject({
      code: 'ERR_PROVIDER_UNAVAILABLE',
      message: expect.stringMatching(/cuda.*Nonsense/s),
    });
  });

  it('asks for the operator library of CUDA, where kernels are asked for', async () => {
    const creation = InferenceSession.create(twoOutputs, {
      executionProviders: ['cuda'],
      operators: 'native',
      operatorLibrary: '/nowhere',
    });
    await expect(creation).rejects.toMatchObject({
      code: 'ERR_OPERATORS_NOT_FOUND',
      message: expect.stringContaining('tlsc_ops_cuda'),
    });
  });

  it('names a model that is missing or broken', async () => {
    await expect(InferenceSession.create('missing.onnx')).rejects.toMatchObject({
      code: 'ERR_MODEL_NOT_FOUND',
      message: expect.stringContaining('missing.onnx'),
    });
    await expect(InferenceSession.create(twoOutputs.subarray(0, 40))).rejects.toMatchObject({
      code: 'ERR_INVALID_MODEL',
    });
  });

  it('names the runtime or the operator library that is not there', async () => {
    await expect(InferenceSession.create(twoOutputs, { onnxruntime: '/nowhere' })).rejects.toMatchObject({
      code: 'ERR_RUNTIME_NOT_FOUND',
      message: expect.stringContaining('/nowhere'),
    });
    await expect(InferenceSession.create(twoOutputs, { operatorLibrary: '/nowhere' })).rejects.toMatchObject({
      code: 'ERR_OPERATORS_NOT_FOUND',
      message: expect.stringContaining('/nowhere'),
    });
  });

  it('says that a model without bodies needs the operator library', async () => {
    const model = decodeModel((await convert(exampleModel('unet_in'), { trainSize: 64 })).model, 'm');
    model.functions = [];
    const bytes = encodeModel(model);
    await expect(
      InferenceSession.create(bytes, { operators: 'portable', logSeverityLevel: 4 }),
    ).rejects.toMatchObject({
      code: 'ERR_OPERATORS_NOT_FOUND',
      message: expect.stringContaining('LocalInstanceNormalization'),
    });
    await expect(InferenceSession.create(bytes)).resolves.toBeInstanceOf(InferenceSession);
  });

  it.each([
    { type: 'float32', path: exampleModel('unet_in'), operator: 'LocalInstanceNormalization' },
    { type: 'float16', path: carriedModel('nafnet_fp16'), operator: 'LocalAveragePool' },
    { type: 'float16', path: carriedModel('nafnet_fp16'), operator: 'ReplicateScale' },
  ] as const)('runs the $type kernel of $operator, and with portable operators the body', async (one) => {
    const { model } = await convert(one.path, { trainSize: 64, fuse: false });
    const { data, dims } = noise([1, 3, 64, 64]);
    const input = await toImageTensor(one.type, data as Float32Array, dims);
    for (const [operators, expected] of [
      ['native', true],
      ['portable', false],
    ] as const) {
      const session = await InferenceSession.create(model, {
        operators,
        enableProfiling: true,
        profileFilePrefix: `${tmpdir()}/tlsc-${operators}`,
      });
      await session.run({ input });
      const file = session.endProfiling();
      expect(session.operators).toBe(operators);
      expect((await readFile(file, 'utf8')).includes(`"op_name" : "${one.operator}"`)).toBe(expected);
      await rm(file);
    }
  });

  it('does not begin a run once aborted', async () => {
    const session = await InferenceSession.create(twoOutputs);
    const run = session.run({ x: noise([1, 3, 2, 2]) }, { signal: AbortSignal.abort('late') });
    await expect(run).rejects.toMatchObject({ code: 'ERR_ABORTED', cause: 'late' });
  });

  it('ends a run when it is aborted, and runs again', async () => {
    const { session, feeds } = await longRun();
    const start = performance.now();
    await session.run(feeds);
    const whole = performance.now() - start;

    const controller = new AbortController();
    const run = session.run(feeds, { signal: controller.signal });
    setTimeout(() => controller.abort(new Error('changed my mind')), whole / 10);
    const begin = performance.now();
    const error = await run.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(TlscError);
    expect(error).toMatchObject({ code: 'ERR_ABORTED', cause: new Error('changed my mind') });
    expect(performance.now() - begin).toBeLessThan(whole);
    await expect(session.run({ input: noise([1, 3, 64, 64]) })).resolves.toBeDefined();
  });

  it('reports what ONNX Runtime says of a run that fails', async () => {
    const node = [makeNode('Add', ['x', 'b'], ['y'])];
    const input = [valueInfo('x', ['n', 3, 'h', 'w']), valueInfo('b', ['n', 3, 'h', 'w'])];
    const session = await InferenceSession.create(buildBytes({ node, input }), { logSeverityLevel: 4 });
    const run = session.run({ x: noise([1, 3, 4, 4]), b: noise([1, 3, 5, 4]) });
    await expect(run).rejects.toMatchObject({
      code: 'ERR_RUN_FAILED',
      message: expect.stringContaining('Add'),
    });
  });

  it('is released once, and then refuses to run', async () => {
    const session = await InferenceSession.create(twoOutputs);
    await session.release();
    await session.release();
    await expect(session.run({ x: noise([1, 3, 2, 2]) })).rejects.toMatchObject({
      code: 'ERR_SESSION_RELEASED',
    });
  });
});
