// Photos in pieces through published networks, against the same photos whole.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Tensor } from '@tlsc/api';
import { describe, expect, it } from 'vitest';
import { convert } from '../../packages/ts-api/src/convert.js';
import { readPhoto } from '../../packages/ts-api/src/image/files.js';
import type { Photo } from '../../packages/ts-api/src/image/photo.js';
import { restore } from '../../packages/ts-api/src/image/restore.js';
import { InferenceSession } from '../../packages/ts-api/src/session/inference-session.js';
import { levelsBetween, restoreInPieces, restoreWhole } from '../../packages/ts-api/test/in-pieces.js';
import { carriedCases, otherCases, type PublishedCase } from '../fixtures/index.js';

const photos = fileURLToPath(new URL('../../examples/photos', import.meta.url));

/** As many channels as a network takes, and no more pixels than a test has time for. */
function partOf({ tensor }: Photo, channels: number, height: number, width: number): Photo {
  const [, , rows = 0, columns = 0] = tensor.dims;
  const from = tensor.data as Float32Array;
  const data = new Float32Array(channels * height * width);
  for (let c = 0, i = 0; c < channels; c++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++, i++)
        data[i] = from[(c * rows + Math.min(y, rows - 1)) * columns + Math.min(x, columns - 1)] as number;
    }
  }
  return { tensor: new Tensor('float32', data, [1, channels, height, width]), bitDepth: 8 };
}

const isAnchored = ({ name }: PublishedCase) => name.startsWith('mprnet');

async function check(one: PublishedCase): Promise<void> {
  const { model } = await convert(one.model, {
    trainSize: one.train_size,
    baseSize: one.base_size,
    fast: one.fast_imp,
  });
  const session = await InferenceSession.create(model, { logSeverityLevel: 4 });
  const file = await readPhoto(join(photos, 'oakland-zoo-otters_input.png'));
  // Long enough that a piece with all that it sees is shorter.
  const photo = partOf(file, one.input_shape[1] ?? 3, 330, Math.max(900, 7 * one.base_size[1]));
  const options = { output: one.restored_output };
  if (isAnchored(one) || one.fast_imp) {
    await expect(restoreInPieces(session, photo, options)).rejects.toMatchObject({
      code: 'ERR_UNSUPPORTED_MODEL',
      message: expect.stringMatching(/node \S+/),
    });
    return;
  }
  const whole = await restoreWhole(session, photo, options);
  const cut = await restoreInPieces(session, photo, options, 2);
  expect(cut.pieces).toMatchObject({ bound: expect.stringMatching(/half-level|exact/) });
  expect(levelsBetween(cut, whole)).toBeLessThan(0.5);
  await session.release();
}

describe('the carried cases', () => {
  it.each(carriedCases)('$name makes of pieces what it makes of the whole', check, 60_000);
});

describe.skipIf(otherCases.length === 0)('the rest of the collection', () => {
  it.each(otherCases)('$name makes of pieces what it makes of the whole', check, 120_000);
});

it('leaves photos whole that fit', async () => {
  const session = await InferenceSession.create(carriedCases[0]?.model as string, { logSeverityLevel: 4 });
  const photo = partOf(await readPhoto(join(photos, 'oakland-zoo-otters_input.png')), 3, 64, 64);
  expect((await restore(session, photo, { output: carriedCases[0]?.restored_output as string })).pieces).toBe(
    undefined,
  );
});
