// What takes a while for each pixel, and so is done on a thread of its own.
import type { Planes } from '../metrics/planes.js';
import { type Quality, type QualityOptions, qualityOf } from '../metrics/quality.js';
import { type Pixels, pixelsOf } from '../report/pixels.js';
import { errorMap, gainAndLoss, type Region, type Seams, seamsOf } from '../report/regions.js';

export const tasks = {
  qualityOf: (image: Planes, reference: Planes, options: QualityOptions): Quality =>
    qualityOf(image, reference, options),
  pixelsOf: (planes: Planes, region?: Region): Pixels => pixelsOf(planes, region),
  gainAndLoss: (first: Planes, second: Planes, target: Planes): { gain: Region; loss: Region } =>
    gainAndLoss(first, second, target),
  seamsOf: (made: Planes, target: Planes, size: number): Seams | undefined => seamsOf(made, target, size),
  errorMap: (made: Planes, target: Planes, most: number): Uint8Array => errorMap(made, target, most),
} as const;

export type Tasks = typeof tasks;
