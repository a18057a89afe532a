// The figures that the README and the demo quote.
import { convert, InferenceSession, type Photo, readPhoto, restore } from '@tlsc/api';
import { qualityOfPhotos } from '@tlsc/evaluate';
import { describe, expect, it } from 'vitest';
import { exampleModel, examplePhoto } from '../fixtures/index.js';

async function restored(model: string | Uint8Array, name: string) {
  const session = await InferenceSession.create(model);
  const photo = await restore(session, examplePhoto(`${name}_input`));
  await session.release();
  return photo;
}

const psnr = (photo: Photo, target: Photo) => qualityOfPhotos(photo, target).psnr;

describe('the demo', () => {
  it.each([
    { name: 'oakland-zoo-otters', model: 'unet_in', input: 18.61, global: 25.36, local: 30.34 },
    { name: 'oakland-zoo-otters', model: 'unet_se', input: 18.61, global: 27.68, local: 30.28 },
    { name: 'perched-osprey', model: 'unet_in', input: 16.16, global: 29.63, local: 29.64 },
    { name: 'perched-osprey', model: 'unet_se', input: 16.16, global: 29.71, local: 30.47 },
    { name: 'tea-gardens', model: 'unet_in', input: 20.1, global: 33.09, local: 33.52 },
    { name: 'tea-gardens', model: 'unet_se', input: 20.1, global: 33.74, local: 33.95 },
  ])('restores $name with $model as published', async ({ name, model, input, global, local }) => {
    const target = await readPhoto(examplePhoto(`${name}_target`));
    const converted = await convert(exampleModel(model), { trainSize: 64 });
    expect(Math.abs(psnr(await readPhoto(examplePhoto(`${name}_input`)), target) - input)).toBeLessThan(0.02);
    expect(Math.abs(psnr(await restored(exampleModel(model), name), target) - global)).toBeLessThan(0.02);
    expect(Math.abs(psnr(await restored(converted.model, name), target) - local)).toBeLessThan(0.02);
  });

  it('measures SSIM as the published table does', async () => {
    const input = await readPhoto(examplePhoto('oakland-zoo-otters_input'));
    const target = await readPhoto(examplePhoto('oakland-zoo-otters_target'));
    expect(qualityOfPhotos(input, target).ssim).toBeCloseTo(0.72027, 4);
  });
});
