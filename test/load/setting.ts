// What all load tests are about: a network of the demo, and a JPEG of 512 x 512.
import { copyFile, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPool, type Parallelism } from '@tlsc/api';
import sharp from 'sharp';
import { root, tlsc } from './processes.js';

export interface Setting {
  /** What the converted network is called. */
  readonly name: string;
  readonly model: string;
  readonly original: string;
  readonly photo: Buffer;
  readonly photoFile: string;
  readonly seconds: number;
  readonly rounds: number;
  readonly overloadSeconds: number;
  /** Of mixed kinds. */
  readonly requests: number;
  /** As a pool chooses it. */
  readonly way: Parallelism;
  /** With both in it. */
  readonly folder: string;
}

/** How long, and how much of it. */
export type Extent = Pick<Setting, 'seconds' | 'rounds' | 'overloadSeconds' | 'requests'>;

export async function makeSetting(extent: Extent): Promise<Setting> {
  const folder = await mkdtemp(join(tmpdir(), 'tlsc-load-'));
  const name = 'unet_se';
  const original = join(folder, `${name}.onnx`);
  await copyFile(join(root, 'examples', 'models', `${name}.onnx`), original);
  const model = join(folder, `${name}.local.onnx`);
  await tlsc('convert', original, '-o', model, '--train-size', '64');
  const photo = await sharp(join(root, 'examples', 'photos', 'tea-gardens_input.png'))
    .extract({ left: 0, top: 0, width: 512, height: 512 })
    .jpeg({ quality: 92 })
    .toBuffer();
  const photoFile = join(folder, 'photo.jpg');
  await writeFile(photoFile, photo);
  const pool = await createPool(model);
  const { concurrency, threads } = pool.stats();
  await pool.close();
  return { ...extent, name, model, original, photo, photoFile, way: { concurrency, threads }, folder };
}
