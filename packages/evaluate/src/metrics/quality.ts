// How close two images are, as papers measure it.
import type { Photo } from '@tlsc/api';
import { GaussianRows, windowSide } from './gaussian.js';
import { asInFile, lumaOf, type Planes, planesOf, shaved } from './planes.js';

/** The mean of squared differences. */
function meanSquare({ data: a }: Planes, { data: b }: Planes): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += ((a[i] as number) - (b[i] as number)) ** 2;
  return sum / a.length;
}

/** Peak signal-to-noise ratio over all channels, in dB; infinite for equal images. */
export function psnr(image: Planes, reference: Planes): number {
  return -10 * Math.log10(meanSquare(image, reference));
}

const [c1, c2] = [0.01 ** 2, 0.03 ** 2];

/** The structural similarity of one plane: its mean over all full windows. */
function ssimOfPlane(a: Planes['data'], b: Planes['data'], height: number, width: number): number {
  const [x, y, xx, yy, xy] = Array.from({ length: 5 }, () => new GaussianRows(width)) as [
    GaussianRows,
    GaussianRows,
    GaussianRows,
    GaussianRows,
    GaussianRows,
  ];
  const [rowX, rowY, rowXX, rowYY, rowXY] = Array.from({ length: 5 }, () => new Float64Array(width)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  let sum = 0;
  for (let row = 0; row < height; row++) {
    for (let i = 0; i < width; i++) {
      const [one, other] = [a[row * width + i] as number, b[row * width + i] as number];
      rowX[i] = one;
      rowY[i] = other;
      rowXX[i] = one * one;
      rowYY[i] = other * other;
      rowXY[i] = one * other;
    }
    x.push(rowX);
    y.push(rowY);
    xx.push(rowXX);
    yy.push(rowYY);
    xy.push(rowXY);
    if (row < windowSide - 1) continue;
    for (let i = 0; i < x.means.length; i++) {
      const [mx, my] = [x.means[i] as number, y.means[i] as number];
      const variances = (xx.means[i] as number) - mx * mx + (yy.means[i] as number) - my * my;
      const covariance = (xy.means[i] as number) - mx * my;
      sum += ((2 * mx * my + c1) * (2 * covariance + c2)) / ((mx * mx + my * my + c1) * (variances + c2));
    }
  }
  return sum / ((height - windowSide + 1) * x.means.length);
}

/**
 * Structural similarity (Wang, Bovik, Sheikh and Simoncelli 2004): Gaussian window of 11 × 11 with sigma 1.5, K1 = 0.01, K2 = 0.03, variances
 * of the population, mean over the channels. NaN for images of less than 11 × 11.
 */
export function ssim(image: Planes, reference: Planes): number {
  const { channels, height, width } = image;
  if (height < windowSide || width < windowSide) return Number.NaN;
  const area = height * width;
  let total = 0;
  for (let channel = 0; channel < channels; channel++) {
    const plane = ({ data }: Planes) => data.subarray(channel * area, (channel + 1) * area);
    total += ssimOfPlane(plane(image), plane(reference), height, width);
  }
  return total / channels;
}

/** How close an image is to what it should be. */
export interface Quality {
  /** Over all channels, in dB. */
  readonly psnr: number;
  /** The mean of the channels. */
  readonly ssim: number;
  /** Of the luma alone. */
  readonly psnrY: number;
  readonly ssimY: number;
}

/** Their names. */
export const measures = ['psnr', 'ssim', 'psnrY', 'ssimY'] as const satisfies readonly (keyof Quality)[];

export interface QualityOptions {
  /** Bits that images are rounded to first, as files do; undefined for none. */
  readonly bitDepth: number | undefined;
  /** Pixels along each border that are left out. */
  readonly shave: number;
}

/** Of two images of one size. */
export function qualityOf(image: Planes, reference: Planes, { bitDepth, shave }: QualityOptions): Quality {
  const prepare = (planes: Planes) => shaved(asInFile(planes, bitDepth), shave);
  const [a, b] = [prepare(image), prepare(reference)];
  const [lumaA, lumaB] = [lumaOf(a), lumaOf(b)];
  return { psnr: psnr(a, b), ssim: ssim(a, b), psnrY: psnr(lumaA, lumaB), ssimY: ssim(lumaA, lumaB) };
}

/** The same of photos. */
export function qualityOfPhotos(
  image: Pick<Photo, 'tensor'>,
  reference: Pick<Photo, 'tensor'>,
  options: Partial<QualityOptions> = {},
): Quality {
  const { bitDepth = undefined, shave = 0 } = options;
  return qualityOf(planesOf(image), planesOf(reference), { bitDepth, shave });
}
