// What a photo of 24 megapixels costs beside the network: reading it, against sharp's decoding alone, and how late a 5 ms timer fires while
// it is restored. Asserts no time.
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { encodePhoto, InferenceSession, readPhoto, restore, restoreImage } from '@tlsc/api';
import sharp from 'sharp';
import { latenessDuring, median } from './lateness.js';

const [height, width] = [4000, 6000];
const rounds = 7;
// Seen from test/dist/bench/.
const examples = fileURLToPath(new URL('../../../examples/', import.meta.url));

/** An enlarged photo with noise of this deviation, which says how much there is to decode. */
async function photoWith(sigma: number): Promise<Buffer> {
  const { data } = await sharp(`${examples}photos/tea-gardens_input.png`)
    .resize(width, height, { fit: 'fill' })
    .raw()
    .toBuffer({ resolveWithObject: true });
  for (let i = 0; i < data.length && sigma > 0; i++) {
    const noise = (Math.random() + Math.random() + Math.random() - 1.5) * 2 * sigma;
    data[i] = Math.max(0, Math.min(255, (data[i] as number) + noise));
  }
  return sharp(data, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 92 })
    .toBuffer();
}

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

console.log(`${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} cores, Node ${process.version}`);
for (const sigma of [0, 12]) {
  const file = await photoWith(sigma);
  const [decoding, reading]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    decoding.push(await timeOf(() => sharp(file).raw().toBuffer()));
    reading.push(await timeOf(() => readPhoto(file)));
  }
  const [alone, whole] = [median(decoding), median(reading)];
  console.log(
    `JPEG of ${(file.length / 1e6).toFixed(1)} MB: sharp alone ${alone.toFixed(0)} ms, readPhoto ${whole.toFixed(0)} ms, ${(whole / alone).toFixed(2)} times`,
  );
}

const file = await photoWith(12);
const photo = await readPhoto(file);
for (const intraOpNumThreads of [0, 1]) {
  const session = await InferenceSession.create(`${examples}models/unet.onnx`, { intraOpNumThreads });
  const threads = intraOpNumThreads === 1 ? '1 thread' : 'all cores';
  for (const [name, work] of [
    ['readPhoto', () => readPhoto(file)],
    ['restore', () => restore(session, file)],
    ['restoreImage', () => restoreImage(session, file, '.jpg')],
    ['encodePhoto', () => encodePhoto(photo, '.jpg')],
  ] as const) {
    const late = await latenessDuring(work());
    console.log(
      `${name}, network on ${threads}: timer late by ${median(late).toFixed(1)} ms (median), ${(late.at(-1) ?? 0).toFixed(1)} ms (worst)`,
    );
  }
  await session.release();
}
