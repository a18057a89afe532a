// Photos in pieces through small networks of every kind.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Tensor } from 'onnxruntime-common';
import { describe, expect, it, vi } from 'vitest';
import { buildBytes, floats, halves, imagesIn, integers, valueInfo } from '../../test/build-model.js';
import { levelsBetween, restoreInPieces, restoreWhole } from '../../test/in-pieces.js';
import { convert } from '../convert.js';
import { DataType, makeNode } from '../graph/proto.js';
import { InferenceSession } from '../session/inference-session.js';
import type { Photo } from './photo.js';
import { restore } from './restore.js';
import type { RestoreOptions } from './restorer.js';

function photoOf(height: number, width: number, channels = 3): Photo {
  const data = new Float32Array(channels * height * width);
  for (let c = 0, i = 0; c < channels; c++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++, i++)
        data[i] =
          0.5 +
          0.3 * Math.sin(y / 37 + c) * Math.cos(x / 53) +
          0.2 * (((i * 2654435761) % 1000) / 1000 - 0.5);
    }
  }
  return { tensor: new Tensor('float32', data, [1, channels, height, width]), bitDepth: 8 };
}

const conv = (from: string, to: string, weights = 'w') =>
  makeNode('Conv', [from, weights], [to], { attributes: { pads: [1, 1, 1, 1] } });
const w = floats('w', [3, 3, 3, 3]);

/** Looks at blocks of 16 pixels, so that a piece that begins elsewhere is another picture. */
const blocks = [
  makeNode('AveragePool', ['a'], ['p'], {
    attributes: { kernel_shape: [16, 16], strides: [16, 16], ceil_mode: 1 },
  }),
  makeNode('Resize', ['p', '', 'sixteen'], ['u']),
];
const sixteen = floats('sixteen', [4], [1, 1, 16, 16]);

/** Photos of any size would not do, since 16 × the pool is no part of them: filled up by `restore`. */
const networks: Record<string, { bytes: Uint8Array; options?: RestoreOptions }> = {
  'a convolution': { bytes: buildBytes({ node: [conv('x', 'y')], initializer: [w] }) },
  'blocks of 16 pixels': {
    bytes: buildBytes({
      node: [conv('x', 'a'), ...blocks, makeNode('Add', ['a', 'u'], ['y'])],
      initializer: [w, sixteen],
    }),
  },
  'a network that enlarges': {
    bytes: buildBytes({
      node: [conv('x', 'a', 'w12'), makeNode('DepthToSpace', ['a'], ['y'], { attributes: { blocksize: 2 } })],
      initializer: [floats('w12', [12, 3, 3, 3])],
    }),
  },
  'a network that halves': {
    bytes: buildBytes({
      node: [
        conv('x', 'a'),
        makeNode('AveragePool', ['a'], ['y'], { attributes: { kernel_shape: [2, 2], strides: [2, 2] } }),
      ],
      initializer: [w],
    }),
  },
  'channels last': {
    bytes: buildBytes({
      node: [
        makeNode('Transpose', ['x'], ['t'], { attributes: { perm: [0, 3, 1, 2] } }),
        conv('t', 'a'),
        makeNode('Transpose', ['a'], ['y'], { attributes: { perm: [0, 2, 3, 1] } }),
      ],
      initializer: [w],
      input: [valueInfo('x', ['n', 'h', 'w', 3])],
      output: [valueInfo('y', ['n', 'h', 'w', 3])],
    }),
  },
  'values up to 255': {
    bytes: buildBytes({ node: [conv('x', 'y')], initializer: [w] }),
    options: { range: [0, 255], mean: [10, 20, 30], channels: 'bgr' },
  },
  float16: {
    bytes: buildBytes({
      node: [conv('x', 'y')],
      initializer: [halves('w', [3, 3, 3, 3])],
      ...imagesIn(DataType.FLOAT16),
    }),
  },
};

describe('networks without statistics', () => {
  it.each(Object.entries(networks))('%s makes of pieces what it makes of the whole', async (name, one) => {
    const session = await InferenceSession.create(one.bytes);
    const photo = photoOf(331, 517);
    const whole = await restoreWhole(session, photo, one.options);
    const cut = await restoreInPieces(session, photo, one.options);
    expect(whole.pieces).toBeUndefined();
    expect(cut.pieces).toMatchObject({ bound: name === 'float16' ? 'half-level' : 'exact' });
    expect(cut.tensor.dims).toEqual(whole.tensor.dims);
    expect(levelsBetween(cut, whole)).toBeLessThan(name === 'float16' ? 0.3 : 1e-3);
    await session.release();
  });

  it('keeps to the sides that a network takes', async () => {
    const node = [
      makeNode('SpaceToDepth', ['x'], ['s'], { attributes: { blocksize: 6 } }),
      conv('s', 'c', 'w108'),
      makeNode('DepthToSpace', ['c'], ['y'], { attributes: { blocksize: 6 } }),
    ];
    const session = await InferenceSession.create(
      buildBytes({ node, initializer: [floats('w108', [108, 108, 3, 3])] }),
    );
    const photo = photoOf(200, 301);
    const cut = await restoreInPieces(session, photo);
    expect(cut.pieces?.multiple.every((side) => side % 6 === 0)).toBe(true);
    expect(levelsBetween(cut, await restoreWhole(session, photo))).toBeLessThan(0.01);
  });

  it('cuts what else the network takes like the photo', async () => {
    const node = [
      conv('x', 'a'),
      makeNode('Mul', ['a', 'mask'], ['b']),
      makeNode('Add', ['b', 'shift'], ['y']),
    ];
    const input = [
      valueInfo('x', ['n', 3, 'h', 'w']),
      valueInfo('mask', ['n', 1, 'h', 'w']),
      valueInfo('shift', []),
    ];
    const session = await InferenceSession.create(buildBytes({ node, initializer: [w], input }));
    const photo = photoOf(240, 350);
    const options = { inputs: { mask: photoOf(240, 350, 1), shift: 0.25 } };
    const cut = await restoreInPieces(session, photo, options);
    expect(levelsBetween(cut, await restoreWhole(session, photo, options))).toBeLessThan(1e-3);
  });

  it('restores the luma of a colour photo, and its alpha', async () => {
    const node = [
      conv('x', 'a', 'w4'),
      makeNode('DepthToSpace', ['a'], ['y'], { attributes: { blocksize: 2 } }),
    ];
    const input = [valueInfo('x', ['n', 1, 'h', 'w'])];
    const session = await InferenceSession.create(
      buildBytes({ node, initializer: [floats('w4', [4, 1, 3, 3])], input }),
    );
    const photo = { ...photoOf(240, 350), alpha: new Uint8Array(240 * 350).fill(200) };
    const options = { channels: 'y' } as const;
    const cut = await restoreInPieces(session, photo, options);
    const whole = await restoreWhole(session, photo, options);
    expect(levelsBetween(cut, whole)).toBeLessThan(1e-3);
    expect(cut.alpha).toEqual(whole.alpha);
  });
});

/** The demo's network, with all its depth. */
const unet = readFileSync(
  fileURLToPath(new URL('../../../../examples/models/unet_in.onnx', import.meta.url)),
);

describe('converted networks', () => {
  it('are equal to the whole by less than half a level, and but for rounding where that is asked for', async () => {
    const { model } = await convert(unet, { trainSize: 64 });
    const session = await InferenceSession.create(model);
    const photo = photoOf(480, 700);
    const whole = await restoreWhole(session, photo);
    const cut = await restoreInPieces(session, photo, { checkPieces: true });
    expect(cut.pieces).toMatchObject({ bound: 'half-level', multiple: [8, 8] });
    expect(levelsBetween(cut, whole)).toBeLessThan(0.5);
    expect(cut.pieces?.check?.levels).toBeLessThanOrEqual(levelsBetween(cut, whole) + 1e-3);
    const exact = await restoreInPieces(session, photo, { exact: true }, 2);
    expect(exact.pieces).toMatchObject({ bound: 'exact' });
    expect(levelsBetween(exact, whole)).toBeLessThan(1e-3);
  });

  it('show half a halo, and no halo even more', async () => {
    const { model } = await convert(unet, { trainSize: 64 });
    const session = await InferenceSession.create(model);
    const photo = photoOf(480, 700);
    const whole = await restoreWhole(session, photo);
    const half = await restoreInPieces(session, photo, { halo: 84, checkPieces: true });
    expect(half.pieces).toMatchObject({ bound: 'none', halo: [84, 84] });
    expect(levelsBetween(half, whole)).toBeGreaterThan(0.5);
    const none = await restoreInPieces(session, photo, { halo: 0 });
    expect(levelsBetween(none, whole)).toBeGreaterThan(levelsBetween(half, whole));
    expect(half.pieces?.check?.levels).toBeGreaterThan(0.02);
  });

  it('see more of photos of 16 bits', async () => {
    const { model } = await convert(unet, { trainSize: 64 });
    const session = await InferenceSession.create(model);
    const photo = photoOf(480, 700);
    const [eight, sixteenBits] = [photo, { ...photo, bitDepth: 16 as const }];
    const [few, many] = [
      await restoreInPieces(session, eight, {}, 2),
      await restoreInPieces(session, sixteenBits, {}, 2),
    ];
    expect(many.pieces?.halo[0]).toBeGreaterThan(few.pieces?.halo[0] ?? 0);
  });

  it('work in pieces by their portable bodies', async () => {
    const { model } = await convert(unet, { trainSize: 64 });
    const session = await InferenceSession.create(model, { operators: 'portable' });
    const photo = photoOf(500, 700);
    const cut = await restoreInPieces(session, photo, {}, 2);
    expect(levelsBetween(cut, await restoreWhole(session, photo))).toBeLessThan(0.5);
  });
});

/** The upper and the lower half each by themselves, joined again. */
const halved = {
  node: [
    makeNode('Shape', ['x'], ['shape']),
    makeNode('Gather', ['shape', 'two'], ['height']),
    makeNode('Div', ['height', 'two'], ['half']),
    makeNode('Slice', ['x', 'zero', 'half', 'two'], ['upper'], { name: 'take_upper' }),
    makeNode('Slice', ['x', 'half', 'height', 'two'], ['lower'], { name: 'take_lower' }),
    ...['upper', 'lower'].flatMap((one) => [
      makeNode('GlobalAveragePool', [one], [`${one}_mean`]),
      makeNode('Mul', [one, `${one}_mean`], [`${one}_scaled`]),
      conv(`${one}_scaled`, `${one}_made`),
    ]),
    makeNode('Concat', ['upper_made', 'lower_made'], ['y'], { name: 'join', attributes: { axis: 2 } }),
  ],
  initializer: [w, integers('two', [2]), integers('zero', [0])],
};

describe('networks that cannot work in pieces', () => {
  it('names what ties them to the whole image', async () => {
    const { model } = await convert(buildBytes(halved), { trainSize: 64 });
    const session = await InferenceSession.create(model);
    await expect(restoreInPieces(session, photoOf(400, 500), { halo: 32 })).rejects.toMatchObject({
      code: 'ERR_UNSUPPORTED_MODEL',
      message: expect.stringMatching(
        /image of 400x500 pixels .* pieces come out .* because of node take_upper/,
      ),
    });
    await session.release();
  });

  it('refuses fast mode, whose samples follow the size of the image', async () => {
    const { model } = await convert(unet, { trainSize: 64, fast: true });
    const session = await InferenceSession.create(model);
    await expect(restoreInPieces(session, photoOf(400, 500))).rejects.toMatchObject({
      code: 'ERR_UNSUPPORTED_MODEL',
      message: expect.stringMatching(/in fast mode node \S+ takes samples/),
    });
  });

  it('cuts photos for global statistics only where a halo is given, and says what holds', async () => {
    const session = await InferenceSession.create(unet);
    const photo = photoOf(400, 500);
    await expect(restoreInPieces(session, photo)).rejects.toMatchObject({
      code: 'ERR_UNSUPPORTED_MODEL',
      message: expect.stringMatching(/computes over the whole image.*tlsc convert.*the option halo/),
    });
    const cut = await restoreInPieces(session, photo, { halo: 32 });
    expect(cut.pieces).toMatchObject({ bound: 'none', halo: [32, 32] });
  });
});

describe('memory', () => {
  it('says how much the smallest pieces take where that is more than there may be', async () => {
    const { model } = await convert(unet, { trainSize: 64 });
    const session = await InferenceSession.create(model);
    await expect(restore(session, photoOf(900, 900), { memory: 3e7 })).rejects.toMatchObject({
      code: 'ERR_OUT_OF_MEMORY',
      parameter: 'memory',
      message: expect.stringMatching(
        /the image of 900x900 pixels takes \d.* MB, and may take 30 MB; .*smallest pieces/,
      ),
    });
  });

  it('counts what is left where nothing is said, to the byte or not', async () => {
    const left = vi.spyOn(process, 'availableMemory').mockReturnValue(150_000_001);
    try {
      const { model } = await convert(unet, { trainSize: 64 });
      const session = await InferenceSession.create(model);
      expect((await restore(session, photoOf(160, 160))).pieces).toBeUndefined();
      const photo = photoOf(700, 900);
      const [one, other] = await Promise.all([restore(session, photo), restore(session, photo)]);
      expect(one.pieces).toMatchObject({ bound: 'half-level' });
      expect(other.pieces).toEqual(one.pieces); // which had to wait
    } finally {
      left.mockRestore();
    }
  });

  it('leaves networks alone that take one size, or tensors of one', async () => {
    const input = [valueInfo('x', [1, 3, 64, 64])];
    const fixed = await InferenceSession.create(
      buildBytes({ node: [conv('x', 'y')], initializer: [w], input }),
    );
    expect((await restore(fixed, photoOf(64, 64), { memory: 1e8 })).pieces).toBeUndefined();
    await expect(restore(fixed, photoOf(64, 65), { memory: 1e8 })).rejects.toMatchObject({
      code: 'ERR_INPUT_MISMATCH',
      message: expect.stringContaining('64x65'),
    });
    const masked = await InferenceSession.create(
      buildBytes({
        node: [makeNode('Mul', ['x', 'mask'], ['y'])],
        input: [valueInfo('x', ['n', 3, 'h', 'w']), valueInfo('mask', ['n', 1, 'h', 'w'])],
      }),
    );
    const mask = new Tensor('float32', new Float32Array(300 * 400).fill(0.5), [1, 1, 300, 400]);
    expect(
      (await restore(masked, photoOf(300, 400), { memory: 1e8, inputs: { mask } })).pieces,
    ).toBeUndefined();
  });

  it('checks a seam of a photo that is cut along one side alone', async () => {
    const { model } = await convert(unet, { trainSize: 64 });
    const session = await InferenceSession.create(model);
    const { pieces } = await restoreInPieces(session, photoOf(100, 1500), { checkPieces: true }, 2);
    expect(pieces?.rows).toBe(1);
    expect(pieces?.check?.levels).toBeLessThan(0.5);
    expect(pieces?.check?.seen[0]).toBe(100);
  });

  it('comes to the end of a photo that a network makes a quarter of', async () => {
    const pool = { kernel_shape: [4, 4], strides: [4, 4] };
    const session = await InferenceSession.create(
      buildBytes({ node: [makeNode('AveragePool', ['x'], ['y'], { attributes: pool })] }),
    );
    const photo = photoOf(257, 385);
    const cut = await restoreInPieces(session, photo);
    expect(levelsBetween(cut, await restoreWhole(session, photo))).toBeLessThan(1e-3);
  });

  it('tells of each piece, and stops between them', async () => {
    const session = await InferenceSession.create(networks['a convolution']?.bytes as Uint8Array);
    const photo = photoOf(600, 800);
    const told: (readonly [number, number])[] = [];
    const { pieces } = await restoreInPieces(session, photo, {
      onPiece: (done, all) => told.push([done, all]),
    });
    const all = (pieces?.rows ?? 0) * (pieces?.columns ?? 0);
    expect(told.slice(-all)).toEqual(Array.from({ length: all }, (_, i) => [i + 1, all]));
    const stop = new AbortController();
    const seen: number[] = [];
    const aborted = restoreInPieces(session, photo, {
      signal: stop.signal,
      onPiece: (done) => {
        seen.push(done);
        stop.abort();
      },
    });
    await expect(aborted).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    expect(seen).toEqual([1]);
  });

  it.each([
    ['memory', { memory: 0 }],
    ['memory', { memory: 1.5 }],
    ['memory', { memory: '2GB' as never }],
    ['halo', { halo: -1 }],
    ['halo', { halo: [1, 2, 3] as never }],
    ['halo', { halo: 1e6 }],
    ['exact', { exact: 1 as never }],
    ['exact', { exact: true, halo: 3 }],
    ['checkPieces', { checkPieces: 'yes' as never }],
    ['onPiece', { onPiece: 3 as never }],
  ])('refuses a wrong %s: %o', async (parameter, options) => {
    const session = await InferenceSession.create(networks['a convolution']?.bytes as Uint8Array);
    await expect(restore(session, photoOf(20, 20), options)).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      parameter,
    });
  });
});
