import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Photo, readPhoto, Tensor, writePhoto } from '@tlsc/api';
import { examplePhoto } from '../../../test/fixtures/index.js';

function cropOf({ tensor }: Photo, top: number, left: number, height: number, width: number): Photo {
  const [, channels = 0, rows = 0, columns = 0] = tensor.dims;
  const data = Float32Array.from({ length: channels * height * width }, (_, i) => {
    const [row, x] = [Math.floor(i / width), i % width];
    const [channel, y] = [Math.floor(row / height), row % height];
    return tensor.data[(channel * rows + top + y) * columns + left + x] as number;
  });
  return { tensor: new Tensor('float32', data, [1, channels, height, width]), bitDepth: 8 };
}

const photos = ['oakland-zoo-otters', 'perched-osprey', 'tea-gardens'];

/** Writes crops of the example photos as pairs into a folder. */
export async function writeSmallPairs(folder: string, height: number, width: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const name of photos)
    for (const what of ['input', 'target']) {
      const photo = await readPhoto(examplePhoto(`${name}_${what}`));
      await writePhoto(cropOf(photo, 200, 400, height, width), join(folder, `${name}_${what}.png`));
    }
}
