import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { carriedModel, exampleModel } from '../../../test/fixtures/index.js';
import { buildBytes, floats, image, valueInfo } from '../test/build-model.js';
import { convert } from '../test/convert.js';
import { decodeModel, encodeModel, type Model } from './graph/model.js';
import { DataType, makeNode } from './graph/proto.js';
import { type Verification, verify } from './verify.js';

const fullSize = [96, 128] as const;
const reversed = makeNode('CumSum', ['x'], ['y'], { attributes: { reverse: 1 } });

async function sabotage(edit: (model: Model) => void): Promise<Uint8Array> {
  const { model } = await convert(exampleModel('unet_in'), { trainSize: 64 });
  const decoded = decodeModel(model, 'm');
  edit(decoded);
  return encodeModel(decoded);
}

describe('verify', () => {
  it('passes a conversion, at the training size and on a whole image', async () => {
    const { model } = await convert(exampleModel('unet_se'), { trainSize: 64 });
    const verification = await verify(exampleModel('unet_se'), model, { fullSize });
    expect(verification).toMatchObject({
      passed: true,
      wrongWindows: [],
      selfCheck: { size: [64, 64] },
      fullSize: { size: [96, 128] },
    });
    expect(verification.selfCheck?.native).toBeLessThan(1e-5);
    expect(verification.selfCheck?.portable).toBeLessThan(1e-5);
    expect(verification.fullSize?.nativeToPortable).toBeLessThan(1e-5);
  });

  it.each(['unet_in', 'hinet_small_one_dim', 'restormer_small_one_dim'])(
    'passes %s, whose local operators do the work of others, too',
    async (name) => {
      const { model, report } = await convert(carriedModel(name), { trainSize: 64 });
      expect(report.fused.some(({ operator }) => operator.startsWith('Local'))).toBe(true);
      const verification = await verify(carriedModel(name), model, { fullSize });
      expect(verification).toMatchObject({
        passed: true,
        missingSites: [],
        wrongWindows: [],
        wrongEpsilons: [],
      });
    },
  );

  it('looks for a smaller size when the windows do not cover the training size', async () => {
    const { model } = await convert(carriedModel('unet_in'), { trainSize: 64, baseSize: 40 });
    const { selfCheck, passed } = await verify(carriedModel('unet_in'), model, { fullSize });
    expect(selfCheck?.size).toEqual([32, 32]);
    expect(passed).toBe(true);
  });

  it('fails on a wrong weight', async () => {
    const model = await sabotage(({ graph }) => {
      const weight = graph.initializer.find(({ dims, rawData }) => dims.length === 4 && rawData.length > 100);
      weight?.rawData.fill(0, 0, 64);
    });
    expect((await verify(exampleModel('unet_in'), model, { fullSize })).passed).toBe(false);
  });

  /** What verify says of a conversion of the attention network that was edited afterwards. */
  async function sabotageAttention(edit: (model: Model) => void): Promise<Verification> {
    const { model } = await convert(exampleModel('unet_se'), { trainSize: 64 });
    const decoded = decodeModel(model, 'm');
    edit(decoded);
    return verify(exampleModel('unet_se'), encodeModel(decoded), { fullSize });
  }

  it('fails on two weights that have changed places', async () => {
    const { passed, selfCheck } = await sabotageAttention(({ graph }) => {
      const convs = graph.node.filter(({ opType }) => opType === 'Conv');
      const weights = convs.map(({ input }) => graph.initializer.find(({ name }) => name === input[1]));
      const first = weights.find((weight, i) =>
        weights.slice(i + 1).some((other) => other?.dims.join() === weight?.dims.join()),
      );
      const second = weights.findLast((weight) => weight?.dims.join() === first?.dims.join());
      if (first && second) [first.rawData, second.rawData] = [second.rawData, first.rawData];
    });
    expect(selfCheck?.native).toBeGreaterThan(1e-3);
    expect(passed).toBe(false);
  });

  it.each(['left out', 'of zeros'])('fails on a bias that is %s', async (how) => {
    const { passed, selfCheck } = await sabotageAttention(({ graph }) => {
      const conv = graph.node.find(({ opType, input }) => opType === 'Conv' && input.length === 3);
      const bias = graph.initializer.find(({ name }) => name === conv?.input[2]);
      if (how === 'of zeros') bias?.rawData.fill(0);
      else conv?.input.pop();
    });
    expect(selfCheck?.portable).toBeGreaterThan(1e-3);
    expect(passed).toBe(false);
  });

  it.each([0, 2e-5, 1e-2])('fails on an epsilon of %d where the original has 1e-5', async (epsilon) => {
    const model = await sabotage(({ graph }) => {
      const [norm] = graph.node.filter(({ domain }) => domain === 'tlsc');
      for (const attribute of norm?.attribute ?? []) if (attribute.name === 'epsilon') attribute.f = epsilon;
    });
    const { passed, wrongEpsilons } = await verify(exampleModel('unet_in'), model, { fullSize });
    expect(wrongEpsilons).toEqual(['/enc.0/norm/InstanceNormalization']);
    expect(passed).toBe(false);
  });

  it('does not get through a conversion whose means are not padded', async () => {
    const node = [
      makeNode('GlobalAveragePool', ['x'], ['p']),
      makeNode('Sub', ['x', 'p'], ['y'], { name: 'center' }),
    ];
    const { model } = await convert(buildBytes({ node }), { trainSize: 64 });
    const decoded = decodeModel(model, 'm');
    for (const attribute of decoded.graph.node.flatMap((one) => one.attribute))
      if (attribute.name === 'replicate') attribute.i = 0n;
    await expect(
      verify(buildBytes({ node }), encodeModel(decoded), { fullSize: [160, 192] }),
    ).rejects.toMatchObject({ code: 'ERR_RUN_FAILED', message: expect.stringContaining('center') });
  });

  it.each([
    { operator: 'LocalAveragePool', opType: 'CumSum', change: { attribute: reversed.attribute } },
    // Where the padding of the columns goes; the rows are all in the window here.
    { operator: 'ReplicateScale', opType: 'Div', change: { opType: 'Sub' } },
    { operator: 'ReplicateScale', opType: 'Mul', change: { opType: 'Add' } },
  ])(
    'fails on a body of $operator with another $opType than the kernel',
    async ({ operator, opType, change }) => {
      const { passed, fullSize: full } = await sabotageAttention(({ functions }) => {
        const body = functions.find(({ name }) => name === operator)?.node;
        const node = body?.findLast((one) => one.opType === opType);
        if (node) Object.assign(node, change);
      });
      expect(full?.nativeToPortable).toBeGreaterThan(1e-3);
      expect(passed).toBe(false);
    },
  );

  it('fails on one channel that is not a number', async () => {
    const model = await sabotage(({ graph }) => {
      const name = graph.node.filter(({ opType }) => opType === 'Conv').at(-1)?.input[2];
      const bias = graph.initializer.find((tensor) => tensor.name === name);
      if (bias) new DataView(bias.rawData.buffer, bias.rawData.byteOffset).setFloat32(0, Number.NaN, true);
    });
    const { passed, fullSize: full } = await verify(exampleModel('unet_in'), model, { fullSize });
    expect(full?.nativeToPortable).toBeNaN();
    expect(passed).toBe(false);
  });

  it('passes a fast conversion, and finds a wrong stride in it', async () => {
    const { model } = await convert(exampleModel('unet_in'), { trainSize: 64, fast: true });
    expect((await verify(exampleModel('unet_in'), model, { fullSize })).passed).toBe(true);
    const decoded = decodeModel(model, 'm');
    const stride = decoded.graph.node
      .flatMap(({ attribute }) => attribute)
      .find(({ name }) => name === 'max_stride');
    if (stride) stride.ints = [1n, 1n];
    const { passed, wrongWindows } = await verify(exampleModel('unet_in'), encodeModel(decoded), {
      fullSize,
    });
    expect(wrongWindows).toHaveLength(1);
    expect(passed).toBe(false);
  });

  it('passes a float16 conversion, to what float16 can tell', async () => {
    const original = carriedModel('nafnet_fp16');
    const { model } = await convert(original, { trainSize: 64 });
    const verification = await verify(original, model, { fullSize });
    expect(verification).toMatchObject({ passed: true, tolerance: 2 ** -7 });
    const { selfCheck, fullSize: full } = verification;
    for (const difference of [selfCheck?.native, selfCheck?.portable, full?.nativeToPortable])
      expect(difference).toBeLessThan(2 ** -9);
  });

  it('allows a float32 model with float16 inside as much', async () => {
    const node = [
      makeNode('Cast', ['x'], ['h'], { attributes: { to: DataType.FLOAT16 } }),
      makeNode('GlobalAveragePool', ['h'], ['p']),
      makeNode('Mul', ['h', 'p'], ['z']),
      makeNode('Cast', ['z'], ['y'], { attributes: { to: DataType.FLOAT } }),
    ];
    const bytes = buildBytes({ node });
    const { model } = await convert(bytes, { trainSize: 64 });
    expect(await verify(bytes, model, { fullSize })).toMatchObject({ passed: true, tolerance: 2 ** -7 });
    expect(await verify(bytes, model, { fullSize, tolerance: 0.5 })).toMatchObject({ tolerance: 0.5 });
  });

  it('fails on a wrong float16 weight and on a wrong float16 body', async () => {
    const original = carriedModel('nafnet_fp16');
    const { model } = await convert(original, { trainSize: 64 });
    const weights = decodeModel(model, 'm');
    const weight = weights.graph.initializer.find(
      ({ dims, rawData }) => dims.length === 4 && rawData.length > 100,
    );
    weight?.rawData.fill(0, 0, 64);
    expect(await verify(original, encodeModel(weights), { fullSize })).toMatchObject({ passed: false });
    const bodies = decodeModel(model, 'm');
    for (const { node } of bodies.functions)
      for (const one of node) if (one.opType === 'CumSum') one.attribute.push(...reversed.attribute);
    expect(await verify(original, encodeModel(bodies), { fullSize })).toMatchObject({ passed: false });
  });

  it('fails on a wrong window and names the node', async () => {
    const model = await sabotage(({ graph }) => {
      const kernel = graph.node
        .find(({ domain }) => domain === 'tlsc')
        ?.attribute.find(({ name }) => name === 'kernel_shape');
      if (kernel) kernel.ints = [47n, 48n];
    });
    const { passed, wrongWindows } = await verify(exampleModel('unet_in'), model, { fullSize });
    expect(passed).toBe(false);
    expect(wrongWindows).toEqual(['/enc.0/norm/InstanceNormalization']);
  });

  it('fails on a body that differs from the kernel', async () => {
    const model = await sabotage(({ functions }) => {
      for (const node of functions.flatMap((body) => body.node))
        if (node.opType === 'Sqrt') node.opType = 'Abs';
    });
    const { passed, fullSize: full } = await verify(exampleModel('unet_in'), model, { fullSize });
    expect(passed).toBe(false);
    expect(full?.nativeToPortable).toBeGreaterThan(1e-3);
  });

  it('does not pass a model that was not compared with the original', async () => {
    const pooled = [makeNode('GlobalAveragePool', ['x'], ['p']), makeNode('Mul', ['x', 'p'], ['y'])];
    const { model } = await convert(buildBytes({ node: pooled }), { trainSize: 64, baseSize: 4 });
    const verification = await verify(buildBytes({ node: [makeNode('Neg', ['x'], ['y'])] }), model, {
      fullSize,
    });
    expect(verification).toMatchObject({ selfCheck: undefined, passed: false });
  });

  it('names outputs that cannot be compared', async () => {
    const { model } = await convert(exampleModel('unet_in'), { trainSize: 64 });
    const other = buildBytes({ node: [makeNode('Neg', ['x'], ['y'])] });
    await expect(verify(other, model, { fullSize })).rejects.toMatchObject({
      code: 'ERR_UNSUPPORTED_MODEL',
      message: expect.stringContaining('output y'),
    });
  });

  it('refuses a model that was not converted', async () => {
    await expect(verify(exampleModel('unet'), exampleModel('unet'))).rejects.toMatchObject({
      code: 'ERR_NOT_CONVERTED',
    });
  });

  it('refuses an original that is itself converted', async () => {
    const original = exampleModel('unet_in');
    const { model } = await convert(original, { trainSize: 64 });
    const { model: other } = await convert(original, { trainSize: 32 });
    const refused = { code: 'ERR_ALREADY_CONVERTED', message: expect.stringContaining('as the original') };
    for (const one of [model, other]) await expect(verify(one, model)).rejects.toMatchObject(refused);
    // As a tool leaves it that puts the functions' nodes in their places.
    const inlined = decodeModel(readFileSync(original), 'm');
    inlined.metadataProps = decodeModel(model, 'm').metadataProps;
    await expect(verify(encodeModel(inlined), model)).rejects.toMatchObject(refused);
  });

  it('takes an original that has the record of another conversion', async () => {
    const { model: earlier } = await convert(exampleModel('unet_in'), { trainSize: 32 });
    const original = decodeModel(readFileSync(exampleModel('unet_in')), 'm');
    original.metadataProps = decodeModel(earlier, 'm').metadataProps;
    const { model } = await convert(encodeModel(original), { trainSize: 64 });
    expect(await verify(encodeModel(original), model, { fullSize })).toMatchObject({ passed: true });
  });

  it('finds a statistic that is global again', async () => {
    const original = exampleModel('unet_in');
    const { model: all } = await convert(original, { trainSize: 64 });
    const exclude = ['/enc.0/norm/InstanceNormalization'];
    const { model: some } = await convert(original, { trainSize: 64, exclude });
    expect(await verify(original, some, { fullSize })).toMatchObject({ passed: true, missingSites: [] });
    const spoilt = decodeModel(some, 'm');
    spoilt.metadataProps = decodeModel(all, 'm').metadataProps;
    expect(await verify(original, encodeModel(spoilt), { fullSize })).toMatchObject({
      passed: false,
      faulty: true,
      missingSites: exclude,
    });
  });

  it('finds one that has no name', async () => {
    const node = [
      makeNode('GlobalAveragePool', ['x'], ['p']),
      makeNode('Mul', ['x', 'p'], ['z']),
      makeNode('GlobalAveragePool', ['z'], ['q'], { name: 'last' }),
      makeNode('Mul', ['z', 'q'], ['y']),
    ];
    const bytes = buildBytes({ node });
    const { model } = await convert(bytes, { trainSize: 64 });
    const { model: some } = await convert(bytes, { trainSize: 64, include: ['last'] });
    expect(await verify(bytes, model, { fullSize })).toMatchObject({ passed: true, missingSites: [] });
    const spoilt = decodeModel(some, 'm');
    spoilt.metadataProps = decodeModel(model, 'm').metadataProps;
    const { missingSites, passed } = await verify(bytes, encodeModel(spoilt), { fullSize });
    expect({ missingSites, passed }).toEqual({
      missingSites: ['GlobalAveragePool (computes p)'],
      passed: false,
    });
  });

  it('compares images that are no copies of each other', async () => {
    const input = ['x', 'guide'].map((name) => valueInfo(name, image));
    const node = (of: string, by: string) => [
      makeNode('GlobalAveragePool', [of], ['p'], { name: 'pool' }),
      makeNode('Mul', [by, 'p'], ['y']),
    ];
    const original = buildBytes({ node: node('x', 'guide'), input });
    const { model } = await convert(buildBytes({ node: node('guide', 'x'), input }), { trainSize: 64 });
    expect(await verify(original, model, { fullSize: false })).toMatchObject({ passed: false, faulty: true });
  });

  describe('of several outputs', () => {
    const node = (bias: string) => [
      makeNode('GlobalAveragePool', ['x'], ['p'], { name: 'pool' }),
      makeNode('Mul', ['x', 'p'], ['z']),
      makeNode('Mul', ['z', 'thousand'], ['large']),
      makeNode('Add', ['z', bias], ['y']),
    ];
    const initializer = [
      floats('thousand', [1], [1e4]),
      floats('nothing', [1], [0]),
      floats('fault', [1], [0.01]),
    ];
    const output = ['large', 'y'].map((name) => valueInfo(name, ['n', 'c', 'h', 'w']));
    const sound = buildBytes({ node: node('nothing'), initializer, output });

    it('holds each against its own largest value', async () => {
      const { model } = await convert(sound, { trainSize: 64 });
      expect(await verify(sound, model, { fullSize })).toMatchObject({ passed: true });
      const { model: spoilt } = await convert(buildBytes({ node: node('fault'), initializer, output }), {
        trainSize: 64,
      });
      const { passed, selfCheck } = await verify(sound, spoilt, { fullSize });
      expect(selfCheck?.native).toBeCloseTo(0.01);
      expect(passed).toBe(false);
    });

    it('misses none', async () => {
      const { model } = await convert(sound, { trainSize: 64 });
      const one = decodeModel(sound, 'm');
      one.graph.output.shift();
      const { model: less } = await convert(encodeModel(one), { trainSize: 64 });
      for (const [original, converted] of [
        [encodeModel(one), model],
        [sound, less],
      ] as const)
        await expect(verify(original, converted)).rejects.toMatchObject({
          code: 'ERR_UNSUPPORTED_MODEL',
          message: 'the models cannot be compared: only one of them has output large',
        });
    });
  });

  it('fails on finite values where the original has infinite ones', async () => {
    const dividedBy = (divisor: number) =>
      buildBytes({
        node: [
          makeNode('GlobalAveragePool', ['x'], ['p'], { name: 'pool' }),
          makeNode('Mul', ['x', 'p'], ['z']),
          makeNode('Div', ['z', 'by'], ['y']),
        ],
        initializer: [floats('by', [1], [divisor])],
      });
    const { model } = await convert(dividedBy(1), { trainSize: 64 });
    const { passed, faulty, selfCheck } = await verify(dividedBy(0), model, { fullSize: false });
    expect(selfCheck?.native).toBeNaN();
    expect({ passed, faulty }).toEqual({ passed: false, faulty: true });
  });

  it('refuses a whole image on which nothing is local', async () => {
    const { model } = await convert(exampleModel('unet_in'), { trainSize: 64, baseSize: [96, 128] });
    await expect(verify(exampleModel('unet_in'), model, { fullSize: [96, 128] })).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      parameter: 'fullSize',
      message: expect.stringContaining('96x128'),
    });
    for (const size of [
      [96, 160],
      [128, 128],
    ] as const)
      expect(await verify(exampleModel('unet_in'), model, { fullSize: size })).toMatchObject({
        passed: true,
      });
  });

  it('looks at more than 1280 columns where windows are as large', async () => {
    const node = [makeNode('GlobalAveragePool', ['x'], ['p']), makeNode('Mul', ['x', 'p'], ['y'])];
    const { model } = await convert(buildBytes({ node }), { trainSize: 400, baseSize: [720, 1280] });
    expect(await verify(buildBytes({ node }), model)).toMatchObject({
      passed: true,
      fullSize: { size: [400, 1600] },
    });
  });

  it('says what it found in plain values', async () => {
    const { model } = await convert(exampleModel('unet_in'), { trainSize: 64 });
    const verification = await verify(exampleModel('unet_in'), model, { fullSize: false });
    expect(structuredClone(verification)).toEqual(verification);
    expect(verification).toMatchObject({ faulty: false, blindSites: [], missingSites: [], fed: [] });
  });

  it('can be aborted', async () => {
    const { model } = await convert(exampleModel('unet_in'), { trainSize: 64 });
    const controller = new AbortController();
    const verification = verify(exampleModel('unet_in'), model, { signal: controller.signal });
    setTimeout(() => controller.abort(), 50);
    await expect(verification).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  });
});
