import { readPhoto } from '@tlsc/api';
import { describe, expect, it } from 'vitest';
import { examplePhoto } from '../../../../test/fixtures/index.js';
import { asInFile, type Planes } from './planes.js';
import { psnr, qualityOfPhotos, ssim } from './quality.js';

/**
 * Of rainy photos and clean ones, by scikit-image 0.26: peak_signal_noise_ratio, and structural_similarity with gaussian_weights, sigma 1.5,
 * use_sample_covariance false and data_range 1; luma as rgb2ycbcr has it.
 */
const published = [
  {
    photo: 'oakland-zoo-otters',
    shave: 0,
    expected: [18.614560603496095, 0.720269145721219, 20.001372398570485, 0.7399101431520035],
  },
  {
    photo: 'oakland-zoo-otters',
    shave: 4,
    expected: [18.585303673234627, 0.7198507213649639, 19.97091452349201, 0.739502565455113],
  },
  {
    photo: 'perched-osprey',
    shave: 0,
    expected: [16.160899267638413, 0.5200192726517786, 17.58359840550158, 0.5371789106408579],
  },
  {
    photo: 'tea-gardens',
    shave: 4,
    expected: [20.105558685392925, 0.6820314589146923, 21.882896950323946, 0.743300845992185],
  },
];

const plane = (height: number, width: number, at: (i: number) => number): Planes => ({
  data: Float32Array.from({ length: height * width }, (_, i) => at(i)),
  channels: 1,
  height,
  width,
});

describe('quality', () => {
  it.each(published)(
    "is scikit-image's of $photo, $shave pixels shaved",
    async ({ photo, shave, expected }) => {
      const [input, target] = await Promise.all(
        ['input', 'target'].map((what) => readPhoto(examplePhoto(`${photo}_${what}`))),
      );
      if (!input || !target) throw new Error('no photos');
      const found = qualityOfPhotos(input, target, { shave });
      const values = [found.psnr, found.ssim, found.psnrY, found.ssimY];
      for (const [i, value] of values.entries())
        expect(Math.abs(value - (expected[i] ?? 0))).toBeLessThan(1e-6);
    },
  );

  it('is perfect of equal images', () => {
    const one = plane(12, 13, (i) => (i % 7) / 7);
    expect(psnr(one, one)).toBe(Number.POSITIVE_INFINITY);
    expect(ssim(one, one)).toBeCloseTo(1, 12);
  });

  it('has no similarity of images smaller than its window', () => {
    const one = plane(10, 40, () => 0.5);
    expect(ssim(one, one)).toBeNaN();
  });

  it('clips and rounds as files do', () => {
    const values = plane(1, 4, (i) => [-0.5, 0.5, 0.999, 1.5][i] ?? 0);
    expect([...asInFile(values, 8).data]).toEqual([0, 128 / 255, 1, 1]);
    expect([...asInFile(values, undefined).data]).toEqual([0, 0.5, Math.fround(0.999), 1]);
  });
});
