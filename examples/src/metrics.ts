// How close two images are. Values are clipped to [0, 1] and not rounded, as restoration papers do it.
import type { Photo } from '@tlsc/api';

interface Planes {
  readonly data: Float64Array;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

function clipped(photo: Photo): Planes {
  const [, channels = 0, height = 0, width = 0] = photo.tensor.dims;
  const data = Float64Array.from(photo.tensor.data as Float32Array);
  for (let i = 0; i < data.length; i++) data[i] = Math.min(1, Math.max(0, data[i] as number));
  return { data, channels, height, width };
}

/** Peak signal-to-noise ratio over all channels, in dB; infinite for equal images. */
export function psnr(image: Photo, reference: Photo): number {
  const a = clipped(image).data;
  const b = clipped(reference).data;
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += ((a[i] as number) - (b[i] as number)) ** 2;
  return -10 * Math.log10(sum / a.length);
}

const windowSide = 11;
const sigma = 1.5;
const gaussian = (() => {
  const weights = Float64Array.from({ length: windowSide }, (_, i) =>
    Math.exp(-((i - (windowSide - 1) / 2) ** 2) / (2 * sigma ** 2)),
  );
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
})();

function product(a: Float64Array, b: Float64Array): Float64Array {
  const result = new Float64Array(a.length);
  for (let i = 0; i < a.length; i++) result[i] = (a[i] as number) * (b[i] as number);
  return result;
}

/** The Gaussian mean of every full window of a plane. */
function blur(plane: Float64Array, height: number, width: number): Float64Array {
  const newWidth = width - windowSide + 1;
  const rows = new Float64Array(height * newWidth);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < newWidth; x++) {
      let sum = 0;
      for (let i = 0; i < windowSide; i++)
        sum += (gaussian[i] as number) * (plane[y * width + x + i] as number);
      rows[y * newWidth + x] = sum;
    }
  }
  const blurred = new Float64Array((height - windowSide + 1) * newWidth);
  for (let at = 0; at < blurred.length; at++) {
    let sum = 0;
    for (let i = 0; i < windowSide; i++) sum += (gaussian[i] as number) * (rows[at + i * newWidth] as number);
    blurred[at] = sum;
  }
  return blurred;
}

/**
 * Structural similarity (Wang, Bovik, Sheikh and Simoncelli 2004): Gaussian window of 11 × 11 with sigma 1.5, K1 = 0.01,
 * K2 = 0.03, mean over the channels. Images are at least 11 × 11.
 */
export function ssim(image: Photo, reference: Photo): number {
  const { data: a, channels, height, width } = clipped(image);
  const b = clipped(reference).data;
  const area = height * width;
  let total = 0;
  for (let channel = 0; channel < channels; channel++) {
    const x = a.subarray(channel * area, (channel + 1) * area);
    const y = b.subarray(channel * area, (channel + 1) * area);
    const meanX = blur(x, height, width);
    const meanY = blur(y, height, width);
    const squareX = blur(product(x, x), height, width);
    const squareY = blur(product(y, y), height, width);
    const cross = blur(product(x, y), height, width);
    let sum = 0;
    for (let i = 0; i < meanX.length; i++) {
      const [mx, my] = [meanX[i] as number, meanY[i] as number];
      const variances = (squareX[i] as number) - mx * mx + (squareY[i] as number) - my * my;
      const covariance = (cross[i] as number) - mx * my;
      sum +=
        ((2 * mx * my + 1e-4) * (2 * covariance + 9e-4)) / ((mx * mx + my * my + 1e-4) * (variances + 9e-4));
    }
    total += sum / meanX.length;
  }
  return total / channels;
}
